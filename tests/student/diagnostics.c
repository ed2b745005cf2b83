/* Figures from log weights against closed forms: q = N(0, s^2 I), p = N(m, I) in D dimensions,
 * where KLs, ESS and log Z are known, and every degenerate set of weights. */
#include "student/diagnostics.h"

#include "flow/pcg.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const pcg_stream stream_q = {.seed = 20240817, .stage = PCG_TEST, .purpose = PCG_BASE};
static const pcg_stream stream_p = {.seed = 20240817, .stage = PCG_TEST, .purpose = PCG_TARGET};

/* log p - log q + shift at n draws of q (forward = 0) or p (forward = 1). */
typedef struct gaussians {
    size_t dim;
    double s, m, shift; /* every component of the mean is m */
} gaussians;

static double log_weight(const gaussians *g, const double *x)
{
    double l = g->shift + (double)g->dim * log(g->s);
    for (size_t j = 0; j < g->dim; j++)
        l += 0.5 * x[j] * x[j] / (g->s * g->s) - 0.5 * (x[j] - g->m) * (x[j] - g->m);
    return l;
}

static double *draw_weights(const gaussians *g, int forward, uint64_t first, size_t n)
{
    double *x = malloc((n * g->dim + 1) * sizeof *x), *l = malloc((n + 1) * sizeof *l);
    pcg_normals(x, forward ? stream_p : stream_q, first, n, g->dim);
    for (size_t i = 0; i < n * g->dim; i++)
        x[i] = forward ? x[i] + g->m : x[i] * g->s;
    for (size_t i = 0; i < n; i++)
        l[i] = log_weight(g, x + i * g->dim);
    free(x);
    return l;
}

static double true_kl_reverse(const gaussians *g)
{
    double s2 = g->s * g->s;
    return (double)g->dim / 2 * (s2 - 1 - log(s2) + g->m * g->m);
}

static double true_kl_forward(const gaussians *g)
{
    double s2 = g->s * g->s;
    return (double)g->dim / 2 * (1 / s2 - 1 + log(s2) + g->m * g->m / s2);
}

/* 1 / integral p^2 / q, for 2 s^2 > 1. */
static double true_ess(const gaussians *g)
{
    double s2 = g->s * g->s, a = 2 * s2 - 1;
    return pow(sqrt(a) / s2 * exp(-g->m * g->m / a), (double)g->dim);
}

static student_diagnostics diagnose(const double *reverse, size_t n, const double *forward,
                                    size_t m, double log_z)
{
    student_diagnostics d;
    flow_err err = FLOW_ERR_INIT;
    student_log_weights in = {reverse, forward, n, m, log_z, 0};
    cr_assert_eq(student_diagnose(&d, &in, &err), FLOW_OK, "%s", err.text);
    return d;
}

/* Within 4.5 of its own standard errors (false alarm 7e-6), and the error small. */
static void check(const char *what, student_estimate got, double want, double largest_se)
{
    cr_assert(fabs(got.value - want) <= 4.5 * got.se, "%s: %g +- %g, not %g", what, got.value,
              got.se, want);
    cr_assert(got.se < largest_se && got.se > largest_se / 20, "%s: error %g", what, got.se);
}

/* A log Z that was estimated: its error is in what is made of it. */
static void check_estimated_log_z(const double *q, const double *p, size_t n, double log_z)
{
    const double se = 0.3;
    student_diagnostics d, exact = diagnose(q, n, p, n, log_z);
    student_log_weights in = {q, p, n, n, log_z, se};
    cr_assert_eq(student_diagnose(&d, &in, NULL), FLOW_OK);
    cr_assert_eq(d.kl_reverse.se, hypot(exact.kl_reverse.se, se));
    cr_assert_eq(d.kl_forward.se, hypot(exact.kl_forward.se, se));
    cr_assert_float_eq(d.mean_w.se / d.mean_w.value, /* errors of logs */
                       hypot(exact.mean_w.se / exact.mean_w.value, se), 1e-12);
    cr_assert_float_eq(d.mean_inverse_w.se / d.mean_inverse_w.value,
                       hypot(exact.mean_inverse_w.se / exact.mean_inverse_w.value, se), 1e-12);
    cr_assert(d.elbo.se == exact.elbo.se && d.log_z_se == se);
}

