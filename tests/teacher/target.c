/* A flow as a target, and targets over whole batches. */
#include "teacher/target.h"
#include "tests/common/check.h"
#include "tests/common/examples.h"
#include "tests/common/gaussian.h"
#include "tests/common/sanitized.h"
#include "tests/common/spec.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const pcg_stream noise = {.seed = 57, .stage = PCG_TEST, .purpose = PCG_TARGET};

/* A flow of two blocks with random parameters. */
static flow *teacher(size_t dim, size_t context, flow_direction direction, const char *transformer,
                     flow_precision precision)
{
    static const size_t hidden[] = {13};
    flow_err err = FLOW_ERR_INIT;
    flow_spec spec = {.dim = dim,
                      .context = context,
                      .direction = direction,
                      .layers = 2,
                      .hidden = hidden,
                      .n_hidden = 1,
                      .residual = 1,
                      .activation = "gelu",
                      .transformer = transformer,
                      .bins = 5,
                      .bound = 3,
                      .scale_bound = 1.9,
                      .permute = FLOW_REVERSE,
                      .lu = 1};
    flow *f = flow_spec_create(&spec, precision, &err);
    cr_assert(f, "%s", err.text);
    randomise_parameters(f, 0.5, 5);
    return f;
}

/* ---- gradients of a flow's log-density, in both directions */

typedef struct point {
    const target *target;
    void *work;
    double *x, *context;
    size_t n;
} point;

static void log_densities(void *arg, double *out)
{
    const point *p = arg;
    flow_err err = FLOW_ERR_INIT;
    target_status status[FLOW_SHARD];
    int code = target_shard_log_density(p->target, out, NULL, status, p->x, p->context, p->n,
                                        p->work, &err);
    cr_assert_eq(code, 0, "%s", err.text);
}

static void check_flow_gradient(flow_direction direction, const char *transformer, size_t dim,
                                size_t context)
{
    enum { N = 21 };
    flow *f = teacher(dim, context, direction, transformer, FLOW_F64);
    target *t = target_from_flow(f, NULL);
    flow_pool *pool = flow_pool_create(1, NULL);
    double x[N * 5], c[N * 2], logp[N], plain[N], want[N], grad[N * 5], column[N];
    random_numbers(x, N * dim, 1.2, 1);
    random_numbers(c, N * context, 0.8, 2);
    point p = {.target = t, .work = t->ops->work_create(t, N, NULL), .x = x, .context = c, .n = N};
    cr_assert(t->dim == dim && t->context == context && t->log_z == 0 && *t->ops->name);
    target_status status[N];
    cr_assert_eq(target_shard_log_density(t, logp, grad, status, x, c, N, p.work, NULL), 0);
    log_densities(&p, plain);
    flow_log_prob(f, pool, want, NULL, x, c, N, NULL);
    check_same(plain, logp, N, "log-density without and with gradient");
    check_close(logp, want, N, 1e-13, 1e-13, "log-density");
    for (size_t i = 0; i < dim; i++) {
        moved m = {.values = log_densities, .arg = &p, .at = x + i, .n_at = N, .stride = dim};
        for (size_t r = 0; r < N; r++)
            column[r] = grad[r * dim + i];
        check_derivative(column, &m, N, 1e-6, "d log p / dx_%zu, direction %d, %s, D = %zu", i,
                         (int)direction, transformer, dim);
    }
    t->ops->work_free(t, p.work);
    target_free(t);
    flow_pool_free(pool);
    flow_free(f);
}

Test(target, gradient_of_a_flow)
{
    for (int d = 0; d < 2; d++)
        for (size_t dim = 1; dim <= 5; dim += 2)
            for (size_t context = 0; context <= 2; context += 2) {
                flow_direction direction = d ? FLOW_NOISE_TO_DATA : FLOW_DATA_TO_NOISE;
                check_flow_gradient(direction, "affine", dim, context);
                check_flow_gradient(direction, "spline", dim, context);
            }
}

