/* Densities and samples of flows on every base, in both directions: gradients through base and layers
 * against central differences. */
#include "flow/flow.h"
#include "tests/common/backends.h"
#include "tests/common/bases.h"
#include "tests/common/check.h"
#include "tests/common/examples.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const pcg_stream noise = {.seed = 577, .stage = PCG_TEST, .purpose = PCG_BASE};

enum { MOST = 5 }; /* rows, dimensions */

typedef struct density_case {
    flow *flow;
    flow_pass *pass;
    char name[160];
    size_t dim, n;
    double x[MOST * MOST], z[MOST * MOST], dx[MOST * MOST], logq[MOST], dlogq[MOST];
    flow_gradient gradient;
} density_case;

/* x is made from the base's own noise, so that no row lies where there is no density. */
static void open_case(density_case *c, const flow_backend *backend, size_t example, size_t dim,
                      flow_direction direction)
{
    *c = (density_case){.dim = dim, .n = dim == 2 ? 1 : MOST};
    c->flow = flow_on_base(backend, example, dim, 2, direction);
    c->pass = flow_pass_create(c->flow, c->n, FLOW_PASS_TRAIN, NULL);
    c->gradient.block = aligned_alloc(64, (flow_params_bytes(c->flow) + 63) / 64 * 64);
    memset(c->gradient.block, 0x7f, flow_params_bytes(c->flow)); /* the first backward writes it */
    snprintf(c->name, sizeof c->name, "%s, D = %zu, direction %d, %s", base_text(example), dim,
             (int)direction, backend->name);
    random_numbers(c->dx, c->n * dim, 0.8, 5);
    random_numbers(c->dlogq, c->n, 1.3, 6);
    flow_noise(c->flow, NULL, c->z, noise, 0, c->n);
    flow_pass_transport(c->pass, NULL, c->x, c->logq, c->z, NULL, c->n);
}

static void close_case(density_case *c)
{
    flow_pass_free(c->pass);
    free(c->gradient.block);
    flow_free(c->flow);
}

/* Every example in D = 1, 2, 5 and both directions, or in the second alone. */
static void for_each_case(int both, void (*check)(density_case *c))
{
    static const size_t dims[] = {1, 2, 5};
    for (size_t i = 0; i < base_count() * 6; i++) {
        density_case c;
        flow_direction direction = i % 2 ? FLOW_NOISE_TO_DATA : FLOW_DATA_TO_NOISE;
        if (!both && direction == FLOW_DATA_TO_NOISE)
            continue;
        open_case(&c, first_f64_backend(), i / 6, dims[i / 2 % 3], direction);
        check(&c);
        close_case(&c);
    }
}

/* Parameters that a tensor can set; the others take no part. */
static char *live_parameters(flow *f)
{
    size_t n = flow_n_params(f), bytes = flow_params_bytes(f);
    double *theta = flow_params(f), *kept = malloc(bytes);
    char *live = malloc(n);
    memcpy(kept, theta, bytes);
    memset(theta, 0, bytes);
    randomise_parameters(f, 1, 12);
    for (size_t i = 0; i < n; i++)
        live[i] = theta[i] != 0;
    memcpy(theta, kept, bytes);
    free(kept);
    return live;
}

/* Twice into one block: the first call writes it, the second one adds. */
static void check_parameters(density_case *c, void (*loss)(void *arg, double *out),
                             const char *what)
{
    double *theta = flow_params(c->flow);
    const double *twice = c->gradient.block;
    char *live = live_parameters(c->flow);
    size_t count = 0;
    for (size_t i = 0; i < flow_n_params(c->flow); i++) {
        count += (size_t)live[i];
        if (!live[i])
            continue;
        moved m = {.values = loss, .arg = c, .at = theta + i, .n_at = 1, .stride = 1};
        double got = twice[i] / 2;
        check_derivative(&got, &m, 1, 1e-6, "%s by parameter %zu, %s", what, i, c->name);
    }
    cr_assert_eq(count, flow_n_weights(c->flow), "%s: %zu live", c->name, count);
    free(live);
}

/* ---- at fixed x */

static void rows_of_log_q(void *arg, double *out)
{
    density_case *c = arg;
    flow_pass_log_prob(c->pass, NULL, out, c->z, c->x, NULL, c->n);
}

static void weighted_log_q(void *arg, double *out)
{
    density_case *c = arg;
    rows_of_log_q(c, c->logq);
    *out = 0;
    for (size_t r = 0; r < c->n; r++)
        *out += c->dlogq[r] * c->logq[r];
}

