#include "tests/common/distilling.h"

#include "tests/common/examples.h"
#include "tests/common/sanitized.h"
#include "tests/common/spec.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>

distill_options distilling_options(void)
{
    return (distill_options){.batch = 256,
                             .steps = 800,
                             .lr = 0.01,
                             .warmup = 20,
                             .schedule = FLOW_COSINE,
                             .clip = 10,
                             .gradient = DISTILL_PATH,
                             .temper = 1,
                             .temper_until = 0.5,
                             .late_batch = 1,
                             .late_from = 1,
                             .seed = 77};
}

flow *scales_and_shifts(size_t dim, flow_precision precision)
{
    flow_err err = FLOW_ERR_INIT;
    json_t *d = describe_one(dim, 0, "noise_to_data", json_pack("{s:s}", "kind", "actnorm"));
    flow *f = flow_create(d, precision, &err);
    cr_assert(f, "%s", err.text);
    json_decref(d);
    return f;
}

flow *student_iaf(const target *t, flow_precision precision)
{
    return student_affine(t, FLOW_NOISE_TO_DATA, precision);
}

flow *student_affine(const target *t, flow_direction direction, flow_precision precision)
{
    static const size_t hidden[] = {19};
    flow_err err = FLOW_ERR_INIT;
    flow_spec spec = {.dim = t->dim,
                      .context = t->context,
                      .direction = direction,
                      .layers = 2,
                      .hidden = hidden,
                      .n_hidden = 1,
                      .activation = "silu",
                      .transformer = "affine",
                      .scale_bound = 3,
                      .permute = FLOW_REVERSE};
    flow *f = flow_spec_create(&spec, precision, &err);
    cr_assert(f, "%s", err.text);
    return f;
}

static int watch(void *arg, const distill_state *state)
{
    distilling_history *h = arg;
    cr_assert_lt(h->n, 64);
    h->states[h->n++] = *state;
    return h->n == h->stop_at;
}

int distilling_run(distilling *r)
{
    flow_pool *pool = flow_pool_create(r->threads ? r->threads : 1, NULL);
    r->err = (flow_err)FLOW_ERR_INIT;
    int code = student_distill(r->student, &r->state, pool, r->teacher,
                               r->contexts.n ? &r->contexts : NULL, &r->options, watch, &r->history,
                               &r->err);
    cr_assert_eq(code, r->err.code, "returned %d, wrote %d: %s", code, r->err.code, r->err.text);
    cr_assert(code == 0 || *r->err.text);
    flow_pool_free(pool);
    return code;
}

static double standard_error(const double *values, size_t n, double mean)
{
    double square = 0;
    for (size_t r = 0; r < n; r++)
        square += (values[r] - mean) * (values[r] - mean);
    return sqrt(square) / (double)n;
}

void check_kl(const distilling *r, int forward, double bound)
{
    enum { N = UNLESS_SANITIZED(40000, 4000) };
    const pcg_stream noise = {.seed = 5, .stage = PCG_TEST, .purpose = PCG_BASE};
    size_t dim = r->teacher->dim, c = r->teacher->context;
    double *x = malloc(N * (dim + c + 2) * sizeof *x), *context = x + N * dim;
    double *logq = context + N * c, *logp = logq + N, mean = 0;
    flow_pool *pool = flow_pool_create(1, NULL);
    for (size_t i = 0; i < N * c; i++)
        context[i] = data_number(&r->contexts.rows, i / c % r->contexts.n, i % c);
    if (forward) {
        target_sample(r->teacher, pool, x, logp, NULL, context, noise, 0, N, NULL);
        flow_log_prob(r->student, pool, logq, NULL, x, context, N, NULL);
    } else {
        flow_sample(r->student, pool, x, logq, context, noise, 0, N, NULL);
        target_log_density(r->teacher, pool, logp, NULL, NULL, x, context, N, NULL);
    }
    for (size_t i = 0; i < N; i++) {
        logq[i] = (forward ? -1 : 1) * (logq[i] - (logp[i] - r->teacher->log_z));
        mean += logq[i] / N;
    }
    double se = standard_error(logq, N, mean);
    cr_assert(se < 0.1 * bound * UNLESS_SANITIZED(1, 4), "standard error %g", se);
    cr_assert(mean < bound && mean > -4.5 * se, "KL %g +- %g, want below %g", mean, se, bound);
    flow_pool_free(pool);
    free(x);
}
