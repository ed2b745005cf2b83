/* A flow as a target, and targets over whole batches. */
#include "teacher/target.h"
#include "tests/common/check.h"
#include "tests/common/examples.h"
#include "tests/common/gaussian.h"
#include "tests/common/sanitized.h"
#include "tests/common/spec.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

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
    int code =
        p->target->ops->log_density(p->target, out, NULL, p->x, p->context, p->n, p->work, &err);
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
    cr_assert_eq(t->ops->log_density(t, logp, grad, x, c, N, p.work, NULL), 0);
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
    cr_assert_eq(target_sample(t, pool, x, logp, NULL, noise, 0, N, NULL), 0);
    cr_assert_eq(target_log_density(t, pool, again, grad, x, NULL, N, NULL), 0);
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
    target_sample(t, pool, all, all + N * dim, context, noise, 0, N, NULL);
    target_log_density(t, pool, all + N * (dim + 1), all + N * (dim + 2), all, context, N, NULL);
    flow_pool_free(pool);
    for (size_t p = 0; p < sizeof parts / sizeof parts[0]; p++) {
        size_t n = parts[p].n, first = parts[p].first;
        const double *c = context ? context + first * t->context : NULL;
        double *x = part, *logp = x + N * dim, *again = logp + N, *grad = again + N;
        pool = flow_pool_create(parts[p].threads, NULL);
        cr_assert_eq(target_sample(t, pool, x, logp, c, noise, first, n, NULL), 0);
        cr_assert_eq(target_log_density(t, pool, again, grad, x, c, n, NULL), 0);
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

/* What a target says about its failure reaches the caller, whichever thread it happened on. */
Test(target, failures_are_passed_on)
{
    enum { N = 5 * FLOW_SHARD };
    double *x = malloc(3 * N * sizeof *x);
    random_numbers(x, 2 * N, 1.1, 4);
    for (size_t threads = 1; threads <= 3; threads++) {
        gaussian g;
        flow_err err = FLOW_ERR_INIT;
        flow_pool *pool = flow_pool_create(threads, NULL);
        gaussian_init(&g, 2, lower2, mean2);
        g.fail_after = 3;
        cr_assert_eq(target_log_density(&g.base, pool, x + 2 * N, NULL, x, NULL, N, &err),
                     FLOW_EDATA);
        cr_assert(err.code == FLOW_EDATA && strstr(err.text, "the energy broke"), "%s", err.text);
        cr_assert_eq(atomic_load(&g.works), 0, "scratch was not freed");
        flow_pool_free(pool);
    }
    free(x);
    target_free(NULL);
}
