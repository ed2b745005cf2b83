/* Distillation: the gradient of the first step against closed forms, what is reached, and how a run
 * ends early. Targets are Gaussians (tests/common/gaussian.h) and a random MAF. */
#include "student/distill.h"
#include "flow/lanes.h"
#include "student/iaf.h"
#include "tests/common/check.h"
#include "tests/common/examples.h"
#include "tests/common/gaussian.h"
#include "tests/common/sanitized.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Sigma = lower lower^T and what follows from it by hand. */
static const double lower2[] = {0.8, 0, 0.5, 1.2}, mean2[] = {0.7, -0.4};
static const double lower3[] = {1.3, 0, 0, 0.7, 0.6, 0, -0.4, 0.5, 0.9}, mean3[] = {0.3, -0.2, 0.1};

static distill_options usual(void)
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

/* y = x e^s + b: a student whose gradients are known. */
static flow *scales_and_shifts(size_t dim, flow_precision precision)
{
    flow_err err = FLOW_ERR_INIT;
    json_t *d = describe_one(dim, 0, "noise_to_data", json_pack("{s:s}", "kind", "actnorm"));
    flow *f = flow_create(d, precision, &err);
    cr_assert(f, "%s", err.text);
    json_decref(d);
    return f;
}

static flow *iaf(const target *t, flow_precision precision)
{
    static const size_t hidden[] = {19};
    flow_err err = FLOW_ERR_INIT;
    flow_spec spec = {.dim = t->dim,
                      .context = t->context,
                      .layers = 2,
                      .hidden = hidden,
                      .n_hidden = 1,
                      .activation = "silu",
                      .transformer = "affine",
                      .scale_bound = 3,
                      .permute = FLOW_REVERSE};
    flow *f = iaf_create(&spec, precision, &err);
    cr_assert(f, "%s", err.text);
    return f;
}

/* What a watch saw; asks to stop at the call number stop_at, counted from 1. */
typedef struct history {
    distill_state states[64];
    size_t n, stop_at;
} history;

static int watch(void *arg, const distill_state *state)
{
    history *h = arg;
    cr_assert_lt(h->n, 64);
    h->states[h->n++] = *state;
    return h->n == h->stop_at;
}

typedef struct run {
    flow *student;
    const target *teacher;
    distill_options options;
    distill_contexts contexts;
    size_t threads;
    distill_state state;
    history history;
    flow_err err;
} run;

static int distill(run *r)
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

/* KL(q || p) or, from the target's own samples, KL(p || q), in nats, with an error below a tenth of
 * the bound that it must stay under. */