static void check_gaussians(gaussians g)
{
    enum { N = 40000 };
    double *q = draw_weights(&g, 0, 0, N), *p = draw_weights(&g, 1, 0, N);
    student_diagnostics d = diagnose(q, N, p, N, g.shift);
    double reverse = true_kl_reverse(&g), forward = true_kl_forward(&g);
    check("elbo", d.elbo, g.shift - reverse, 0.02);
    check("eubo", d.eubo, g.shift + forward, 0.02);
    check("jeffreys", d.jeffreys, reverse + forward, 0.02);
    check("log_z", d.log_z, g.shift, 0.02);
    check("kl_reverse", d.kl_reverse, reverse, 0.02);
    check("kl_forward", d.kl_forward, forward, 0.02);
    check("ess_reverse", d.ess_reverse, true_ess(&g), 0.02);
    check("ess_forward", d.ess_forward, true_ess(&g), 0.02);
    cr_assert(fabs(d.mean_w.z) < 4.5, "%g", d.mean_w.z);
    cr_assert(fabs(d.mean_inverse_w.z) < 4.5, "%g", d.mean_inverse_w.z);
    cr_assert_eq(d.mean_w.z, (d.mean_w.value - 1) / hypot(d.mean_w.se, STUDENT_ROUNDING));
    cr_assert(d.psis.khat < 0.5, "%g", d.psis.khat);
    cr_assert_eq(d.jeffreys.se, hypot(d.elbo.se, d.eubo.se));
    cr_assert(d.n_reverse == N && d.n_forward == N && !d.zero_reverse && !d.zero_forward);
    /* Z unknown: log_z from the reverse rows stands in. */
    d = diagnose(q, N, p, N, NAN);
    check("kl_reverse, Z unknown", d.kl_reverse, reverse, 0.02);
    check("kl_forward, Z unknown", d.kl_forward, forward, 0.02);
    cr_assert(isnan(d.mean_w.value) && isnan(d.mean_w.z) && isnan(d.mean_inverse_w.value));
    cr_assert_eq(d.kl_reverse.value, d.log_z.value - d.elbo.value);
    cr_assert_eq(d.kl_forward.se, hypot(d.eubo.se, d.log_z.se));
    check_estimated_log_z(q, p, N, g.shift);
    free(q);
    free(p);
}

Test(diagnostics, gaussians_one_dimension)
{
    check_gaussians((gaussians){1, 1.3, 0.4, 0});
}

Test(diagnostics, gaussians_five_dimensions_with_a_constant)
{
    check_gaussians((gaussians){5, 1.2, -0.2, 164.6956753});
}

/* ---- standard errors mean what they say: 200 repetitions of 500 rows. The mean of z^2 over 200 is
 * within 1 +- 4.5 sqrt(2 / 200) = .55 .. 1.45 with chance 1 - 7e-6, a little wider for curvature.
 */
Test(diagnostics, errors_are_calibrated)
{
    enum { REPEATS = 200, N = 500 };
    const gaussians g = {2, 1.1, 0.3, -7.25};
    const double want[6] = {
        -7.25 - true_kl_reverse(&g), -7.25, true_kl_reverse(&g), true_ess(&g), true_ess(&g), 1};
    double chi2[6] = {0};
    for (uint64_t t = 0; t < REPEATS; t++) {
        double *q = draw_weights(&g, 0, t * N, N), *p = draw_weights(&g, 1, t * N, N);
        student_diagnostics d = diagnose(q, N, p, N, NAN);
        student_diagnostics exact = diagnose(q, N, p, N, -7.25);
        const student_estimate got[6] = {
            d.elbo,        d.log_z,       d.kl_reverse,
            d.ess_reverse, d.ess_forward, {exact.mean_inverse_w.value, exact.mean_inverse_w.se}};
        for (size_t k = 0; k < 6; k++)
            chi2[k] += pow((got[k].value - want[k]) / got[k].se, 2) / REPEATS;
        free(q);
        free(p);
    }
    for (size_t k = 0; k < 6; k++)
        cr_assert(chi2[k] > 0.5 && chi2[k] < 1.6, "figure %zu: mean z^2 = %g", k, chi2[k]);
}

/* ---- shift, order, size */