static void check_in_x(density_case *c, const double *got, const double *factor, const char *what)
{
    for (size_t i = 0; i < c->dim; i++) {
        double column[MOST];
        moved m = {
            .values = rows_of_log_q, .arg = c, .at = c->x + i, .n_at = c->n, .stride = c->dim};
        for (size_t r = 0; r < c->n; r++)
            column[r] = got[r * c->dim + i] / (factor ? factor[r] : 1);
        check_derivative(column, &m, c->n, 1e-6, "%s %zu, %s", what, i, c->name);
    }
}

static void check_density(density_case *c)
{
    double score[MOST * MOST], after[MOST * MOST], dx[MOST * MOST];
    flow_pass_density_score(c->pass, NULL, after); /* the pass is as transport left it */
    rows_of_log_q(c, c->logq);
    flow_pass_density_score(c->pass, NULL, score);
    check_close(after, score, c->n * c->dim, 1e-8, 1e-8, "score after transport, %s", c->name);
    flow_pass_density_backward(c->pass, NULL, dx, &c->gradient, c->dlogq);
    flow_pass_density_backward(c->pass, NULL, NULL, &c->gradient, c->dlogq);
    check_in_x(c, score, NULL, "score");
    check_in_x(c, dx, c->dlogq, "d log q");
    rows_of_log_q(c, c->logq);
    flow_pass_density_backward(c->pass, NULL, score, NULL, c->dlogq);
    check_same(score, dx, c->n * c->dim, "frozen, %s", c->name);
    check_parameters(c, weighted_log_q, "log q");
}

Test(density, gradients_at_fixed_x)
{
    for_each_case(1, check_density);
}

/* ---- of samples, their random numbers fixed. Of a mixture of many, pull is a mean over components and
 * no derivative of one draw: tests/flow/base.c has the mean. */

static void loss_of_samples(void *arg, double *out)
{
    density_case *c = arg;
    flow_noise(c->flow, NULL, c->z, noise, 0, c->n);
    flow_pass_transport(c->pass, NULL, c->x, c->logq, c->z, NULL, c->n);
    *out = 0;
    for (size_t r = 0; r < c->n; r++)
        *out += c->dlogq[r] * c->logq[r];
    for (size_t i = 0; i < c->n * c->dim; i++)
        *out += c->dx[i] * c->x[i];
}

static int draws_jump(const density_case *c)
{
    return strstr(c->name, "mixture") && !strstr(c->name, "\"components\": 1,");
}

static void check_samples(density_case *c)
{
    double loss;
    if (draws_jump(c))
        return;
    loss_of_samples(c, &loss);
    flow_pass_sample_backward(c->pass, NULL, &c->gradient, c->dx, c->dlogq);
    flow_pass_sample_backward(c->pass, NULL, &c->gradient, c->dx, c->dlogq);
    check_parameters(c, loss_of_samples, "samples");
    memset(c->dlogq, 0, sizeof c->dlogq);
    c->gradient.filled = 0;
    loss_of_samples(c, &loss);
    flow_pass_sample_backward(c->pass, NULL, &c->gradient, c->dx, NULL);
    flow_pass_sample_backward(c->pass, NULL, &c->gradient, c->dx, c->dlogq);
    check_parameters(c, loss_of_samples, "samples alone");
}

Test(density, gradients_of_samples)
{
    for_each_case(0, check_samples);
}

/* A path gradient may leave out E_q[d log q/dparams, x fixed] = 0 unless flow_has_edge: on the box, with
 * x = z e^s + b, it is -1 for s. */
Test(density, the_score_of_parameters_has_mean_zero_but_for_edges)
{
    enum { N = 100 };
    size_t edges = 0;
    for (size_t e = 0; e < base_count(); e++) {
        json_t *d = describe_one(1, 0, "noise_to_data", json_pack("{s:s}", "kind", "actnorm"));
        json_object_set_new(d, "base", base_example(e));
        flow *f = flow_create_on(first_f64_backend(), d, SIZE_MAX, NULL);
        if (!f) { /* a circle has no scale */
            cr_assert(strstr(base_text(e), "circles"));
            json_decref(d);
            continue;
        }
        flow_pass *pass = flow_pass_create(f, N, FLOW_PASS_TRAIN, NULL);
        double z[N], x[N], logq[N], mean = 0, square = 0, s[64], dlogq = 1;
        flow_gradient one = {.block = aligned_alloc(64, flow_params_bytes(f) / 64 * 64 + 64)};
        for (size_t r = 0; r < 40 * N; r++) {
            flow_noise(f, NULL, z, noise, r, 1);
            flow_pass_transport(pass, NULL, x, logq, z, NULL, 1);
            one.filled = 0;
            flow_pass_density_backward(pass, NULL, NULL, &one, &dlogq);
            memcpy(s, one.block, sizeof *s);
            mean += s[0] / (40 * N);
            square += s[0] * s[0] / (40 * N);
        }
        double error = sqrt((square - mean * mean) / (40 * N)), want = -(double)flow_has_edge(f);
        check_close(&mean, &want, 1, 0, 4.5 * error + 1e-12, "%s", base_text(e)); /* 7e-6 */
        edges += (size_t)flow_has_edge(f);
        free(one.block);
        flow_pass_free(pass);
        flow_free(f);
        json_decref(d);
    }
    cr_assert_eq(edges, 1);
}

