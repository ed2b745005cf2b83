/* A flow as a whole: deep stacks on every backend, both directions, whole batches, densities that
 * integrate to one, and initial weights. */
#include "flow/flow.h"
#include "flow/backend.h"
#include "tests/common/backends.h"
#include "tests/common/check.h"
#include "tests/common/examples.h"
#include "tests/common/sanitized.h"
#include "tests/common/spec.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const pcg_stream noise = {.seed = 2718, .stage = PCG_TEST, .purpose = PCG_BASE};

static flow *create(const flow_backend *backend, const json_t *description)
{
    flow_err err = FLOW_ERR_INIT;
    flow *f = flow_create_on(backend, description, SIZE_MAX, &err);
    cr_assert(f, "%s", err.text);
    return f;
}

static const size_t small_hidden[] = {11, 9};

static flow_spec small_spec(size_t dim, size_t context, flow_direction direction)
{
    return (flow_spec){.dim = dim,
                       .context = context,
                       .direction = direction,
                       .layers = 2,
                       .hidden = small_hidden,
                       .n_hidden = 2,
                       .activation = "silu",
                       .transformer = "affine",
                       .scale_bound = 2.1,
                       .bins = 5,
                       .bound = 3.3,
                       .permute = FLOW_REVERSE,
                       .lu = 1,
                       .actnorm = 1};
}

/* ---- ten layers in 64 dimensions, inverted incrementally */

ParameterizedTestParameters(flow, deep_round_trip)
{
    return every_backend();
}

/* f64 1e-10, f32 1e-4, relative to the largest number: each layer's rounding is magnified by the
 * inverses of those before it, a thousandfold in all. */
ParameterizedTest(size_t *b, flow, deep_round_trip)
{
    enum { N = 33, D = 64 };
    static const size_t hidden[] = {90, 53};
    const flow_backend *backend = flow_backend_at(*b);
    const double tolerance = backend->precision == FLOW_F64 ? 1e-10 : 1e-4;
    flow_spec spec = small_spec(D, 0, FLOW_NOISE_TO_DATA);
    spec.layers = 10;
    spec.hidden = hidden;
    spec.permute = FLOW_RANDOM;
    spec.stream = noise;
    spec.lu = spec.actnorm = 0;
    for (int splines = 0; splines < 2; splines++) {
        spec.transformer = splines ? "spline" : "affine";
        flow *f = random_flow(backend, &spec, 0.55);
        flow_pass *pass = flow_pass_create(f, N, 0, NULL);
        double *x = random_numbers_new(N * D, 1.1, 1), *y = malloc(2 * N * (D + 1) * sizeof *y);
        double *back = y + N * D, *logdet = back + N * D, *back_logdet = logdet + N;
        flow_pass_forward(pass, NULL, y, logdet, x, NULL, N);
        flow_pass_inverse(pass, NULL, back, back_logdet, y, NULL, N);
        double shift = 0;
        for (size_t i = 0; i < N * D; i++)
            shift = fmax(shift, fabs(y[i] - x[i]));
        cr_assert(shift > 0.713, "the stack does nothing");
        check_close(back, x, N * D, 0, tolerance * largest_of(x, N * D), "%s, %s", backend->name,
                    spec.transformer);
        for (size_t r = 0; r < N; r++)
            back_logdet[r] = -back_logdet[r];
        check_close(back_logdet, logdet, N, 0, tolerance * (1 + largest_of(logdet, N)),
                    "logdet, %s, %s", backend->name, spec.transformer);
        free(x);
        free(y);
        flow_pass_free(pass);
        flow_free(f);
    }
}

/* ---- densities */

/* Integral of exp(logp) over a square grid of (2 half + 1)^D points: the trapezoidal rule is exact
 * to nearly all digits for smooth functions that vanish at the edges. */
static double integral(const flow *f, size_t half, double step, const double *context)
{
    size_t side = 2 * half + 1, dim = flow_dim(f), c = flow_context(f);
    size_t n = dim == 1 ? side : side * side;
    double *x = malloc(n * (dim + c + 1) * sizeof *x), *rows = x + n * dim, *logp = rows + n * c;
    for (size_t r = 0; r < n; r++) {
        for (size_t i = 0, at = r; i < dim; i++, at /= side)
            x[r * dim + i] = step * ((double)(at % side) - (double)half);
        memcpy(rows + r * c, context, c * sizeof *rows);
    }
    flow_pool *pool = flow_pool_create(1, NULL);
    cr_assert_eq(flow_log_prob(f, pool, logp, NULL, x, rows, n, NULL), 0);
    double sum = 0;
    for (size_t r = 0; r < n; r++)
        sum += exp(logp[r]) * pow(step, (double)dim);
    flow_pool_free(pool);
    free(x);
    return sum;
}