Test(diagnostics, a_constant_moves_only_what_contains_log_z)
{
    enum { N = 4096 };
    gaussians g = {3, 1.25, 0.3, 0};
    double *q = draw_weights(&g, 0, 0, N), *p = draw_weights(&g, 1, 0, N);
    for (size_t i = 0; i < N; i++) { /* 30 bits after the point: shifted exactly */
        q[i] = ldexp(rint(ldexp(q[i], 30)), -30);
        p[i] = ldexp(rint(ldexp(p[i], 30)), -30);
    }
    student_diagnostics a = diagnose(q, N, p, N, NAN);
    for (size_t i = 0; i < N; i++) {
        q[i] -= 4096; /* exp of these underflows */
        p[i] -= 4096;
    }
    student_diagnostics b = diagnose(q, N, p, N, NAN);
    const double moved[3] = {a.elbo.value - b.elbo.value, a.eubo.value - b.eubo.value,
                             a.log_z.value - b.log_z.value};
    for (size_t k = 0; k < 3; k++)
        cr_assert(fabs(moved[k] - 4096) < 1e-11, "figure %zu: %.17g", k, moved[k]);
    const student_estimate same[5][2] = {{a.kl_reverse, b.kl_reverse},
                                         {a.kl_forward, b.kl_forward},
                                         {a.jeffreys, b.jeffreys},
                                         {a.ess_reverse, b.ess_reverse},
                                         {a.ess_forward, b.ess_forward}};
    for (size_t k = 0; k < 5; k++) {
        cr_assert(fabs(same[k][0].value - same[k][1].value) < 1e-11, "figure %zu", k);
        cr_assert(fabs(same[k][0].se - same[k][1].se) < 1e-11, "figure %zu", k);
    }
    cr_assert_eq(a.psis.khat, b.psis.khat);
    free(q);
    free(p);
}

Test(diagnostics, order_matters_to_the_curve_only)
{
    enum { N = 3000 };
    gaussians g = {2, 0.8, 0.3, 1.5};
    double *q = draw_weights(&g, 0, 0, N), *p = draw_weights(&g, 1, 0, N), shuffled[N];
    size_t order[N];
    pcg_permutation(order, N, stream_q, 0);
    for (size_t i = 0; i < N; i++)
        shuffled[i] = q[order[i]];
    student_diagnostics a = diagnose(q, N, p, N, 1.5), b = diagnose(shuffled, N, p, N, 1.5);
    cr_assert(fabs(a.elbo.value - b.elbo.value) < 1e-14);
    cr_assert(fabs(a.log_z.value - b.log_z.value) < 1e-14);
    cr_assert(fabs(a.ess_reverse.value / b.ess_reverse.value - 1) < 1e-13);
    cr_assert(fabs(a.ess_reverse.se / b.ess_reverse.se - 1) < 1e-12);
    cr_assert_eq(a.psis.khat, b.psis.khat);
    cr_assert_neq(a.curve_reverse.ess[0], b.curve_reverse.ess[0]);
    student_diagnostics again = diagnose(q, N, p, N, 1.5);
    cr_assert_eq(memcmp(&a, &again, sizeof a), 0, "same input, same bits");
    free(q);
    free(p);
}

Test(diagnostics, curve_shows_the_bias_of_small_samples)
{
    enum { N = 64000 };
    gaussians g = {20, 0.72, 0, 0}; /* k near 1/2: large weights are rare */
    double *q = draw_weights(&g, 0, 0, N);
    student_diagnostics d = diagnose(q, N, NULL, 0, 0);
    const student_curve *c = &d.curve_reverse;
    cr_assert_eq(c->len, 4u);
    for (size_t k = 0; k < 4; k++)
        cr_assert_eq(c->rows[k], (size_t)N >> 2 * (3 - k));
    cr_assert_eq(c->ess[3], d.ess_reverse.value);
    cr_assert(c->ess[0] > 1.3 * c->ess[3], "%g %g", c->ess[0], c->ess[3]);
    cr_assert(c->ess[0] > c->ess[1] && c->ess[1] > c->ess[2] && c->ess[2] > c->ess[3]);
    cr_assert_eq(d.curve_forward.len, 0u);
    free(q);
}