Test(density, only_learned_weights_have_no_path)
{
    size_t refused = 0;
    for (size_t e = 0; e < base_count(); e++) {
        flow_err err = FLOW_ERR_INIT;
        flow *f = flow_on_base(first_f64_backend(), e, 2, 0, FLOW_NOISE_TO_DATA);
        int code = flow_check_path(f, &err), learned = strstr(base_text(e), "learned\"") != NULL;
        cr_assert_eq(code, learned ? FLOW_ECONFIG : 0, "%s: %d", base_text(e), code);
        cr_assert(!learned || strstr(err.text, "base.logit"), "%s", err.text);
        refused += (size_t)learned;
        flow_free(f);
        f = flow_on_base(first_f64_backend(), e, 2, 0, FLOW_DATA_TO_NOISE);
        err = (flow_err)FLOW_ERR_INIT;
        cr_assert(flow_check_path(f, &err) && strstr(err.text, "made by its inverse"), "%s",
                  err.text);
        flow_free(f);
    }
    cr_assert_eq(refused, 1);
}

/* ---- the numbers of a standard normal are those of the layers with -z written by hand */

Test(density, standard_normal_by_hand)
{
    for (int direction = 0; direction < 2; direction++) {
        density_case c;
        double minus[MOST], score[MOST * MOST], got[MOST * MOST], dx[MOST * MOST];
        open_case(&c, first_f64_backend(), 0, 5, (flow_direction)direction);
        for (size_t r = 0; r < c.n; r++)
            minus[r] = -1;
        rows_of_log_q(&c, c.logq);
        for (size_t i = 0; i < c.n * c.dim; i++)
            score[i] = direction == FLOW_DATA_TO_NOISE ? c.z[i] : -c.z[i];
        if (direction == FLOW_DATA_TO_NOISE)
            flow_pass_backward(c.pass, NULL, dx, NULL, score, minus);
        else
            flow_pass_score(c.pass, NULL, score, score);
        for (size_t i = 0; i < c.n * c.dim && direction == FLOW_NOISE_TO_DATA; i++)
            dx[i] = -score[i];
        flow_pass_density_backward(c.pass, NULL, got, NULL, minus);
        check_same(got, dx, c.n * c.dim, "direction %d", direction);
        close_case(&c);
    }
}

/* ---- whole batches */

Test(density, samples_are_transported_noise)
{
    enum { N = 300 };
    flow_pool *pool = flow_pool_create(2, NULL);
    double *z = malloc(N * 8 * sizeof *z), *x = z + N * 2, *y = x + N * 2, *logp = y + N * 2;
    for (size_t e = 0; e < base_count(); e++) {
        flow *f = flow_on_base(first_f64_backend(), e, 2, 1, FLOW_NOISE_TO_DATA);
        flow_noise(f, NULL, z, noise, 4, N);
        flow_transport(f, pool, x, logp, z, NULL, N, NULL);
        flow_sample(f, pool, y, logp + N, NULL, noise, 4, N, NULL);
        check_same(y, x, N * 2, "%s", base_text(e));
        check_same(logp + N, logp, N, "log q, %s", base_text(e));
        flow_free(f);
    }
    free(z);
    flow_pool_free(pool);
}

/* ---- every backend, and another precision */

ParameterizedTestParameters(density, backends_agree)
{
    return every_backend();
}

