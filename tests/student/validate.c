/* Validation of students that are Gaussians, against Gaussian targets: every figure has a closed form. */
#include "student/validate.h"
#include "teacher/target.h"
#include "tests/common/check.h"
#include "tests/common/distilling.h"
#include "tests/common/examples.h"
#include "tests/common/gaussian.h"
#include "tests/common/sanitized.h"

#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

enum { N = UNLESS_SANITIZED(20000, 2000) };

/* The student is x = e^s z + b. */
static const double log_scales[] = {0.4, -0.3}, shifts[] = {-0.6, 1.1};

static flow *student_of(const double *s, const double *b)
{
    flow *f = scales_and_shifts(2, FLOW_F64);
    cr_assert_eq(flow_tensor_set(f, s, 0, NULL), 0);
    cr_assert_eq(flow_tensor_set(f, b, 1, NULL), 0);
    return f;
}

/* The target N(mean, diag(sd^2)) e^log_z, as the built-in kind makes it. */
static target *gaussian_of(const double *mean, const double *sd, double log_z)
{
    flow_err err = FLOW_ERR_INIT;
    json_t *d =
        json_pack("{s:s, s:[f, f], s:[[f, f], [f, f]], s:f}", "kind", "gaussian", "mean", mean[0],
                  mean[1], "covariance", sd[0] * sd[0], 0.0, 0.0, sd[1] * sd[1], "log_z", log_z);
    target *t = target_create(d, &err);
    cr_assert(t, "%s", err.text);
    json_decref(d);
    return t;
}

typedef struct judged {
    student_validation out;
    flow_err err;
    int code;
} judged;

static judged validate(const flow *student, const target *t, const flow *teacher, size_t n,
                       size_t threads)
{
    judged j = {.err = FLOW_ERR_INIT};
    flow_pool *pool = flow_pool_create(threads, NULL);
    student_validate_options options = {.samples = n, .seed = 23};
    j.code = student_validate(&j.out, student, t, teacher, pool, NULL, &options, &j.err);
    cr_assert_eq(j.code, j.err.code, "returned %d, wrote %d: %s", j.code, j.err.code, j.err.text);
    flow_pool_free(pool);
    return j;
}

/* ---- a student that is its target: all is exact, log Z and normalisation, too */

Test(validate, equal)
{
    const double sd[] = {exp(log_scales[0]), exp(log_scales[1])}, zero = 0, one = 1, log_z = 1.25;
    flow *student = student_of(log_scales, shifts);
    target *t = gaussian_of(shifts, sd, log_z);
    judged j = validate(student, t, student, N, 2);
    cr_assert_eq(j.code, 0, "%s", j.err.text);
    const student_diagnostics *w = &j.out.weights;
    check_close(&w->kl_reverse.value, &zero, 1, 0, 1e-12, "reverse KL");
    check_close(&w->kl_forward.value, &zero, 1, 0, 1e-12, "forward KL");
    check_close(&w->log_z.value, &log_z, 1, 1e-12, 0, "log Z");
    check_close(&w->elbo.value, &log_z, 1, 1e-12, 0, "ELBO");
    check_close(&w->eubo.value, &log_z, 1, 1e-12, 0, "EUBO");
    check_close(&w->ess_reverse.value, &one, 1, 1e-12, 0, "reverse ESS");
    check_close(&w->ess_forward.value, &one, 1, 1e-12, 0, "forward ESS");
    check_close(&w->mean_w.value, &one, 1, 1e-12, 0, "mean weight");
    cr_assert(w->n_reverse == N && w->n_forward == N);
    cr_assert(j.out.broken.count == 0 && j.out.teacher_broken.count == 0);
    cr_assert(j.out.roundtrip < 1e-13, "round trip %g", j.out.roundtrip);
    cr_assert(j.out.sampled && j.out.teacher_is_flow && j.out.log_z == log_z);
    cr_assert(j.out.n_modes == 0 && !j.out.modes);
    /* false alarm: 1 in 1000 each */
    cr_assert(j.out.sliced_w2.p > 1e-3 && j.out.energy.p > 1e-3 && j.out.moments.mean.p > 1e-3);
    cr_assert(j.out.speed.student.rows_per_s > 0 && j.out.speed.teacher_density > 0);
    student_validation_release(&j.out);
    target_free(t);
    flow_free(student);
}

