/* Distillation: the gradient of the first step against closed forms, and what is reached. Targets are
 * Gaussians (tests/common/gaussian.h) and a random MAF. How a run goes on and ends is in
 * distill_course.c. */
#include "student/distill.h"
#include "flow/lanes.h"
#include "tests/common/check.h"
#include "tests/common/distilling.h"
#include "tests/common/examples.h"
#include "tests/common/gaussian.h"
#include "tests/common/sanitized.h"
#include "tests/common/spec.h"

#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

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
    distilling r = {.teacher = &g.base, .options = distilling_options(), .threads = 2};
    r.student = scales_and_shifts(2, precision);
    r.options.steps = 1;
    r.options.batch = UNLESS_SANITIZED(200000, 50000);
    r.options.gradient = estimator;
    r.options.forward = r.options.forward_end = lambda;
    r.options.temper = beta;
    r.options.warmup = 0;
    cr_assert_eq(distilling_run(&r), 0, "%s", r.err.text);
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
        distilling r = {.teacher = &g.base, .options = distilling_options()};
        r.student = scales_and_shifts(2, FLOW_F64);
        r.options.steps = 1;
        r.options.batch = 100000;
        r.options.forward = r.options.forward_end = 0.5 * k;
        r.options.widen = 0.15 * k; /* not in the figure */
        r.options.widen_by = 3;
        cr_assert_eq(distilling_run(&r), 0);
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

/* The diagonal Gaussian nearest to .4 N(0, I) + .6 N(0, 4 I) has variances of 2.8. */
Test(distill, widened_samples_widen_the_student)
{
    const double unit[] = {1, 0, 0, 1}, zero[] = {0, 0}, want = 0.5 * log(2.8);
    gaussian g;
    gaussian_init(&g, 2, unit, zero);
    distilling r = {.teacher = &g.base, .options = distilling_options()};
    r.student = scales_and_shifts(2, FLOW_F64);
    r.options.batch = UNLESS_SANITIZED(2000, 500);
    r.options.forward = r.options.forward_end = 1;
    r.options.widen = 0.6;
    r.options.widen_by = 2;
    cr_assert_eq(distilling_run(&r), 0, "%s", r.err.text);
    double s[2];
    flow_tensor_get(r.student, s, 0);
    for (size_t i = 0; i < 2; i++) /* without the factor it would be 0, with all rows .69 */
        check_close(&s[i], &want, 1, 0, 0.03, "log scale %zu", i);
    flow_free(r.student);
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
            distilling r = {.teacher = &g.base, .options = distilling_options()};
            r.student = student_iaf(&g.base, FLOW_F64);
            r.options.steps = 1;
            r.options.gradient = (distill_gradient)e;
            r.options.forward = r.options.forward_end = 0.5 * mixed;
            cr_assert_eq(distilling_run(&r), 0);
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

static distilling chosen(double s, size_t batch, size_t late_batch)
{
    gaussian g;
    const double zero[] = {0};
    gaussian_init(&g, 1, &s, zero);
    distilling r = {.teacher = &g.base, .options = distilling_options(), .threads = 2};
    r.student = scales_and_shifts(1, FLOW_F64);
    r.options.steps = 1;
    r.options.batch = batch;
    r.options.late_batch = late_batch;
    r.options.gradient = DISTILL_AUTO;
    cr_assert_eq(distilling_run(&r), 0);
    flow_free(r.student);
    r.student = NULL;
    r.teacher = NULL;
    return r;
}

Test(distill, the_quieter_estimator_is_chosen)
{
    const double widths[] = {3, 1.2, 0.8};
    const distill_gradient want[] = {DISTILL_TOTAL, DISTILL_PATH, DISTILL_PATH};
    /* lanes of equal and of unequal numbers of rows, and some that only late batches use */
    const size_t batches[] = {2048 * FLOW_MAX_LANES, 2500, 1100}, late[] = {1, 1, 2};
    for (size_t j = 0; j < 9; j++) {
        size_t k = j / 3;
        distilling r = chosen(widths[k], batches[j % 3], late[j % 3]);
        double p = 1 / (widths[k] * widths[k]), exact = p * p / (1 - p) / (1 - p);
        double ratio = r.state.spread_total / r.state.spread_path;
        cr_assert_eq(r.state.gradient, want[k], "s = %g: %d", widths[k], (int)r.state.gradient);
        /* two variances from 16 lanes of two numbers each: a factor of 4 is 4 deviations */
        cr_assert(ratio < 4 * exact && ratio > exact / 4, "s = %g: ratio %g, want %g", widths[k],
                  ratio, exact);
    }
    distilling r = chosen(3, 16, 1); /* one lane has no spread: nothing is measured */
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
        distilling r = {.teacher = &g.base, .options = distilling_options()};
        r.student = student_iaf(&g.base, FLOW_F32);
        r.options.gradient = (distill_gradient)e;
        cr_assert_eq(distilling_run(&r), 0, "%s", r.err.text);
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
        distilling r = {.teacher = t, .options = distilling_options()};
        r.student = student_iaf(t, FLOW_F32);
        r.options.forward = 0.5 * k;
        r.options.forward_end = 0.5 * k;
        cr_assert_eq(distilling_run(&r), 0, "%s", r.err.text);
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
        distilling r = {.teacher = &g.base,
                        .options = distilling_options(),
                        .contexts = {.rows = data_numbers_of(contexts, 1), .n = N},
                        .threads = 2};
        r.student = student_iaf(&g.base, FLOW_F64);
        r.options.forward = r.options.forward_end = 0.4 * k;
        cr_assert_eq(distilling_run(&r), 0, "%s", r.err.text);
        check_kl(&r, 0, 0.01);
        check_kl(&r, 1, 0.01);
        flow_free(r.student);
    }
}

/* Near the target, whatever its log Z, no slopes are asked for; one that is far goes on as before. */
Test(distill, no_slopes_where_it_is_near)
{
    const double widths[] = {1.05, 0.3}, zero[] = {0};
    for (int far = 0; far <= 1; far++) {
        gaussian g;
        gaussian_init(&g, 1, widths + far, zero);
        g.base.log_z = 5.2;
        distilling r = {.teacher = &g.base, .options = distilling_options()};
        r.student = scales_and_shifts(1, FLOW_F64);
        r.options.lr = 1e-9;
        r.options.batch = 1000;
        r.options.steps = DISTILL_PROBE + 1;
        r.options.gradient = DISTILL_AUTO;
        cr_assert_eq(distilling_run(&r), 0, "%s", r.err.text);
        cr_expect_eq(r.state.gradient == DISTILL_LOG_VARIANCE, !far, "width %g: %d", widths[far],
                     (int)r.state.gradient);
        flow_free(r.student);
    }
}