Test(flow, densities_integrate_to_one)
{
    const double context[] = {0.713, -1.3};
    for (int d = 0; d < 4; d++) {
        flow_direction direction = d % 2 ? FLOW_NOISE_TO_DATA : FLOW_DATA_TO_NOISE;
        flow_spec line = small_spec(1, 2, direction), plane = small_spec(2, 2, direction);
        line.transformer = plane.transformer = d < 2 ? "affine" : "spline";
        flow *f = random_flow(first_f64_backend(), &line, 0.55),
             *g = random_flow(first_f64_backend(), &plane, 0.55);
        double one = integral(f, 4000, 0.01, context);
        double two = integral(g, UNLESS_SANITIZED(600, 60), UNLESS_SANITIZED(0.025, 0.25), context);
        /* a spline's density has kinks, where the rule is off by a step squared */
        check_close(&one, &(double){1}, 1, 0, d < 2 ? 1e-12 : 1e-4, "D = 1, case %d", d);
        check_close(&two, &(double){1}, 1, 0,
                    d < 2 ? UNLESS_SANITIZED(1e-11, 1e-5) : UNLESS_SANITIZED(3e-4, 3e-2),
                    "D = 2, case %d", d);
        flow_free(f);
        flow_free(g);
    }
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Largest distance between the distribution of the sorted samples and the integral of the density.
 */
static double kolmogorov_smirnov(const flow *f, const double *sorted, size_t n)
{
    enum { GRID = 20000 };
    double *x = malloc(2 * GRID * sizeof *x), *logp = x + GRID, cdf = 0, worst = 0;
    flow_pool *pool = flow_pool_create(1, NULL);
    for (size_t i = 0; i < GRID; i++)
        x[i] = -20 + 0.002 * ((double)i + 0.5);
    flow_log_prob(f, pool, logp, NULL, x, NULL, GRID, NULL);
    for (size_t i = 0, below = 0; i < GRID; i++) {
        cdf += 0.002 * exp(logp[i]);
        while (below < n && sorted[below] < x[i] + 0.001)
            below++;
        worst = fmax(worst, fabs((double)below / (double)n - cdf));
    }
    flow_pool_free(pool);
    free(x);
    return worst;
}

/* P(sqrt(n) D > 2.2) = 2 exp(-2 2.2^2) = 1.3e-4 for each of four. */
Test(flow, samples_follow_the_density)
{
    enum { N = 20000 };
    flow_pool *pool = flow_pool_create(1, NULL);
    double *x = malloc(N * sizeof *x);
    for (int d = 0; d < 4; d++) {
        flow_spec spec = small_spec(1, 0, d % 2 ? FLOW_NOISE_TO_DATA : FLOW_DATA_TO_NOISE);
        spec.transformer = d < 2 ? "affine" : "spline";
        flow *f = random_flow(first_f64_backend(), &spec, 0.55);
        cr_assert_eq(flow_sample(f, pool, x, NULL, NULL, noise, 0, N, NULL), 0);
        qsort(x, N, sizeof *x, ascending);
        double distance = kolmogorov_smirnov(f, x, N);
        cr_assert(distance < 2.2 / sqrt(N), "case %d: distance %g", d, distance);
        flow_free(f);
    }
    free(x);
    flow_pool_free(pool);
}

/* ---- the two directions of one stack */

Test(flow, directions)
{
    enum { N = 19, D = 3 };
    flow_spec spec = small_spec(D, 2, FLOW_DATA_TO_NOISE);
    flow *maf = random_flow(first_f64_backend(), &spec, 0.55);
    spec.direction = FLOW_NOISE_TO_DATA;
    flow *iaf = random_flow(first_f64_backend(), &spec, 0.55);
    flow_pool *pool = flow_pool_create(1, NULL);
    double *x = random_numbers_new(N * D, 1.2, 5), *c = random_numbers_new(2 * N, 0.8, 6);
    double *room = malloc(4 * N * (D + 1) * sizeof *room);
    double *z = room, *forward = z + N * D, *back = forward + N * D, *logp = back + N * D;
    double *logq = logp + N, *base = logq + N, *logdet = base + N;
    flow_pass *pass = flow_pass_create(maf, N, 0, NULL);
    flow_pass_forward(pass, NULL, forward, logdet, x, c, N);
    cr_assert_eq(flow_log_prob(maf, pool, logp, z, x, c, N, NULL), 0);
    check_same(z, forward, N * D, "a density's noise is forward");
    flow_base_log_prob(maf, NULL, base, z, N);
    for (size_t r = 0; r < N; r++)
        base[r] += logdet[r];
    check_close(logp, base, N, 1e-14, 1e-14, "log p = log N(z) + logdet");
    cr_assert_eq(flow_transport(iaf, pool, back, logq, x, c, N, NULL), 0);
    check_same(back, forward, N * D, "a sample is forward of its noise");
    flow_base_log_prob(iaf, NULL, base, x, N);
    for (size_t r = 0; r < N; r++)
        base[r] -= logdet[r];
    check_close(logq, base, N, 1e-14, 1e-14, "log q = log N(z) - logdet");
    cr_assert_eq(flow_transport(maf, pool, back, logq, z, c, N, NULL), 0);
    check_close(back, x, N * D, 1e-12, 1e-12, "sampling undoes the density's map");
    check_close(logq, logp, N, 1e-12, 1e-12, "log p of the sample");
    free(x);
    free(c);
    free(room);
    flow_pass_free(pass);
    flow_pool_free(pool);
    flow_free(maf);
    flow_free(iaf);
}

/* ---- whole batches: more than a shard, any pool, any number of rows */

typedef struct batch {
    double *x, *logp, *again, *z;
} batch;

static batch batch_new(size_t n, size_t dim)
{
    double *x = malloc((2 * n * dim + 2 * n + 1) * sizeof *x);
    return (batch){.x = x, .z = x + n * dim, .logp = x + 2 * n * dim, .again = x + 2 * n * dim + n};
}

/* n samples from row `first` on, their log-densities, computed back from them, and their noise. */
static batch sample(const flow *f, size_t threads, const double *c, uint64_t first, size_t n)
{
    flow_err err = FLOW_ERR_INIT;
    flow_pool *pool = flow_pool_create(threads, NULL);
    batch b = batch_new(n, flow_dim(f));
    c = c ? c + first * flow_context(f) : NULL;
    cr_assert_eq(flow_sample(f, pool, b.x, b.logp, c, noise, first, n, &err), 0, "%s", err.text);
    cr_assert_eq(flow_log_prob(f, pool, b.again, b.z, b.x, c, n, &err), 0, "%s", err.text);
    flow_pool_free(pool);
    return b;
}

static void check_batches(const flow *f, const double *c, double tolerance)
{
    enum { N = 300 };
    static const struct {
        size_t threads, first, n;
    } parts[] = {{1, 0, 300}, {3, 0, 300},   {2, 0, 129}, {1, 0, 128},
                 {3, 0, 1},   {2, 141, 159}, {1, 7, 0}};
    size_t dim = flow_dim(f);
    batch all = sample(f, 1, c, 0, N);
    double *z = malloc(N * dim * sizeof *z);
    pcg_normals(z, noise, 0, N, dim);
    check_close(all.again, all.logp, N, tolerance, tolerance, "log-densities of samples");
    check_close(all.z, z, N * dim, tolerance, tolerance, "noise of samples");
    for (size_t p = 0; p < sizeof parts / sizeof parts[0]; p++) {
        size_t n = parts[p].n, first = parts[p].first;
        batch part = sample(f, parts[p].threads, c, first, n);
        check_same(part.x, all.x + first * dim, n * dim, "samples of part %zu", p);
        check_same(part.logp, all.logp + first, n, "log-densities of part %zu", p);
        check_same(part.again, all.again + first, n, "log-densities again, part %zu", p);
        check_same(part.z, all.z + first * dim, n * dim, "noise of part %zu", p);
        free(part.x);
    }
    free(z);
    free(all.x);
}

Test(flow, batches)
{
    double *c = random_numbers_new(2 * 300, 0.8, 6);
    for (size_t b = 0; b < 4; b++) { /* f32 and f64, both directions */
        flow_direction direction = b < 2 ? FLOW_NOISE_TO_DATA : FLOW_DATA_TO_NOISE;
        const flow_backend *backend = flow_backend_at(b % 2);
        double tolerance = backend->precision == FLOW_F64 ? 1e-11 : 1e-4;
        flow_spec spec = small_spec(3, 2, direction);
        flow *f = random_flow(backend, &spec, 0.55);
        check_batches(f, c, tolerance);
        flow_free(f);
        spec = small_spec(1, 0, direction);
        f = random_flow(backend, &spec, 0.55);
        check_batches(f, NULL, tolerance);
        flow_free(f);
    }
    free(c);
}

Test(flow, optional_results)
{
    enum { N = 150, D = 2 };
    flow_spec spec = small_spec(D, 0, FLOW_NOISE_TO_DATA);
    flow *f = random_flow(first_f64_backend(), &spec, 0.55);
    flow_pool *pool = flow_pool_create(2, NULL);
    batch a = batch_new(N, D), b = batch_new(N, D);
    double *z = random_numbers_new(N * D, 1.1, 8);
    cr_assert_eq(flow_transport(f, pool, a.x, a.logp, z, NULL, N, NULL), 0);
    cr_assert_eq(flow_transport(f, pool, b.x, NULL, z, NULL, N, NULL), 0);
    check_same(b.x, a.x, N * D, "transport without log-densities");
    cr_assert_eq(flow_log_prob(f, pool, a.again, a.z, a.x, NULL, N, NULL), 0);
    cr_assert_eq(flow_log_prob(f, pool, b.again, NULL, a.x, NULL, N, NULL), 0);
    check_same(b.again, a.again, N, "log-densities without noise");
    free(z);
    free(a.x);
    free(b.x);
    flow_pool_free(pool);
    flow_free(f);
}

/* A flow of no layers is its base. */
Test(flow, no_layers)
{
    enum { N = 5, D = 2 };
    json_t *d = describe_one(D, 0, "noise_to_data", json_array());
    for (size_t b = 0; flow_backend_at(b); b++) {
        flow *f = create(flow_backend_at(b), d);
        double *z = random_numbers_new(N * D, 1.1, 8), x[N * D], logp[N], want[N], grad[N * D];
        flow_pass *pass = flow_pass_create(f, N, FLOW_PASS_TRAIN, NULL);
        cr_assert_eq(flow_n_params(f) + flow_n_weights(f) + flow_n_tensors(f), 0);
        flow_init(f, noise);
        flow_pass_transport(pass, NULL, x, logp, z, NULL, N);
        flow_base_log_prob(f, NULL, want, z, N);
        check_same(x, z, N * D, "x");
        check_same(logp, want, N, "logp");
        flow_pass_backward(pass, NULL, grad, NULL, z, logp);
        check_same(grad, z, N * D, "backward");
        flow_pass_score(pass, NULL, grad, z);
        check_same(grad, z, N * D, "score");
        flow_pass_inverse(pass, NULL, x, logp, z, NULL, N);
        check_same(x, z, N * D, "inverse");
        free(z);
        flow_pass_free(pass);
        flow_free(f);
    }
    json_decref(d);
}

/* ---- initial weights */

static void *initial(const flow_spec *spec, pcg_stream stream, size_t *bytes)
{
    flow *f = flow_spec_create(spec, FLOW_F64, NULL);
    flow_init(f, stream);
    *bytes = flow_params_bytes(f);
    void *copy = malloc(*bytes);
    memcpy(copy, flow_params_const(f), *bytes);
    flow_free(f);
    return copy;
}

/* The stream decides, and a layer's start does not depend on the layers after it. */
Test(flow, init_by_stream)
{
    size_t short_len, len;
    flow_spec spec = small_spec(3, 2, FLOW_DATA_TO_NOISE);
    pcg_stream other = noise;
    other.seed++;
    void *two = initial(&spec, noise, &short_len), *again = initial(&spec, noise, &len);
    void *two_other = initial(&spec, other, &len);
    cr_assert(memcmp(two, again, len) == 0);
    cr_assert(memcmp(two, two_other, len) != 0);
    spec.layers = 4;
    void *four = initial(&spec, noise, &len);
    cr_assert(memcmp(two, four, short_len) == 0, "the first layers start otherwise");
    cr_assert(memcmp((char *)four + short_len, four, len - short_len) != 0,
              "later layers start like the first");
    free(two);
    free(again);
    free(two_other);
    free(four);
}

static void moments(double *mean, double *variance, const double *x, size_t n, size_t dim, size_t i)
{
    *mean = *variance = 0;
    for (size_t r = 0; r < n; r++)
        *mean += x[r * dim + i] / (double)n;
    for (size_t r = 0; r < n; r++)
        *variance += (x[r * dim + i] - *mean) * (x[r * dim + i] - *mean) / (double)n;
}

/* After the start from data every column leaves the last actnorm with mean 0 and variance 1,
 * whatever the layers before it do. */
static void check_init_data(const flow_backend *backend, const char *direction)
{
    enum { N = 77, D = 3 };
    flow_err err = FLOW_ERR_INIT;
    json_t *layers = json_loads(
        "[{\"kind\": \"lu_linear\"}, {\"kind\": \"actnorm\"}, "
        "{\"kind\": \"autoregressive\", \"conditioner\": {\"kind\": \"mlp\", \"hidden\": [7]}}, "
        "{\"kind\": \"actnorm\"}]",
        0, NULL);
    json_t *d = describe_one(D, 2, direction, layers);
    flow *f = create(backend, d);
    randomise_parameters(f, 0.7, 3);
    double *x = random_numbers_new(N * D, 2.385, 1), *c = random_numbers_new(2 * N, 0.8, 2),
           y[N * D], logdet[N];
    for (size_t i = 0; i < N * D; i++)
        x[i] += 5.1 * (double)(i % D) - 3.3;
    cr_assert_eq(flow_init_data(f, x, c, N, &err), 0, "%s", err.text);
    flow_pass *pass = flow_pass_create(f, N, 0, NULL);
    flow_pass_forward(pass, NULL, y, logdet, x, c, N);
    double tolerance = backend->precision == FLOW_F64 ? 1e-5 : 1e-4; /* 1e-6 keeps it from 1 / 0 */
    for (size_t i = 0; i < D; i++) {
        double mean, variance;
        moments(&mean, &variance, y, N, D, i);
        check_close(&mean, &(double){0}, 1, 0, tolerance, "mean, %s", backend->name);
        check_close(&variance, &(double){1}, 1, 0, tolerance, "variance, %s", backend->name);
    }
    free(x);
    free(c);
    flow_pass_free(pass);
    flow_free(f);
    json_decref(d);
}

Test(flow, init_from_data)
{
    for (size_t b = 0; flow_backend_at(b); b++) {
        check_init_data(flow_backend_at(b), "data_to_noise");
        check_init_data(flow_backend_at(b), "noise_to_data");
    }
}

/* No rows and flows that want none change nothing; a constant column gives finite parameters. */
Test(flow, init_from_little_data)
{
    enum { D = 2 };
    const double rows[3 * D] = {2.385, 0.3, 2.385, 0.7, 2.385, -1.9};
    json_t *d = describe_one(D, 0, "data_to_noise", json_pack("{s:s}", "kind", "actnorm"));
    flow *f = create(first_f64_backend(), d);
    randomise_parameters(f, 0.7, 3);
    double before[64], *now = flow_params(f);
    memcpy(before, now, flow_params_bytes(f));
    cr_assert_eq(flow_init_data(f, rows, NULL, 0, NULL), 0);
    check_same(now, before, flow_n_params(f), "no rows");
    for (size_t n = 1; n <= 3; n += 2) {
        cr_assert_eq(flow_init_data(f, rows, NULL, n, NULL), 0);
        for (size_t i = 0; i < flow_n_params(f); i++)
            cr_assert(isfinite(now[i]), "%zu rows: parameter %zu is %g", n, i, now[i]);
    }
    flow_free(f);
    json_decref(d);
    d = describe_one(D, 0, "data_to_noise", json_pack("{s:s}", "kind", "lu_linear"));
    f = create(first_f64_backend(), d);
    randomise_parameters(f, 0.7, 3);
    memcpy(before, flow_params(f), flow_params_bytes(f));
    cr_assert_eq(flow_init_data(f, rows, NULL, 3, NULL), 0);
    check_same(flow_params(f), before, flow_n_params(f), "a flow that wants no data");
    flow_free(f);
    json_decref(d);
}