/* ---- a student that is off in a known way. Seen from the student's noise the target is N(m_i, r_i^2) in
 * each dimension, and
 *
 *   KL(q || p) = sum log r + (1 + m^2) / (2 r^2) - 1/2       E_q[(p / q)^2] = prod e^{m^2 / (2 - r^2)} /
 *   KL(p || q) = sum -log r + (r^2 + m^2) / 2 - 1/2                           (r sqrt(2 - r^2)) */

static const double off_mean[] = {-0.1, 0.95}, off_sd[] = {1.2, 0.8};

typedef struct exact {
    double kl_reverse, kl_forward, ess;
} exact;

static exact closed_forms(void)
{
    exact e = {0, 0, 1};
    for (size_t i = 0; i < 2; i++) {
        double scale = exp(log_scales[i]), r = off_sd[i] / scale, r2 = r * r;
        double m2 = (off_mean[i] - shifts[i]) * (off_mean[i] - shifts[i]) / (scale * scale);
        e.kl_reverse += log(r) + (1 + m2) / (2 * r2) - 0.5;
        e.kl_forward += -log(r) + (r2 + m2) / 2 - 0.5;
        e.ess *= r * sqrt(2 - r2) * exp(-m2 / (2 - r2));
    }
    return e;
}

/* Within 4.5 of its own standard errors (false alarm 7e-6), which must not be vague. */
static void check_estimate(student_estimate got, double want, double most_se, const char *what)
{
    cr_assert(got.se > 0 && got.se < most_se, "%s: standard error %g", what, got.se);
    cr_assert(fabs(got.value - want) < 4.5 * got.se, "%s: %g +- %g, want %g", what, got.value,
              got.se, want);
}

static void check_off(const student_validation *v, double log_z)
{
    const exact e = closed_forms();
    const student_diagnostics *w = &v->weights;
    const double vague = UNLESS_SANITIZED(0.012, 0.04);
    double reference = isnan(log_z) ? 0.5 : log_z; /* the target's own, whether it tells or not */
    check_estimate(w->kl_reverse, e.kl_reverse, vague, "reverse KL");
    check_estimate(w->elbo, reference - e.kl_reverse, vague, "ELBO");
    check_estimate(w->eubo, reference + e.kl_forward, vague, "EUBO");
    check_estimate(w->kl_forward, e.kl_forward, vague, "forward KL");
    check_estimate(w->jeffreys, e.kl_reverse + e.kl_forward, 2 * vague, "both");
    check_estimate(w->log_z, reference, vague, "log Z");
    check_estimate(w->ess_reverse, e.ess, vague, "reverse ESS");
    check_estimate(w->ess_forward, e.ess, 2 * vague, "forward ESS");
    cr_assert(isnan(log_z) ? isnan(w->mean_w.z) : fabs(w->mean_w.z) < 4.5);
    cr_assert(v->sliced_w2.p < 0.01 && v->energy.p < 0.01, "p %g, %g: the difference was not seen",
              v->sliced_w2.p, v->energy.p);
    cr_assert(fabs(v->moments.mean.z) > 10 && fabs(v->moments.sd.z) > 10);
}

Test(validate, different)
{
    flow *student = student_of(log_scales, shifts);
    target *t = gaussian_of(off_mean, off_sd, 0.5);
    for (int known = 0; known <= 1; known++) {
        t->log_z = known ? 0.5 : NAN;
        judged j = validate(student, t, NULL, N, 1);
        cr_assert_eq(j.code, 0, "%s", j.err.text);
        check_off(&j.out, t->log_z);
        cr_assert(!j.out.teacher_is_flow && isnan(j.out.log_z) == !known);
        cr_assert(isnan(j.out.speed.teacher_density) &&
                  isnan(j.out.speed.teacher_incremental.rows_per_s) &&
                  isnan(j.out.speed.teacher_naive.row_seconds));
        student_validation_release(&j.out);
    }
    target_free(t);
    flow_free(student);
}

/* All but the speeds is the same for any number of threads. */
Test(validate, threads_do_not_matter)
{
    flow *student = student_of(log_scales, shifts);
    target *t = gaussian_of(off_mean, off_sd, 0.5);
    judged one = validate(student, t, NULL, 1000, 1), three = validate(student, t, NULL, 1000, 3);
    cr_assert(memcmp(&one.out.weights, &three.out.weights, sizeof one.out.weights) == 0);
    check_same(&one.out.roundtrip, &three.out.roundtrip, 1, "round trip");
    check_same(&one.out.energy.value, &three.out.energy.value, 1, "energy distance");
    student_validation_release(&one.out);
    student_validation_release(&three.out);
    target_free(t);
    flow_free(student);
}