/* ---- sampler and density belong together: E_p[x . grad log p] = -D and E_p[grad log p] = 0
 * (Stein's identity for f = x and f = 1), each within 4.5 standard errors: false alarm 7e-6 each,
 * 16 of them */

static void check_mean(const double *values, size_t n, double want, const char *what)
{
    double mean = 0, square = 0;
    for (size_t r = 0; r < n; r++)
        mean += values[r] / (double)n;
    for (size_t r = 0; r < n; r++)
        square += (values[r] - mean) * (values[r] - mean);
    double se = sqrt(square / (double)n / (double)n);
    cr_assert(se < 0.1, "%s: no power, standard error %g", what, se);
    cr_assert(fabs(mean - want) < 4.5 * se, "%s: mean %g, want %g, standard error %g", what, mean,
              want, se);
}

static void check_stein(const target *t, const char *what)
{
    enum { N = UNLESS_SANITIZED(20000, 3000) };
    size_t dim = t->dim;
    flow_pool *pool = flow_pool_create(1, NULL);
    double *x = malloc((2 * N * dim + 3 * N) * sizeof *x), *grad = x + N * dim;
    double *logp = grad + N * dim, *again = logp + N, *value = again + N;
    cr_assert_eq(target_sample(t, pool, x, logp, NULL, NULL, noise, 0, N, NULL), 0);
    cr_assert_eq(target_log_density(t, pool, again, grad, NULL, x, NULL, N, NULL), 0);
    check_close(logp, again, N, 1e-9, 1e-9, "%s: log-density of samples", what);
    for (size_t r = 0; r < N; r++)
        value[r] = 0;
    for (size_t i = 0; i < N * dim; i++)
        value[i / dim] += x[i] * grad[i];
    check_mean(value, N, -(double)dim, what);
    for (size_t i = 0; i < dim; i++) {
        for (size_t r = 0; r < N; r++)
            value[r] = grad[r * dim + i];
        check_mean(value, N, 0, what);
    }
    flow_pool_free(pool);
    free(x);
}

Test(target, samples_follow_the_density)
{
    for (int d = 0; d < 2; d++) {
        flow_direction direction = d ? FLOW_NOISE_TO_DATA : FLOW_DATA_TO_NOISE;
        flow *f = teacher(3, 0, direction, "affine", FLOW_F64);
        target *t = target_from_flow(f, NULL);
        check_stein(t, d ? "flow from noise to data" : "flow from data to noise");
        target_free(t);
        flow_free(f);
    }
    gaussian g;
    gaussian_init(&g, 3, lower3, mean3);
    check_stein(&g.base, "gaussian"); /* the test's own: it must keep what it promises, too */
    cr_assert_eq(atomic_load(&g.works), 0, "scratch was not freed");
}

/* ---- batches: any number of rows, any pool, the same bits */

static void check_batches(const target *t, const double *context)
{
    enum { N = 300 };
    static const struct {
        size_t threads, first, n;
    } parts[] = {{3, 0, 300}, {2, 0, 128}, {1, 0, 1}, {2, 150, 150}, {1, 5, 0}};
    size_t dim = t->dim, block = N * (2 * dim + 2);
    double *all = malloc(2 * block * sizeof *all), *part = all + block;
    flow_pool *pool = flow_pool_create(1, NULL);
    target_sample(t, pool, all, all + N * dim, NULL, context, noise, 0, N, NULL);
    target_log_density(t, pool, all + N * (dim + 1), all + N * (dim + 2), NULL, all, context, N,
                       NULL);
    flow_pool_free(pool);
    for (size_t p = 0; p < sizeof parts / sizeof parts[0]; p++) {
        size_t n = parts[p].n, first = parts[p].first;
        const double *c = context ? context + first * t->context : NULL;
        double *x = part, *logp = x + N * dim, *again = logp + N, *grad = again + N;
        pool = flow_pool_create(parts[p].threads, NULL);
        cr_assert_eq(target_sample(t, pool, x, logp, NULL, c, noise, first, n, NULL), 0);
        cr_assert_eq(target_log_density(t, pool, again, grad, NULL, x, c, n, NULL), 0);
        check_same(x, all + first * dim, n * dim, "samples, part %zu", p);
        check_same(logp, all + N * dim + first, n, "log-densities, part %zu", p);
        check_same(again, all + N * (dim + 1) + first, n, "log-densities again, part %zu", p);
        check_same(grad, all + N * (dim + 2) + first * dim, n * dim, "gradients, part %zu", p);
        flow_pool_free(pool);
    }
    free(all);
}