/* f32 rounds to 6e-8; two layers and a sum over five rows magnify that a few hundred times. */
ParameterizedTest(size_t *b, density, backends_agree)
{
    const flow_backend *backend = flow_backend_at(*b);
    const double tolerance = backend->precision == FLOW_F64 ? 1e-10 : 1e-4;
    for (size_t e = 0; e < base_count(); e++) {
        density_case want, got;
        open_case(&want, first_f64_backend(), e, 5, FLOW_NOISE_TO_DATA);
        open_case(&got, backend, e, 5, FLOW_NOISE_TO_DATA);
        check_close(got.z, want.z, got.n * 5, 1e-12, 1e-12, "noise, %s", got.name);
        check_close(got.logq, want.logq, got.n, tolerance, tolerance, "log q, %s", got.name);
        flow_pass_sample_backward(want.pass, NULL, &want.gradient, want.dx, want.dlogq);
        flow_pass_sample_backward(got.pass, NULL, &got.gradient, got.dx, got.dlogq);
        for (size_t i = 0; i < flow_n_params(want.flow); i++) {
            base_view g = {got.gradient.block, backend->precision};
            double value = base_get(g, i);
            check_close(&value, (const double *)want.gradient.block + i, 1, 10 * tolerance,
                        10 * tolerance, "derivative %zu, %s", i, got.name);
        }
        close_case(&want);
        close_case(&got);
    }
}

static void check_same_tensors(const flow *got, const flow *want, const char *text)
{
    cr_assert_eq(flow_n_tensors(got), flow_n_tensors(want), "%s", text);
    for (size_t t = 0; t < flow_n_tensors(want); t++) {
        flow_tensor_info a, b;
        double x[256], y[256];
        flow_tensor(want, &a, t);
        flow_tensor(got, &b, t);
        cr_assert(strcmp(a.name, b.name) == 0 && a.rows == b.rows && a.cols == b.cols, "%s", text);
        flow_tensor_get(want, x, t);
        flow_tensor_get(got, y, t);
        check_same(y, x, a.rows * (a.cols ? a.cols : 1), "%s: %s", text, a.name);
    }
}

Test(density, converted_and_back)
{
    for (size_t e = 0; e < base_count(); e++) {
        flow *f = flow_on_base(first_f64_backend(), e, 3, 1, FLOW_DATA_TO_NOISE);
        flow *single = flow_convert(f, FLOW_F32, NULL),
             *back = flow_convert(single, FLOW_F64, NULL);
        check_same_tensors(back, f, base_text(e));
        flow_free(f);
        flow_free(single);
        flow_free(back);
    }
}

/* ---- where the base lies, and how it starts */

Test(density, a_base_moves_no_layer)
{
    flow *plain = flow_on_base(first_f64_backend(), 0, 3, 2, FLOW_DATA_TO_NOISE);
    flow_init(plain, noise);
    for (size_t e = 1; e < base_count(); e++) {
        flow *f = flow_on_base(first_f64_backend(), e, 3, 2, FLOW_DATA_TO_NOISE);
        if (flow_circles(f)) { /* these have layers of their own */
            flow_free(f);
            continue;
        }
        flow_init(f, noise);
        cr_assert_geq(flow_n_params(f), flow_n_params(plain));
        cr_assert_eq(flow_n_params(f) - flow_n_params(plain),
                     flow_n_weights(f) - flow_n_weights(plain));
        check_same(flow_params(f), flow_params(plain), flow_n_params(plain), "%s", base_text(e));
        flow_free(f);
    }
    flow_free(plain);
}

Test(density, components_start_apart)
{
    flow *f = flow_on_base(first_f64_backend(), 5, 2, 0, FLOW_DATA_TO_NOISE);
    double shift[6], scale[6], logit[3];
    flow_init(f, noise);
    flow_tensor_get(f, shift, 0);
    flow_tensor_get(f, scale, 1);
    flow_tensor_get(f, logit, 2);
    cr_assert(largest_of(shift, 6) > 0.5 && largest_of(shift, 6) <= 1.7);
    for (size_t i = 0; i < 6; i++)
        for (size_t j = 0; j < i; j++)
            cr_assert_neq(shift[i], shift[j]);
    cr_assert_eq(largest_of(scale, 6) + largest_of(logit, 3), 0);
    pcg rng = pcg_at(noise, (uint64_t)1 << 63, 1); /* the row that flow.h names */
    for (size_t i = 0; i < 6; i++)
        check_close(shift + i, &(double){1.7 * (2 * pcg_uniform(&rng) - 1)}, 1, 1e-15, 0, "draw");
    flow_free(f);
}

Test(density, more_weights_than_a_file_has)
{
    flow_err err = FLOW_ERR_INIT;
    json_t *d = describe_one(4, 0, "data_to_noise", json_array());
    json_object_set_new(d, "base", base_example(1));
    cr_assert_null(flow_create_within(d, FLOW_F32, 7, &err));
    cr_assert_eq(err.code, FLOW_EDATA, "%s", err.text);
    flow *f = flow_create_within(d, FLOW_F32, 8, &err);
    cr_assert(f);
    cr_assert_eq(flow_n_weights(f), 8);
    flow_free(f);
    json_decref(d);
}