/* ---- without a sampler, and with stored draws for one */

static void check_no_forward(const student_validation *v)
{
    const student_diagnostics *w = &v->weights;
    cr_assert(!v->sampled && w->n_forward == 0);
    cr_assert(isnan(w->kl_forward.value) && isnan(w->eubo.value) && isnan(w->ess_forward.value));
    cr_assert(isnan(v->sliced_w2.value) && isnan(v->energy.value) && isnan(v->moments.mean.z));
}

Test(validate, without_a_sampler)
{
    gaussian g;
    const double lower[] = {off_sd[0], 0, 0, off_sd[1]};
    gaussian_init(&g, 2, lower, off_mean);
    gaussian_take_sampler_away(&g);
    g.base.log_z = 0.5;
    flow *student = student_of(log_scales, shifts);
    judged j = validate(student, &g.base, NULL, N, 2);
    cr_assert_eq(j.code, 0, "%s", j.err.text);
    check_no_forward(&j.out);
    check_estimate(j.out.weights.kl_reverse, closed_forms().kl_reverse, 0.05, "reverse KL");
    cr_assert_eq(atomic_load(&g.works), 0, "scratch was not freed");
    flow_free(student);
}

/* Each stored draw is looked at once, not as often as there are samples of the student. */
Test(validate, stored_draws)
{
    enum { STORED = 700 };
    double stored[2 * STORED], logp[STORED];
    flow *student = student_of(log_scales, shifts);
    target *t = gaussian_of(off_mean, off_sd, 0.5);
    flow_pool *pool = flow_pool_create(1, NULL);
    pcg_stream noise = {.seed = 9, .stage = PCG_TEST, .purpose = PCG_TARGET};
    cr_assert_eq(target_sample(t, pool, stored, logp, NULL, NULL, noise, 0, STORED, NULL), 0);
    target *d = target_with_draws(t, stored, STORED, NULL);
    judged j = validate(student, d, NULL, 2000, 2);
    cr_assert_eq(j.code, 0, "%s", j.err.text);
    cr_assert(j.out.weights.n_reverse == 2000 && j.out.weights.n_forward == STORED);
    check_estimate(j.out.weights.kl_forward, closed_forms().kl_forward, 0.1, "forward KL");
    student_validation_release(&j.out);
    target_free(d);
    target_free(t);
    flow_pool_free(pool);
    flow_free(student);
}

/* ---- modes: the two sides of a line through the target's mean in x_0 */

static void side_of(void *arg, size_t *mode, const double *x)
{
    *mode = x[0] > *(const double *)arg;
}

Test(validate, modes)
{
    double line = off_mean[0];
    const target_partition sides = {.name = "side", .n = 2, .weights = (const double[]){0.5, 0.5}};
    const target_modes modes = {
        .partitions = 1, .partition = &sides, .modes_of = side_of, .arg = &line};
    flow *student = student_of(log_scales, shifts);
    target *t = gaussian_of(off_mean, off_sd, 0.5);
    t->modes = &modes;
    judged j = validate(student, t, NULL, N, 2);
    cr_assert_eq(j.code, 0, "%s", j.err.text);
    cr_assert_eq(j.out.n_modes, 2);
    cr_assert_str_eq(j.out.partition->name, "side");
    cr_assert_eq(j.out.modes[0].count + j.out.modes[1].count, N);
    double above = 0.5 * erfc((line - shifts[0]) / exp(log_scales[0]) / sqrt(2));
    double se = sqrt(0.25 / N);
    cr_assert(fabs(j.out.modes[1].share - above) < 4.5 * se, "student: %g, want %g",
              j.out.modes[1].share, above);
    cr_assert(fabs(j.out.teacher_modes[1].share - 0.5) < 4.5 * se, "target: %g",
              j.out.teacher_modes[1].share);
    cr_assert(fabs(j.out.modes_summary.deviation - fabs(j.out.modes[1].share - 0.5)) < 1e-12);
    cr_assert(j.out.modes_summary.deviation > 0.1);
    student_validation_release(&j.out);
    cr_assert(!j.out.modes && !j.out.teacher_modes && j.out.n_modes == 0);
    target_free(t);
    flow_free(student);
}

/* ---- failures */