Test(target, batches)
{
    double context[2 * 300];
    random_numbers(context, 2 * 300, 0.8, 3);
    for (int d = 0; d < 4; d++) {
        flow_direction direction = d % 2 ? FLOW_NOISE_TO_DATA : FLOW_DATA_TO_NOISE;
        flow *f = teacher(3, 2, direction, "affine", d < 2 ? FLOW_F64 : FLOW_F32);
        target *t = target_from_flow(f, NULL);
        check_batches(t, context);
        target_free(t);
        flow_free(f);
    }
    gaussian g;
    gaussian_init(&g, 2, lower2, mean2);
    check_batches(&g.base, NULL);
}

/* What a target says about its failure reaches the caller, whichever thread it happened on; one that
 * says nothing is named. */
Test(target, failures_are_passed_on)
{
    enum { N = 5 * FLOW_SHARD };
    static const struct {
        int silent, code;
        const char *text;
    } ways[] = {{0, FLOW_EDATA, "the energy broke"},
                {FLOW_EIO, FLOW_EIO, "'gaussian' failed"},
                {3, FLOW_EDATA, "'gaussian' failed and did not say why (it returned 3)"}};
    double *x = malloc(3 * N * sizeof *x);
    random_numbers(x, 2 * N, 1.1, 4);
    for (size_t k = 0; k < 9; k++) {
        size_t threads = 1 + k / 3, way = k % 3;
        gaussian g;
        flow_err err = FLOW_ERR_INIT;
        flow_pool *pool = flow_pool_create(threads, NULL);
        gaussian_init(&g, 2, lower2, mean2);
        g.fail_after = 3;
        g.silent = ways[way].silent;
        cr_assert_eq(target_log_density(&g.base, pool, x + 2 * N, NULL, NULL, x, NULL, N, &err),
                     ways[way].code);
        cr_assert(err.code == ways[way].code && strstr(err.text, ways[way].text), "%s", err.text);
        cr_assert_eq(atomic_load(&g.works), 0, "scratch was not freed");
        cr_assert_eq(target_log_density(&g.base, pool, x + 2 * N, NULL, NULL, x, NULL, N, NULL),
                     ways[way].code, "without an error to fill");
        flow_pool_free(pool);
    }
    free(x);
    target_free(NULL);
}

/* ---- a target of which the test says how each row comes out: x_0 is the row's number */

enum { EARLIER, LATER };

typedef struct scripted {
    target base;
    size_t fails_at[2]; /* shards of these rows fail */
    atomic_int later;   /* has failed; the earlier one waits for that, as long as patience has it */
    int patience;       /* milliseconds */
    atomic_int inside;  /* calls at this moment */
    atomic_int met;     /* calls that were not alone */
} scripted;

static scripted *script_of(const target *self)
{
    return (scripted *)(uintptr_t)self;
}

static void *no_work(const target *self, size_t max_rows, flow_err *err)
{
    (void)max_rows, (void)err;
    return (void *)(uintptr_t)self;
}

static void no_work_free(const target *self, void *work)
{
    (void)self, (void)work;
}

static void scripted_free(target *self)
{
    (void)self;
}

/* Rows in turn: fine, no density, NaN, +inf, gradient NaN, gradient inf, and two that only the target
 * itself can tell about. */