static void check_kl(const run *r, int forward, double bound)
{
    enum { N = UNLESS_SANITIZED(40000, 4000) };
    const pcg_stream noise = {.seed = 5, .stage = PCG_TEST, .purpose = PCG_BASE};
    size_t dim = r->teacher->dim, c = r->teacher->context;
    double *x = malloc(N * (dim + c + 2) * sizeof *x), *context = x + N * dim;
    double *logq = context + N * c, *logp = logq + N, mean = 0;
    flow_pool *pool = flow_pool_create(1, NULL);
    for (size_t i = 0; i < N * c; i++)
        context[i] = r->contexts.rows[i % (r->contexts.n * c)];
    if (forward) {
        target_sample(r->teacher, pool, x, logp, context, noise, 0, N, NULL);
        flow_log_prob(r->student, pool, logq, NULL, x, context, N, NULL);
    } else {
        flow_sample(r->student, pool, x, logq, context, noise, 0, N, NULL);
        target_log_density(r->teacher, pool, logp, NULL, x, context, N, NULL);
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

/* ---- the first step of a student that starts as N(0, I). With P = Sigma^-1:
 *
 *   reverse KL(q || p^beta)   d/db = -beta P m         d/ds_i = beta P_ii - 1
 *   forward KL(p || q)        d/db = -m                d/ds_i = 1 - Sigma_ii - m_i^2 */

static void exact_gradient(double *ds, double *db, double lambda, double beta)
{
    const double sigma[] = {0.64, 0.40, 0.40, 1.69}, det = 0.64 * 1.69 - 0.16;
    const double p[] = {1.69 / det, -0.40 / det, -0.40 / det, 0.64 / det};
    for (size_t i = 0; i < 2; i++) {
        double pm = p[2 * i] * mean2[0] + p[2 * i + 1] * mean2[1];
        db[i] = -(1 - lambda) * beta * pm - lambda * mean2[i];
        ds[i] = (1 - lambda) * (beta * p[3 * i] - 1) +
                lambda * (1 - sigma[3 * i] - mean2[i] * mean2[i]);
    }
}

static void check_first_step(distill_gradient estimator, double lambda, double beta,
                             flow_precision precision)
{
    gaussian g;
    gaussian_init(&g, 2, lower2, mean2);
    g.base.log_z = 3.7;
    run r = {.teacher = &g.base, .options = usual(), .threads = 2};
    r.student = scales_and_shifts(2, precision);
    r.options.steps = 1;
    r.options.batch = UNLESS_SANITIZED(200000, 50000);
    r.options.gradient = estimator;
    r.options.forward = r.options.forward_end = lambda;
    r.options.temper = beta;
    r.options.warmup = 0;
    cr_assert_eq(distill(&r), 0, "%s", r.err.text);
    double ds[2], db[2], got_ds[2], got_db[2];
    exact_gradient(ds, db, lambda, beta);
    double norm = sqrt(ds[0] * ds[0] + ds[1] * ds[1] + db[0] * db[0] + db[1] * db[1]);
    /* a row's gradient has a standard deviation of up to 5 in all: .011, 4.5 of them (7e-6) */
    double error = 4.5 * 5 / sqrt((double)r.options.batch);
    check_close(&r.state.gradient_norm, &norm, 1, 0, error,
                "gradient, estimator %d, lambda %g, beta %g", (int)estimator, lambda, beta);
    /* the first step of Adam is lr against the sign of each derivative */
    flow_tensor_get(r.student, got_ds, 0);
    flow_tensor_get(r.student, got_db, 1);
    for (size_t i = 0; i < 2; i++) {
        if (fabs(ds[i]) > error)
            check_close(&got_ds[i], &(double){ds[i] > 0 ? -0.01 : 0.01}, 1, 1e-4, 0, "scale %zu",
                        i);
        if (fabs(db[i]) > error)
            check_close(&got_db[i], &(double){db[i] > 0 ? -0.01 : 0.01}, 1, 1e-4, 0, "shift %zu",
                        i);
    }
    cr_assert_eq(r.state.gradient, estimator);
    cr_assert_eq(r.state.rows, r.options.batch);
    cr_assert_eq(atomic_load(&g.works), 0, "scratch was not freed");
    flow_free(r.student);
}

Test(distill, first_step_follows_the_objective)
{
    for (int e = DISTILL_TOTAL; e <= DISTILL_PATH; e++) {
        distill_gradient estimator = (distill_gradient)e;
        check_first_step(estimator, 0, 1, FLOW_F64);
        check_first_step(estimator, 0, 1, FLOW_F32);
        check_first_step(estimator, 0, 0.37, FLOW_F64);
        check_first_step(estimator, 1, 1, FLOW_F64);
        check_first_step(estimator, 1, 1, FLOW_F32);
        check_first_step(estimator, 0.3, 1, FLOW_F64);
        check_first_step(estimator, 0.6, 0.71, FLOW_F64);
    }
}

/* The figures of the first step: KL(q || p) - log Z and KL(p || q) + log Z of two Gaussians. */
Test(distill, first_figures)
{
    const double sigma_trace = 0.64 + 1.69, det = 0.64 * 1.69 - 0.16;
    const double square = mean2[0] * mean2[0] + mean2[1] * mean2[1];
    const double mpm =
        (1.69 * mean2[0] * mean2[0] - 0.80 * mean2[0] * mean2[1] + 0.64 * mean2[1] * mean2[1]) /
        det;
    double reverse = 0.5 * (sigma_trace / det + mpm - 2 + log(det)) - 3.7;
    double forward = 0.5 * (sigma_trace + square - 2 - log(det)) + 3.7;
    for (int k = 0; k < 3; k++) {
        gaussian g;
        gaussian_init(&g, 2, lower2, mean2);
        g.base.log_z = 3.7;
        run r = {.teacher = &g.base, .options = usual()};
        r.student = scales_and_shifts(2, FLOW_F64);
        r.options.steps = 1;
        r.options.batch = 100000;
        r.options.forward = r.options.forward_end = 0.5 * k;
        cr_assert_eq(distill(&r), 0);
        /* log p - log q has a standard deviation below 2: .0063, 4.5 of them */
        if (k < 2)
            check_close(&r.state.kl_reverse, &reverse, 1, 0, 0.03, "reverse figure");
        else
            cr_assert(isnan(r.state.kl_reverse));
        if (k > 0)
            check_close(&r.state.kl_forward, &forward, 1, 0, 0.03, "forward figure");
        else
            cr_assert(isnan(r.state.kl_forward));
        cr_assert_eq(r.history.n, 1);
        cr_assert(memcmp(&r.history.states[0], &r.state, sizeof r.state) == 0);
        flow_free(r.student);
    }
}

/* At q = p every row's path gradient is zero; the total one only on average, and so is the forward
 * term's, of which there is one kind. */
Test(distill, path_gradient_vanishes_at_the_optimum)
{
    const double unit[] = {1, 0, 0, 1}, zero[] = {0, 0};
    for (int e = DISTILL_TOTAL; e <= DISTILL_PATH; e++)
        for (int mixed = 0; mixed <= 1; mixed++) {
            gaussian g;
            gaussian_init(&g, 2, unit, zero);
            run r = {.teacher = &g.base, .options = usual()};
            r.student = iaf(&g.base, FLOW_F64);
            r.options.steps = 1;
            r.options.gradient = (distill_gradient)e;
            r.options.forward = r.options.forward_end = 0.5 * mixed;
            cr_assert_eq(distill(&r), 0);
            if (e == DISTILL_PATH && !mixed)
                cr_assert_lt(r.state.gradient_norm, 1e-13, "path: %g", r.state.gradient_norm);
            else
                cr_assert_gt(r.state.gradient_norm, 1e-3, "estimator %d, forward term %d: %g", e,
                             mixed, r.state.gradient_norm);
            flow_free(r.student);
        }
}

/* ---- which estimator is chosen. For N(0, s^2) and a student N(0, 1) in one dimension the
 * variances of the gradient are 3 P^2 (total) and 3 (1 - P)^2 (path), P = s^-2. */

static run chosen(double s, size_t batch)
{
    gaussian g;
    const double zero[] = {0};
    gaussian_init(&g, 1, &s, zero);
    run r = {.teacher = &g.base, .options = usual(), .threads = 2};
    r.student = scales_and_shifts(1, FLOW_F64);
    r.options.steps = 1;
    r.options.batch = batch;
    r.options.gradient = DISTILL_AUTO;
    cr_assert_eq(distill(&r), 0);
    flow_free(r.student);
    r.student = NULL;
    r.teacher = NULL;
    return r;
}

Test(distill, the_quieter_estimator_is_chosen)
{
    const double widths[] = {3, 1.2, 0.8};
    const distill_gradient want[] = {DISTILL_TOTAL, DISTILL_PATH, DISTILL_PATH};
    for (size_t k = 0; k < 3; k++) {
        run r = chosen(widths[k], 2048 * FLOW_MAX_LANES);
        double p = 1 / (widths[k] * widths[k]), exact = p * p / (1 - p) / (1 - p);
        double ratio = r.state.spread_total / r.state.spread_path;
        cr_assert_eq(r.state.gradient, want[k], "s = %g: %d", widths[k], (int)r.state.gradient);
        /* two variances from 16 lanes of two numbers each: a factor of 4 is 4 deviations */
        cr_assert(ratio < 4 * exact && ratio > exact / 4, "s = %g: ratio %g, want %g", widths[k],
                  ratio, exact);
    }
    run r = chosen(3, 16); /* one lane has no spread: nothing is measured */
    cr_assert(isnan(r.state.spread_total) && isnan(r.state.spread_path));
    cr_assert_eq(r.state.gradient, DISTILL_PATH);
}

/* ---- what is reached */

Test(distill, gaussian_without_a_sampler)
{
    for (int e = DISTILL_TOTAL; e <= DISTILL_AUTO; e++) {
        gaussian g;
        gaussian_init(&g, 3, lower3, mean3);
        gaussian_take_sampler_away(&g);
        g.base.log_z = -2.385;
        run r = {.teacher = &g.base, .options = usual()};
        r.student = iaf(&g.base, FLOW_F32);
        r.options.gradient = (distill_gradient)e;
        cr_assert_eq(distill(&r), 0, "%s", r.err.text);
        check_kl(&r, 0, 0.01);
        cr_assert(r.state.step == 800 && r.state.skipped == 0 && r.state.zero_density == 0);
        cr_assert_eq(atomic_load(&g.works), 0, "scratch was not freed");
        flow_free(r.student);
    }
}

/* A MAF of random weights, from its own samples (forward), the student's (reverse) and both. */
Test(distill, masked_autoregressive_teacher)
{
    static const size_t hidden[] = {11};
    flow_spec spec = {.dim = 2,
                      .direction = FLOW_DATA_TO_NOISE,
                      .layers = 1,
                      .hidden = hidden,
                      .n_hidden = 1,
                      .activation = "tanh",
                      .transformer = "affine",
                      .scale_bound = 2,
                      .lu = 1};
    flow *teacher = flow_spec_create(&spec, FLOW_F64, NULL);
    randomise_parameters(teacher, 0.6, 9);
    target *t = target_from_flow(teacher, NULL);
    for (int k = 0; k < 3; k++) {
        run r = {.teacher = t, .options = usual()};
        r.student = iaf(t, FLOW_F32);
        r.options.forward = 0.5 * k;
        r.options.forward_end = 0.5 * k;
        cr_assert_eq(distill(&r), 0, "%s", r.err.text);
        check_kl(&r, 0, 0.01);
        check_kl(&r, 1, 0.01);
        flow_free(r.student);
    }
    target_free(t);
    flow_free(teacher);
}

/* N(.25 + 2 c, .5^2) at 50 contexts. */
Test(distill, conditional)
{
    enum { N = 50 };
    const double lower[] = {0.5}, mean[] = {0.25};
    double contexts[N];
    random_numbers(contexts, N, 0.8, 4);
    for (int k = 0; k < 2; k++) {
        gaussian g;
        gaussian_init(&g, 1, lower, mean);
        g.base.context = 1;
        g.gain = 2;
        run r = {.teacher = &g.base,
                 .options = usual(),
                 .contexts = {.rows = contexts, .n = N},
                 .threads = 2};
        r.student = iaf(&g.base, FLOW_F64);
        r.options.forward = r.options.forward_end = 0.4 * k;
        cr_assert_eq(distill(&r), 0, "%s", r.err.text);
        check_kl(&r, 0, 0.01);
        check_kl(&r, 1, 0.01);
        flow_free(r.student);
    }
}

/* ---- the same bits for any number of threads, with everything switched on */

Test(distill, threads_do_not_matter)
{
    enum { N = 50 };
    double contexts[N];
    random_numbers(contexts, N, 0.8, 4);
    flow *first = NULL;
    distill_state want;
    for (size_t threads = 1; threads <= 3; threads++) {
        gaussian g;
        gaussian_init(&g, 3, lower3, mean3);
        g.base.context = 1;
        g.gain = -0.6;
        run r = {.teacher = &g.base,
                 .options = usual(),
                 .contexts = {.rows = contexts, .n = N},
                 .threads = threads};
        r.student = iaf(&g.base, FLOW_F32);
        r.options.steps = 205;
        r.options.batch = 100;
        r.options.shard = 16;
        r.options.gradient = DISTILL_AUTO;
        r.options.forward = 0.2;
        r.options.forward_end = 0.6;
        r.options.temper = 0.3;
        r.options.late_batch = 3;
        r.options.late_from = 0.9;
        r.options.average = 0.97;
        r.options.weight_decay = 1e-3;
        cr_assert_eq(distill(&r), 0, "%s", r.err.text);
        if (!first) {
            first = r.student;
            want = r.state;
            continue;
        }
        cr_assert(memcmp(flow_params(r.student), flow_params(first), flow_params_bytes(first)) == 0,
                  "%zu threads give other weights", threads);
        check_same(&r.state.kl_reverse, &want.kl_reverse, 1, "reverse figure");
        check_same(&r.state.kl_forward, &want.kl_forward, 1, "forward figure");
        check_same(&r.state.spread_path, &want.spread_path, 1, "spread");
        flow_free(r.student);
    }
    flow_free(first);
}

/* ---- schedules */

/* A short run of the student of scales and shifts; its state is in the history, too. */
static run short_run(const double *s, distill_options options)
{
    gaussian g;
    const double zero[] = {0};
    gaussian_init(&g, 1, s, zero);
    run r = {.teacher = &g.base, .options = options};
    r.student = scales_and_shifts(1, FLOW_F64);
    cr_assert_eq(distill(&r), 0, "%s", r.err.text);
    r.teacher = NULL;
    return r;
}

Test(distill, watched_in_steps_of_a_probe)
{
    distill_options options = usual();
    options.steps = 2 * DISTILL_PROBE + 50;
    options.batch = 16;
    run r = short_run(&(double){0.7}, options);
    cr_assert_eq(r.history.n, 3);
    cr_assert_eq(r.history.states[0].step, DISTILL_PROBE);
    cr_assert_eq(r.history.states[1].step, 2 * DISTILL_PROBE);
    cr_assert_eq(r.history.states[2].step, 2 * DISTILL_PROBE + 50);
    cr_assert_eq(r.state.rows, 16 * r.state.step);
    flow_free(r.student);
}

Test(distill, late_batches)
{
    distill_options options = usual();
    options.steps = 10;
    options.batch = 40;
    options.late_batch = 3;
    options.late_from = 0.6;
    run r = short_run(&(double){0.7}, options);
    cr_assert_eq(r.state.rows, 6 * 40 + 4 * 120);
    flow_free(r.student);
}

/* lambda goes from its first to its last value in a straight line. */
Test(distill, forward_share)
{
    for (size_t steps = 1; steps <= 9; steps += 4) {
        distill_options options = usual();
        options.steps = steps;
        options.forward = 0.2;
        options.forward_end = 0.9;
        run r = short_run(&(double){0.7}, options);
        double want = steps == 1 ? 0.2 : 0.9;
        check_close(&r.state.lambda, &want, 1, 1e-14, 0, "lambda after %zu steps", steps);
        flow_free(r.student);
    }
}

/* With weights p^beta / q that are even enough beta rises by its largest factor, from .5 to .9766
 * in three steps, and not beyond 1. The line that it must not stay behind is far away. */
Test(distill, temperature_follows_the_sample)
{
    distill_options options = usual();
    options.temper = 0.5;
    options.temper_until = 1e9;
    for (size_t steps = 1; steps <= 5; steps++) {
        options.steps = steps;
        double want = fmin(1, 0.5 * pow(1.25, (double)steps));
        run r = short_run(&(double){1}, options);
        check_close(&r.state.beta, &want, 1, 1e-12, 0, "beta after %zu steps", steps);
        flow_free(r.student);
    }
}

/* For N(0, 1 / 70) under samples of N(0, 1) the effective share is sqrt(1 + 2 a) / (1 + a) with a =
 * 70 beta - 1: one half at beta = (4 + sqrt 12) / 70 = .10663, between .1 and its largest rise. */
Test(distill, temperature_stops_at_half_the_sample)
{
    distill_options options = usual();
    options.steps = 1;
    options.batch = UNLESS_SANITIZED(400000, 100000);
    options.temper = 0.1;
    options.temper_until = 1e9;
    run r = short_run(&(double){1 / sqrt(70)}, options);
    /* the share is known to .005 at 100000 rows and falls by 2 per unit of beta: 4.5 of them */
    double want = (4 + sqrt(12)) / 70, error = 4.5 * 0.0025 * sqrt(1e5 / (double)options.batch);
    check_close(&r.state.beta, &want, 1, 0, error, "beta");
    flow_free(r.student);
}

/* A student that does not move and a target that it covers badly: beta follows the line in its
 * logarithm. */
Test(distill, temperature_is_never_late)
{
    distill_options options = usual();
    options.steps = 5 * DISTILL_PROBE;
    options.batch = 64;
    options.temper = 0.04;
    options.temper_until = 0.8;
    options.lr = 1e-12;
    gaussian g;
    gaussian_init(&g, 1, &(double){0.01}, &(double){9.7});
    run r = {.teacher = &g.base, .options = options};
    r.student = scales_and_shifts(1, FLOW_F64);
    cr_assert_eq(distill(&r), 0, "%s", r.err.text);
    for (size_t k = 0; k < 5; k++) {
        double want = k < 3 ? pow(0.04, 1 - 0.25 * ((double)k + 1)) : 1;
        check_close(&r.history.states[k].beta, &want, 1, 1e-10, 0, "beta after %zu probes", k + 1);
    }
    flow_free(r.student);
}

/* From a hot start to the right answer. */
Test(distill, tempered)
{
    gaussian g;
    gaussian_init(&g, 3, lower3, mean3);
    run r = {.teacher = &g.base, .options = usual()};
    r.student = iaf(&g.base, FLOW_F32);
    r.options.temper = 0.1;
    cr_assert_eq(distill(&r), 0, "%s", r.err.text);
    cr_assert_eq(r.state.beta, 1);
    for (size_t k = 1; k < r.history.n; k++)
        cr_assert_geq(r.history.states[k].beta, r.history.states[k - 1].beta);
    check_kl(&r, 0, 0.01);
    flow_free(r.student);
}

/* The learning rate of the last step: a warm-up, then half a cosine. */
Test(distill, learning_rate)
{
    distill_options options = usual();
    options.steps = 3;
    options.warmup = 8;
    run r = short_run(&(double){0.7}, options);
    check_close(&r.state.lr, &(double){0.01 * 3 / 8}, 1, 1e-13, 0, "warm-up");
    flow_free(r.student);
    options.steps = 11;
    options.warmup = 1;
    r = short_run(&(double){0.7}, options);
    check_close(&r.state.lr, &(double){0.005 * (1 + cos(acos(-1) * 0.9))}, 1, 1e-13, 0, "cosine");
    flow_free(r.student);
}

/* The running median of the norms is known after 16 steps. */
Test(distill, clipping_against_the_median)
{
    distill_options options = usual();
    options.steps = 30;
    options.clip = 1e-4;
    run r = short_run(&(double){0.7}, options);
    cr_assert_eq(r.state.clipped, 14, "%zu clipped", r.state.clipped);
    flow_free(r.student);
    options.clip = 0;
    r = short_run(&(double){0.7}, options);
    cr_assert_eq(r.state.clipped, 0);
    flow_free(r.student);
}

/* One step: the average is half-way between the start, which is zero, and the step of lr. */
Test(distill, averaged_weights)
{
    distill_options options = usual();
    double scale;
    options.steps = 1;
    options.warmup = 0;
    options.batch = 20000;
    options.average = 0.9;
    run r = short_run(&(double){0.5}, options);
    flow_tensor_get(r.student, &scale, 0);
    check_close(&scale, &(double){-0.005}, 1, 1e-6, 0, "average of the scale");
    flow_free(r.student);
}

/* ---- where the target has no density */

/* N(0, 1) above a wall w. Rows below are counted and take no part; the others give the derivatives
 * E[x; x > w] = phi(w) and E[x^2 - 1; x > w] = w phi(w). */
Test(distill, rows_without_density)
{
    enum { N = 100000 };
    const double w = 0.3, phi = exp(-0.5 * w * w) / sqrt(2 * acos(-1));
    gaussian g;
    gaussian_init(&g, 1, &(double){1}, &(double){0});
    g.wall = w;
    run r = {.teacher = &g.base, .options = usual(), .threads = 2};
    r.student = scales_and_shifts(1, FLOW_F64);
    r.options.steps = 1;
    r.options.batch = N;
    r.options.gradient = DISTILL_TOTAL;
    cr_assert_eq(distill(&r), 0, "%s", r.err.text);
    double norm = phi * sqrt(1 + w * w), below = 0.5 * erfc(-w / sqrt(2)) * N;
    check_close(&r.state.gradient_norm, &norm, 1, 0, 4.5 * 1.5 / sqrt(N), "gradient");
    check_close(&(double){(double)r.state.zero_density}, &below, 1, 0, 4.5 * 0.5 * sqrt(N),
                "rows below the wall");
    flow_free(r.student);
    g.wall = 1e9; /* nothing left at all */
    for (int e = DISTILL_TOTAL; e <= DISTILL_AUTO; e++) {
        r = (run){.teacher = &g.base, .options = usual()};
        r.student = iaf(&g.base, FLOW_F32);
        r.options.steps = 3;
        r.options.batch = 64;
        r.options.temper = 0.5;
        r.options.gradient = (distill_gradient)e;
        cr_assert_eq(distill(&r), 0, "%s", r.err.text);
        cr_assert(r.state.zero_density == 3 * 64 && r.state.gradient_norm == 0);
        flow_free(r.student);
    }
}

/* Half of the target's density cut off: training goes on, and the student stays a density. */
Test(distill, half_a_gaussian)
{
    gaussian g;
    gaussian_init(&g, 2, lower2, mean2);
    g.wall = 0.2;
    run r = {.teacher = &g.base, .options = usual()};
    r.student = iaf(&g.base, FLOW_F32);
    r.options.steps = 300;
    cr_assert_eq(distill(&r), 0, "%s", r.err.text);
    cr_assert(r.state.skipped == 0 && isfinite(r.state.kl_reverse));
    cr_assert(r.state.zero_density > 0 && r.state.zero_density < r.state.rows);
    flow_free(r.student);
}

/* ---- how it ends early */

Test(distill, forward_term_needs_a_sampler)
{
    for (int k = 0; k < 2; k++) {
        gaussian g;
        gaussian_init(&g, 2, lower2, mean2);
        gaussian_take_sampler_away(&g);
        run r = {.teacher = &g.base, .options = usual()};
        r.student = iaf(&g.base, FLOW_F32);
        *(k ? &r.options.forward_end : &r.options.forward) = 0.1;
        cr_assert_eq(distill(&r), FLOW_ECONFIG);
        cr_assert(strstr(r.err.text, "forward") && strstr(r.err.text, "sampl"), "%s", r.err.text);
        flow_free(r.student);
    }
}

Test(distill, stopped_by_its_watcher)
{
    gaussian g;
    gaussian_init(&g, 3, lower3, mean3);
    run r = {.teacher = &g.base, .options = usual(), .history = {.stop_at = 2}, .threads = 2};
    r.student = iaf(&g.base, FLOW_F32);
    r.options.average = 0.95;
    cr_assert_eq(distill(&r), FLOW_ESTOPPED);
    cr_assert(r.state.step == 2 * DISTILL_PROBE && r.history.n == 2);
    check_kl(&r, 0, 0.1); /* as good as it got: it began at .8 */
    cr_assert_eq(atomic_load(&g.works), 0, "scratch was not freed");
    flow_free(r.student);
}

static size_t steps_seen;

static int stop_after_five(void)
{
    return ++steps_seen == 5;
}

/* Asked after every step; nothing has been watched by then. */
Test(distill, stopped_between_probes)
{
    gaussian g;
    gaussian_init(&g, 3, lower3, mean3);
    run r = {.teacher = &g.base, .options = usual(), .threads = 2};
    r.student = iaf(&g.base, FLOW_F32);
    r.options.stop = stop_after_five;
    cr_assert_eq(distill(&r), FLOW_ESTOPPED);
    cr_assert(steps_seen == 5 && r.state.step == 5 && r.state.rows == 5 * 256);
    cr_assert_eq(r.history.n, 0);
    cr_assert_eq(atomic_load(&g.works), 0, "scratch was not freed");
    flow_free(r.student);
}

/* What the target says about its failure reaches the caller, whichever thread it happened on. */
Test(distill, target_that_breaks)
{
    for (size_t threads = 1; threads <= 3; threads++) {
        gaussian g;
        gaussian_init(&g, 3, lower3, mean3);
        g.fail_after = 11;
        run r = {.teacher = &g.base, .options = usual(), .threads = threads};
        r.student = iaf(&g.base, FLOW_F32);
        cr_assert_eq(distill(&r), FLOW_EDATA);
        cr_assert(strstr(r.err.text, "the energy broke"), "%s", r.err.text);
        cr_assert_eq(atomic_load(&g.works), 0, "scratch was not freed");
        flow_free(r.student);
    }
}

/* Never silence with weights that are not finite. */
static void check_destroyed(double lr, size_t steps)
{
    gaussian g;
    gaussian_init(&g, 3, lower3, mean3);
    run r = {.teacher = &g.base, .options = usual()};
    r.student = iaf(&g.base, FLOW_F32);
    r.options.steps = steps;
    r.options.lr = lr;
    r.options.warmup = 0;
    int code = distill(&r), finite = 1;
    const float *weights = flow_params(r.student);
    for (size_t i = 0; i < flow_n_params(r.student); i++)
        finite &= isfinite(weights[i]) != 0;
    cr_assert(code == FLOW_EDIVERGED || (code == 0 && finite), "lr %g, %zu steps: code %d", lr,
              steps, code);
    cr_assert(code == 0 || r.state.skipped > 0);
    flow_free(r.student);
}

Test(distill, absurd_learning_rates)
{
    check_destroyed(NAN, 200);
    check_destroyed(1e30, 200);
    check_destroyed(1e5, 200);
    check_destroyed(1e30, 20);
}