/* At the student's samples and, in the sampler, at the target's: what it says arrives, or its name. */
Test(validate, failing_targets)
{
    for (size_t threads = 1; threads <= 3; threads++)
        for (size_t after = 0; after <= 5; after += 5)
            for (int silent = 0; silent <= 1; silent++) {
                gaussian g;
                gaussian_init(&g, 2, lower2, mean2);
                g.fail_after = after;
                g.silent = silent ? FLOW_EIO : 0;
                flow *student = student_of(log_scales, shifts);
                judged j = validate(student, &g.base, NULL, 2000, threads);
                cr_assert_eq(j.code, silent ? FLOW_EIO : FLOW_EDATA);
                cr_assert(strstr(j.err.text, silent ? "'gaussian' failed" : "the energy broke"),
                          "%s", j.err.text);
                cr_assert(!j.out.modes && atomic_load(&g.works) == 0);
                flow_free(student);
            }
}

/* One sample in 300 is broken: counted, named, left out of the weights on both sides. */
static void check_broken(broken_as how, double above)
{
    gaussian g;
    gaussian_init(&g, 2, lower2, mean2);
    g.broken_above = above;
    g.broken_as = how;
    flow *student = student_of(log_scales, shifts);
    judged j = validate(student, &g.base, NULL, N, 2);
    cr_assert_eq(j.code, 0, "%s", j.err.text);
    const broken_rows *own = &j.out.broken, *theirs = &j.out.teacher_broken;
    cr_assert(own->count > 0 && theirs->count > 0);
    cr_assert(own->x[0] > above && theirs->x[0] > above && own->row < N);
    cr_assert(how == BROKEN_NAN ? isnan(own->log_p) : own->log_p == INFINITY);
    cr_assert_eq(j.out.weights.n_reverse, N - own->count);
    cr_assert_eq(j.out.weights.n_forward, N - theirs->count);
    cr_assert(isfinite(j.out.weights.kl_reverse.value) && isfinite(j.out.weights.kl_forward.value));
    student_validation_release(&j.out);
    flow_free(student);
}

Test(validate, broken_rows)
{
    check_broken(BROKEN_NAN, 2.5);
    check_broken(BROKEN_INFINITE, 2.5);
}

Test(validate, too_many_broken_rows)
{
    gaussian g;
    gaussian_init(&g, 2, lower2, mean2);
    g.broken_above = 0;
    flow *student = student_of(log_scales, shifts);
    judged j = validate(student, &g.base, NULL, 1000, 2);
    cr_assert_eq(j.code, FLOW_EDATA);
    cr_assert(strstr(j.err.text, "samples of the student: the target broke at"), "%s", j.err.text);
    flow_free(student);
}

/* Whose fault it is: a student of weights that are not finite is refused as such. */
Test(validate, broken_student)
{
    const double s[] = {NAN, 0};
    flow *student = student_of(s, shifts);
    target *t = gaussian_of(off_mean, off_sd, 0);
    judged j = validate(student, t, NULL, 1000, 2);
    cr_assert_eq(j.code, FLOW_EDIVERGED, "%d: %s", j.code, j.err.text);
    cr_assert(strstr(j.err.text, "row 0 of the student's samples"), "%s", j.err.text);
    target_free(t);
    flow_free(student);
}

/* A target that wants a context, and none is there. */
Test(validate, no_contexts)
{
    gaussian g;
    gaussian_init(&g, 2, lower2, mean2);
    g.base.context = 1;
    flow *student = student_iaf(&g.base, FLOW_F64);
    judged j = validate(student, &g.base, NULL, 10, 1);
    cr_assert_eq(j.code, FLOW_EDATA);
    cr_assert(strstr(j.err.text, "context"), "%s", j.err.text);
    flow_free(student);
}

/* ---- few rows: what is not defined is NaN, nothing is read that is not there (the address suite) */

Test(validate, few_rows)
{
    flow *student = student_of(log_scales, shifts);
    target *t = gaussian_of(off_mean, off_sd, 0);
    for (size_t n = 0; n <= 3; n++) {
        judged j = validate(student, t, student, n, 2);
        cr_assert_eq(j.code, 0, "%zu rows: %s", n, j.err.text);
        const student_diagnostics *w = &j.out.weights;
        cr_assert(w->n_reverse == n && w->n_forward == n);
        cr_assert(isnan(w->kl_reverse.value) == (n == 0), "%zu rows: %g", n, w->kl_reverse.value);
        cr_assert(isnan(w->kl_reverse.se) == (n < 2), "%zu rows: %g", n, w->kl_reverse.se);
        cr_assert(isnan(j.out.speed.student.rows_per_s) == (n == 0));
        student_validation_release(&j.out);
    }
    target_free(t);
    flow_free(student);
}