Test(diagnostics, curve_of_a_few_rows)
{
    const double l[9] = {0, log(3), 0, 0, 0, 0, 0, 0, 0};
    student_curve c = diagnose(l, 9, NULL, 0, 0).curve_reverse;
    cr_assert_eq(c.len, 2u); /* 9/64 and 9/16 are less than one row */
    cr_assert(c.rows[0] == 2 && c.rows[1] == 9);
    /* Blocks (1, 3) (1, 1) (1, 1) (1, 1); the ninth row is in none. */
    cr_assert(fabs(c.ess[0] - (16.0 / 20 + 3) / 4) < 1e-15, "%g", c.ess[0]);
    cr_assert(fabs(c.ess[1] - 121.0 / (9 * 17)) < 1e-15, "%g", c.ess[1]);
    c = diagnose(l, 4, NULL, 0, 0).curve_reverse;
    cr_assert(c.len == 2 && c.rows[0] == 1 && c.ess[0] == 1);
}

/* ---- by hand */

Test(diagnostics, three_rows_by_hand)
{
    /* w = 1, 2, 6 from q; 1/w = 1, 1/4, 1/4 from p. */
    const double q[3] = {0, log(2), log(6)}, p[3] = {0, log(4), log(4)};
    student_diagnostics d = diagnose(q, 3, p, 3, log(2));
    cr_assert(fabs(d.log_z.value - log(3)) < 1e-15);
    cr_assert(fabs(d.log_z.se - sqrt((4.0 + 1 + 9) / (3 * 2)) / 3) < 1e-15);
    cr_assert(fabs(d.elbo.value - log(12) / 3) < 1e-15);
    cr_assert(fabs(d.eubo.value - log(16) / 3) < 1e-15);
    cr_assert(fabs(d.kl_reverse.value - (log(2) - log(12) / 3)) < 1e-15);
    cr_assert(fabs(d.kl_forward.value - (log(16) / 3 - log(2))) < 1e-15);
    cr_assert(fabs(d.ess_reverse.value - 81.0 / (3 * 41)) < 1e-15);
    cr_assert(fabs(d.ess_forward.value - 1 / (3.0 * 0.5)) < 1e-15);
    cr_assert(fabs(d.mean_w.value - 1.5) < 1e-15);
    cr_assert(fabs(d.mean_inverse_w.value - 1) < 1e-15); /* 2 * mean(1, 1/4, 1/4) */
    cr_assert(fabs(d.mean_inverse_w.se - 2 * sqrt((0.25 + 2 * 0.0625) / 6)) < 1e-15);
    cr_assert(isnan(d.psis.khat));
}

/* ---- degenerate weights */

Test(diagnostics, constants_are_a_perfect_student)
{
    double l[200];
    for (size_t i = 0; i < 200; i++)
        l[i] = -713.25;
    student_diagnostics d = diagnose(l, 200, l, 200, -713.25);
    cr_assert(d.elbo.value == -713.25 && d.eubo.value == -713.25 && d.log_z.value == -713.25);
    cr_assert(d.kl_reverse.value == 0 && d.kl_forward.value == 0 && d.jeffreys.value == 0);
    cr_assert(d.kl_reverse.se == 0 && d.log_z.se == 0 && d.ess_reverse.se == 0);
    cr_assert(d.ess_reverse.value == 1 && d.ess_forward.value == 1);
    cr_assert(d.mean_w.value == 1 && d.mean_w.z == 0 && d.mean_inverse_w.z == 0);
    cr_assert_eq(d.psis.khat, -INFINITY);
    d = diagnose(l, 200, l, 200, -713);
    cr_assert(d.mean_w.z < -1e4); /* off without any scatter to excuse it */
    d = diagnose(l, 200, l, 200, -713.25 + 1e-6);
    cr_assert(fabs(d.mean_w.z) < 0.2); /* rounding, and no more */
}