static void play_row(double *logp, double *grad, target_status *status, size_t row)
{
    static const double values[] = {-1.5, -INFINITY, NAN, INFINITY, -1.5, -1.5, -1.5, -1.5};
    *logp = values[row % 8];
    if (grad) {
        grad[0] = row % 8 == 4 ? NAN : 0.25;
        grad[1] = row % 8 == 5 ? -INFINITY : 0.75;
    }
    if (row % 8 >= 6)
        *status = row % 8 == 6 ? TARGET_NO_DENSITY : TARGET_BROKEN;
}

static void pause_for(long nanoseconds)
{
    nanosleep(&(struct timespec){.tv_nsec = nanoseconds}, NULL);
}

static void play_failure(scripted *s, size_t which)
{
    if (which == LATER)
        atomic_store(&s->later, 1);
    for (int ms = 0; which == EARLIER && !atomic_load(&s->later) && ms < s->patience; ms++)
        pause_for(1000000);
}

static int scripted_log_density(const target *self, double *logp, double *grad,
                                target_status *status, const double *x, const double *context,
                                size_t n, void *work, flow_err *err)
{
    scripted *s = script_of(self);
    (void)context, (void)work;
    atomic_fetch_add(&s->met, atomic_fetch_add(&s->inside, 1) > 0);
    for (size_t r = 0; r < n; r++)
        play_row(&logp[r], grad ? grad + 2 * r : NULL, &status[r], (size_t)x[2 * r]);
    pause_for(10000);
    atomic_fetch_sub(&s->inside, 1);
    for (size_t k = 0; k < 2; k++)
        if ((double)s->fails_at[k] >= x[0] && (double)s->fails_at[k] <= x[2 * n - 2]) {
            play_failure(s, k);
            return flow_fail(err, FLOW_EDATA, "failed at row %zu", s->fails_at[k]);
        }
    return 0;
}

static const target_ops scripted_ops = {
    .name = "scripted",
    .free = scripted_free,
    .work_create = no_work,
    .work_free = no_work_free,
    .log_density = scripted_log_density,
};

static scripted script(unsigned flags)
{
    return (scripted){.base = {.ops = &scripted_ops, .dim = 2, .flags = flags},
                      .fails_at = {SIZE_MAX, SIZE_MAX}};
}

enum { ROWS = 20 * FLOW_SHARD };
static double numbered[2 * ROWS], out_logp[ROWS], out_grad[2 * ROWS];
static target_status out_status[ROWS];

static void number_rows(void)
{
    for (size_t r = 0; r < ROWS; r++)
        numbered[2 * r] = (double)r;
}

/* Eight ways for a row to come out, with and without gradient, by any number of threads. */
Test(target, rows_are_told_apart)
{
    static const target_status want[] = {TARGET_FINITE,     TARGET_NO_DENSITY, TARGET_BROKEN,
                                         TARGET_BROKEN,     TARGET_BROKEN,     TARGET_BROKEN,
                                         TARGET_NO_DENSITY, TARGET_BROKEN};
    number_rows();
    for (size_t threads = 1; threads <= 3; threads++)
        for (int with = 0; with <= 1; with++) {
            scripted s = script(TARGET_GRADIENT | TARGET_THREADS);
            flow_pool *pool = flow_pool_create(threads, NULL);
            cr_assert_eq(target_log_density(&s.base, pool, out_logp, with ? out_grad : NULL,
                                            out_status, numbered, NULL, ROWS, NULL),
                         0);
            for (size_t r = 0; r < ROWS; r++) {
                target_status w = want[r % 8];
                if (!with && (r % 8 == 4 || r % 8 == 5))
                    w = TARGET_FINITE; /* nobody asked for what is broken */
                cr_assert_eq(out_status[r], w, "row %zu: %d", r, (int)out_status[r]);
                cr_assert((out_logp[r] == -INFINITY) == (w == TARGET_NO_DENSITY), "row %zu", r);
                double g0 = w == TARGET_FINITE ? 0.25 : 0, g1 = w == TARGET_FINITE ? 0.75 : 0;
                if (with)
                    cr_assert(out_grad[2 * r] == g0 && out_grad[2 * r + 1] == g1, "row %zu", r);
            }
            flow_pool_free(pool);
        }
}

