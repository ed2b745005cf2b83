/* Students that have no draws of their target: three modes ten widths apart, found from a wide start by every objective
 * that is made for it. */
#include "flow/unroll.h"
#include "student/distill_check.h"
#include "student/objective.h"
#include "student/term_weighed.h"
#include "tests/common/distilling.h"
#include "tests/common/far_modes.h"
#include "tests/common/gaussian.h"

#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

static void train_flow(distilling *r, flow *student, const char *objective, size_t steps)
{
    json_t *description = json_loads(objective, 0, NULL);
    cr_assert(description);
    r->options = distilling_options();
    r->options.objective = description;
    r->options.gradient = DISTILL_LOG_VARIANCE;
    r->options.steps = steps;
    r->options.lr = 3e-3;
    r->options.average = 0.99;
    r->student = student;
    cr_assert_eq(distilling_run(r), 0, "%s", r->err.text);
    cr_assert_eq(r->state.zero_density + r->state.skipped, 0);
    json_decref(description);
}

static void train(distilling *r, const char *objective, size_t steps)
{
    train_flow(r, far_modes_student(), objective, steps);
}

/* Shares within .02, and the density where the target is; evaluations are those of the buffers. */
static void check_found(const char *objective, size_t steps, double kl, size_t evaluations)
{
    target *t = far_modes_create();
    distilling r = {.teacher = t};
    train(&r, objective, steps);
    check_far_modes(r.student, 0.02);
    check_kl(&r, 1, kl);
    cr_assert(r.state.ess > 0.5, "effective share %g", r.state.ess);
    cr_assert_eq(r.state.evaluations, evaluations, "%zu evaluations", r.state.evaluations);
    flow_free(r.student);
    target_free(t);
}

Test(own_samples, mass_transport)
{
    check_found("{\"kind\": \"mass_transport\"}", 1200, 0.15, 38 * 8192);
}

Test(own_samples, mass_transport_with_polish)
{
    check_found("{\"kind\": \"mass_transport\", \"polish\": 0.25}", 1200, 0.15,
                29 * 8192 + 300 * 256);
}

Test(own_samples, importance)
{
    check_found("{\"kind\": \"importance\", \"widen\": 0.1}", 1200, 0.15, 38 * 8192);
}

/* A MAF learns on its own samples, too, where rows stay; and what is unrolled from it is as good. */
Test(own_samples, of_a_flow_that_is_parallel_the_other_way_round)
{
    const flow_unrolling how = {.iterations = 2, .tied = true, .width = 1};
    target *t = far_modes_create();
    distilling r = {.teacher = t};
    train_flow(&r, far_modes_flow(FLOW_DATA_TO_NOISE),
               "{\"kind\": \"mass_transport\", \"polish\": 0.25}", 1200);
    check_far_modes(r.student, 0.02);
    check_kl(&r, 1, 0.15);
    flow *maf = r.student;
    r.student = flow_unroll(maf, &how, FLOW_F32, &r.err);
    cr_assert(r.student, "%s", r.err.text);
    check_far_modes(r.student, 0.02);
    check_kl(&r, 0, 0.15);
    flow_free(r.student);
    flow_free(maf);
    target_free(t);
}

/* A gradient through its samples it has none. */
static void check_refused(distill_gradient gradient, int refused)
{
    target *t = far_modes_create();
    flow *maf = far_modes_flow(FLOW_DATA_TO_NOISE);
    distill_options o = distilling_options();
    flow_err err = FLOW_ERR_INIT;
    o.gradient = gradient;
    cr_assert_eq(student_distillation_check(maf, t, &o, &err), refused ? FLOW_ECONFIG : 0, "%s",
                 err.text);
    cr_assert(!refused || strstr(err.text, "set student.train.gradient to log_variance"), "%s",
              err.text);
    flow_free(maf);
    target_free(t);
}

Test(own_samples, no_gradient_goes_through_an_inverse)
{
    check_refused(DISTILL_TOTAL, 1);
    check_refused(DISTILL_PATH, 1);
    check_refused(DISTILL_AUTO, 0);
    check_refused(DISTILL_LOG_VARIANCE, 0);
}

Test(own_samples, fab)
{
    check_found("{\"kind\": \"fab\", \"chains\": 512}", 1000, 0.15, 125 * 512 * 16);
}

/* The means of the weights of annealed rows: the integral of p^2 / q, whatever the chains do on their way. For
 * p = N(m, s^2) and q = N(0, 1), with A = 1 / s^2 - 1 / 2: e^(m^2 / (s^4 A) - m^2 / s^2) / (s^2 sqrt(2 A)) in
 * each column. */
static double integral(double m, double s)
{
    double a = 1 / (s * s) - 0.5;
    return exp(m * m / (pow(s, 4) * a) - m * m / (s * s)) / (s * s * sqrt(2 * a));
}

Test(own_samples, weights_of_annealed_rows)
{
    enum { N = 20000 };
    gaussian g;
    flow_pool *pool = flow_pool_create(2, NULL);
    flow *student = scales_and_shifts(2, FLOW_F64);
    flow_err err = FLOW_ERR_INIT;
    gaussian_init(&g, 2, (double[]){0.6, 0, 0, 0.9}, (double[]){0.7, -0.4});
    json_t *description = json_pack("{s:s, s:i, s:i, s:i, s:i}", "kind", "fab", "chains", (int)N,
                                    "buffer", (int)N, "betas", 5, "leaps", 3);
    distill_options o = distilling_options();
    o.objective = description;
    objective_terms terms;
    cr_assert_eq(objective_make_terms(&terms, &o, 16, &err), 0, "%s", err.text);
    const term_scene scene = {student, pool, &g.base, NULL, 5};
    const flow_lanes cut = flow_lanes_cut(16, 0);
    term_sums sums = {0};
    const term_step at = {.scene = &scene, .steps = 10, .cut = &cut, .kl = NAN, .sums = &sums};
    objective_term *term = terms.at[0];
    term->weight = 1;
    cr_assert_eq(term->ops->open(term, &scene, &err), 0, "%s", err.text);
    cr_assert_eq(term->ops->before_step(term, &at, &err), 0, "%s", err.text);
    const own_rows *rows = &((term_weighed *)term)->rows;
    double mean = 0, square = 0, want = integral(0.7, 0.6) * integral(-0.4, 0.9);
    for (size_t r = 0; r < N; r++) {
        mean += exp(rows->log_r[r]) / N;
        square += exp(2 * rows->log_r[r]) / N;
    }
    double se = sqrt((square - mean * mean) / N);
    cr_assert(fabs(mean - want) < 4.5 * se && se < 0.02 * want, "%g +- %g, want %g", mean, se,
              want);
    cr_assert_eq(sums.asked, N * (1 + 4 * 3));
    objective_free_terms(&terms);
    json_decref(description);
    flow_free(student);
    flow_pool_free(pool);
}