Test(diagnostics, one_row_and_none)
{
    const double l[1] = {2.385};
    student_diagnostics d = diagnose(l, 1, l, 1, 0);
    cr_assert(d.elbo.value == 2.385 && d.log_z.value == 2.385 && d.ess_reverse.value == 1);
    cr_assert(isnan(d.elbo.se) && isnan(d.log_z.se) && isnan(d.ess_forward.se));
    cr_assert(isnan(d.kl_forward.se) && isnan(d.mean_w.z));
    cr_assert(d.curve_reverse.len == 1 && d.curve_reverse.rows[0] == 1);
    d = diagnose(NULL, 0, NULL, 0, 0);
    const double nans[] = {d.elbo.value,       d.elbo.se,           d.eubo.value,
                           d.jeffreys.value,   d.log_z.value,       d.kl_reverse.value,
                           d.kl_forward.value, d.ess_reverse.value, d.ess_forward.value,
                           d.mean_w.value,     d.mean_w.z,          d.mean_inverse_w.value,
                           d.psis.khat};
    for (size_t k = 0; k < sizeof nans / sizeof *nans; k++)
        cr_assert(isnan(nans[k]), "figure %zu: %g", k, nans[k]);
    cr_assert_eq(d.curve_reverse.len, 0u);
    d = diagnose(l, 1, NULL, 0, NAN); /* reverse alone */
    cr_assert(d.kl_reverse.value == 0 && isnan(d.kl_forward.value) && isnan(d.jeffreys.value));
}

Test(diagnostics, heavy_tails_are_reported)
{
    gaussians g = {1, 0.35, 0, 0}; /* w has tail index 1 - s^2 = .88 */
    double *q = draw_weights(&g, 0, 0, 40000);
    student_diagnostics d = diagnose(q, 40000, NULL, 0, 0);
    cr_assert(d.psis.khat > d.psis.threshold && d.psis.khat < 1.1, "%g", d.psis.khat);
    cr_assert(d.ess_reverse.value < 0.1, "%g", d.ess_reverse.value);
    free(q);
}

Test(diagnostics, zero_density_at_the_student)
{
    /* q = U(0, 2), p = U(0, 1): weights 2 and 0. */
    const double l[8] = {log(2),    -INFINITY, log(2), -INFINITY,
                         -INFINITY, log(2),    log(2), -INFINITY};
    student_diagnostics d = diagnose(l, 8, NULL, 0, 0);
    cr_assert_eq(d.zero_reverse, 4u);
    cr_assert(d.elbo.value == -INFINITY && isnan(d.elbo.se));
    cr_assert(d.kl_reverse.value == INFINITY);
    cr_assert(fabs(d.log_z.value) < 1e-15 && fabs(d.ess_reverse.value - 0.5) < 1e-15);
    cr_assert(fabs(d.log_z.se - sqrt(1.0 / 7)) < 1e-15);
    cr_assert(fabs(d.mean_w.value - 1) < 1e-15 && fabs(d.mean_w.z) < 1e-14);
    const double none[2] = {-INFINITY, -INFINITY};
    d = diagnose(none, 2, NULL, 0, NAN);
    cr_assert(d.log_z.value == -INFINITY && d.ess_reverse.value == 0);
    cr_assert(d.kl_reverse.value == INFINITY && isnan(d.log_z.se));
}

Test(diagnostics, zero_density_at_the_teacher)
{
    /* p = U(0, 2), q = U(0, 1): 1/w = 2 where q reaches, 0 elsewhere. */
    const double l[4] = {-log(2), INFINITY, INFINITY, -log(2)};
    student_diagnostics d = diagnose(NULL, 0, l, 4, 0);
    cr_assert_eq(d.zero_forward, 2u);
    cr_assert(d.eubo.value == INFINITY && d.kl_forward.value == INFINITY);
    cr_assert_eq(d.ess_forward.value, 0);
    cr_assert(fabs(d.mean_inverse_w.value - 1) < 1e-15);
    d = diagnose(NULL, 0, l + 1, 2, 0);
    cr_assert(d.eubo.value == INFINITY && d.ess_forward.value == 0 && d.mean_inverse_w.value == 0);
}

Test(diagnostics, broken_weights_are_errors)
{
    const struct {
        int forward;
        double value;
    } cases[] = {{0, NAN}, {0, INFINITY}, {1, NAN}, {1, -INFINITY}};
    for (size_t k = 0; k < 4; k++) {
        double good[9] = {0}, bad[9] = {0};
        bad[7] = cases[k].value;
        student_log_weights in = {good, good, 9, 9, 0, 0};
        *(cases[k].forward ? &in.forward : &in.reverse) = bad;
        student_diagnostics d;
        flow_err err = FLOW_ERR_INIT;
        cr_assert_eq(student_diagnose(&d, &in, &err), FLOW_EDIVERGED, "case %zu", k);
        cr_assert(strstr(err.text, "row 7"), "%s", err.text);
        cr_assert(strstr(err.text, cases[k].forward ? "teacher" : "student"), "%s", err.text);
    }
}