/* Of two shards that fail the first is told, though threads may come to the other one earlier. */
Test(target, first_failure_is_told)
{
    number_rows();
    for (size_t threads = 1; threads <= 4; threads++)
        for (size_t first = 0; first < ROWS; first += 5 * FLOW_SHARD + 3) {
            scripted s = script(TARGET_THREADS);
            flow_err err = FLOW_ERR_INIT;
            char want[64];
            flow_pool *pool = flow_pool_create(threads, NULL);
            s.fails_at[LATER] = ROWS - 1;
            s.fails_at[EARLIER] = first;
            s.patience = threads > 1 ? 20 : 0;
            snprintf(want, sizeof want, "failed at row %zu", first);
            cr_assert_eq(
                target_log_density(&s.base, pool, out_logp, NULL, NULL, numbered, NULL, ROWS, &err),
                FLOW_EDATA);
            cr_assert_str_eq(err.text, want, "%zu threads: %s", threads, err.text);
            flow_pool_free(pool);
        }
}

/* Without TARGET_THREADS no two calls meet. */
Test(target, one_call_at_a_time)
{
    number_rows();
    scripted s = script(TARGET_GRADIENT);
    flow_pool *pool = flow_pool_create(4, NULL);
    for (size_t k = 0; k < 50; k++)
        cr_assert_eq(
            target_log_density(&s.base, pool, out_logp, out_grad, NULL, numbered, NULL, ROWS, NULL),
            0);
    cr_assert_eq(atomic_load(&s.met), 0, "%d calls were not alone", atomic_load(&s.met));
    flow_pool_free(pool);
}

/* ---- stored draws */

Test(target, stored_draws)
{
    enum { STORED = 150, N = 400 };
    gaussian g;
    double stored[2 * STORED], x[2 * N], logp[N], want[N];
    gaussian_init(&g, 2, lower2, mean2);
    g.base.flags &= ~(unsigned)TARGET_THREADS; /* a lock within: it must not wait for itself */
    g.base.log_z = -0.75;
    gaussian_take_sampler_away(&g);
    random_numbers(stored, 2 * STORED, 1.3, 8);
    flow_err err = FLOW_ERR_INIT;
    flow_pool *pool = flow_pool_create(2, NULL);
    target *t = target_with_draws(&g.base, stored, STORED, &err);
    cr_assert(t && t->draws == STORED && t->log_z == -0.75 && t->dim == 2);
    for (uint64_t first = 0; first <= 370; first += 37) {
        cr_assert_eq(target_sample(t, pool, x, logp, out_status, NULL, noise, first, N, &err), 0);
        gaussian_log_density(&g, want, x, NULL, N);
        for (size_t r = 0; r < N; r++)
            check_same(x + 2 * r, stored + (first + r) % STORED * 2, 2, "row %zu", r);
        check_same(logp, want, N, "their log-densities");
    }
    check_batches(t, NULL);
    target_rows wide = {.stream = noise, .widen = 0.1, .widen_by = 2};
    cr_assert_eq(target_shard_sample(t, x, logp, out_status, NULL, &wide, 1, NULL, &err),
                 FLOW_ECONFIG);
    cr_assert(strstr(err.text, "stored draws") && strstr(err.text, "widen"), "%s", err.text);
    target_free(t);
    g.base.context = 1;
    cr_assert(!target_with_draws(&g.base, stored, STORED, &err) && err.code == FLOW_ECONFIG);
    cr_assert_eq(atomic_load(&g.works), 0, "scratch was not freed");
    flow_pool_free(pool);
}
