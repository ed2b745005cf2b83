/* k-hat: the fit against ArviZ 0.23.4 on the quantiles of known distributions, random generalised
 * Pareto draws, and every degenerate set of weights. */
#include "student/psis.h"

#include "flow/pcg.h"
#include "student/sum.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const pcg_stream stream = {.seed = 20240817, .stage = PCG_TEST, .purpose = PCG_GENERATE};

static int near(double got, double want, double tolerance)
{
    return fabs(got - want) <= tolerance;
}

static double pareto_quantile(double k, double p)
{
    return expm1(-k * log1p(-p)) / k;
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static psis_fit khat(const double *log_w, size_t n)
{
    psis_fit fit;
    flow_err err = FLOW_ERR_INIT;
    cr_assert_eq(psis_khat(&fit, log_w, n, &err), FLOW_OK, "%s", err.text);
    return fit;
}

Test(psis, sum_keeps_what_rounding_loses)
{
    student_sum sum = {0, 0};
    const double terms[] = {1, 1e100, 1, -1e100};
    for (size_t i = 0; i < 4; i++)
        student_sum_add(&sum, terms[i]);
    cr_assert_eq(student_sum_get(&sum), 2);
    student_sum_add(&sum, -INFINITY);
    student_sum_add(&sum, 1);
    cr_assert_eq(student_sum_get(&sum), -INFINITY);
}

/* arviz.stats.stats._gpdfit on 2.385 times the quantiles (i - 1/2) / 1000. */
Test(psis, fit_of_quantiles)
{
    const double ks[] = {-0.3, 0.2, 0.5, 0.7, 1};
    const double want_k[] = {-0.2889865898871047, 0.20432836956258943, 0.5003970209331322,
                             0.6977324218943148, 0.9936939444070461};
    const double want_sigma[] = {2.3770617515768673, 2.3807467760718453, 2.382805906332909,
                                 2.3842871502440244, 2.386612355907985};
    double x[1000];
    for (size_t t = 0; t < 5; t++) {
        double k, sigma;
        for (size_t i = 0; i < 1000; i++)
            x[i] = 2.385 * pareto_quantile(ks[t], ((double)i + 0.5) / 1000);
        psis_pareto_fit(&k, &sigma, x, 1000);
        cr_assert(near(k, want_k[t], 1e-10), "k = %g: %.16g", ks[t], k);
        cr_assert(near(sigma, want_sigma[t], 1e-10), "k = %g: sigma %.16g", ks[t], sigma);
    }
}

/* 5000 draws, as in the published check. The error of the estimate is (1 + k) / sqrt(n) for
 * k > -1/2; 4.5 of them: false alarm 7e-6 each. */
Test(psis, fit_of_draws)
{
    enum { N = 5000 };
    const double ks[] = {-0.3, 0.2, 0.5, 0.7, 1};
    static double x[N];
    for (size_t t = 0; t < 5; t++) {
        double k, sigma;
        pcg_uniforms(x, stream, t * N, N, 1);
        for (size_t i = 0; i < N; i++)
            x[i] = pareto_quantile(ks[t], x[i]);
        qsort(x, N, sizeof *x, ascending);
        psis_pareto_fit(&k, &sigma, x, N);
        cr_assert(near(k, ks[t], 4.5 * (1 + ks[t]) / sqrt(N)), "k = %g: %g", ks[t], k);
    }
}

/* Log weights are a quantile function at (i - 1/2) / n, plus 700, in a scrambled order. */
static double of_quantiles(double (*log_quantile)(double p), size_t n, psis_fit *fit)
{
    double *log_w = malloc(n * sizeof *log_w);
    size_t *order = malloc(n * sizeof *order);
    pcg_permutation(order, n, stream, n);
    for (size_t i = 0; i < n; i++)
        log_w[order[i]] = 700 + log_quantile(((double)i + 0.5) / (double)n);
    *fit = khat(log_w, n);
    free(log_w);
    free(order);
    return fit->khat;
}

static double light(double p)
{
    return -0.4 * log1p(-p);
}

static double heavy(double p)
{
    return -1.1 * log1p(-p);
}

static double logistic(double p)
{
    return 1.3 * log(p / (1 - p));
}

/* arviz.psislw at sizes where its rounding of the tail length up and ours down agree. */
Test(psis, khat_of_quantiles)
{
    psis_fit fit;
    cr_assert(near(of_quantiles(light, 400, &fit), 0.41605769, 1e-8), "%.9f", fit.khat);
    cr_assert_eq(fit.tail, 60u);
    cr_assert(near(fit.threshold, 1 - 1 / log10(400), 1e-15));
    cr_assert(near(of_quantiles(light, 10000, &fit), 0.4035057, 1e-8), "%.9f", fit.khat);
    cr_assert_eq(fit.tail, 300u);
    cr_assert_eq(fit.threshold, 0.7);
    cr_assert(near(of_quantiles(heavy, 400, &fit), 0.97936852, 1e-8), "%.9f", fit.khat);
    cr_assert(near(of_quantiles(heavy, 10000, &fit), 1.07185539, 1e-8), "%.9f", fit.khat);
    cr_assert(near(of_quantiles(logistic, 400, &fit), 1.15436428, 1e-8), "%.9f", fit.khat);
    cr_assert(near(of_quantiles(logistic, 10000, &fit), 1.26580477, 1e-8), "%.9f", fit.khat);
}

Test(psis, tail_lengths)
{
    double log_w[227];
    pcg_normals(log_w, stream, 0, 227, 1);
    cr_assert_eq(khat(log_w, 25).tail, 5u);
    cr_assert_eq(khat(log_w, 200).tail, 40u); /* 3 sqrt(200) = 42.4 */
    cr_assert_eq(khat(log_w, 224).tail, 44u);
    cr_assert_eq(khat(log_w, 225).tail, 45u);
    cr_assert_eq(khat(log_w, 227).tail, 45u); /* floor(3 sqrt(227)) = 45, a fifth is 45.4 */
}

Test(psis, a_shift_changes_nothing)
{
    double a[2000], b[2000];
    pcg_normals(a, stream, 0, 2000, 1);
    for (size_t i = 0; i < 2000; i++) {
        a[i] = ldexp(rint(ldexp(a[i], 30)), -30); /* so that the shift is exact */
        b[i] = a[i] - 8192;
    }
    cr_assert_eq(khat(a, 2000).khat, khat(b, 2000).khat);
}

/* ---- degenerate weights */

Test(psis, too_few_for_an_estimate)
{
    double log_w[24];
    pcg_normals(log_w, stream, 0, 24, 1);
    for (size_t n = 0; n <= 24; n++) {
        psis_fit fit = khat(log_w, n);
        cr_assert(isnan(fit.khat), "n = %zu", n);
        cr_assert(!isnan(fit.threshold));
    }
    cr_assert_eq(khat(log_w, 0).threshold, -INFINITY);
    cr_assert_eq(khat(log_w, 1).threshold, -INFINITY);
}

Test(psis, constant_weights_are_bounded)
{
    double log_w[1000];
    for (size_t i = 0; i < 1000; i++)
        log_w[i] = -713.25;
    cr_assert_eq(khat(log_w, 1000).khat, -INFINITY);
    log_w[17] = -5000; /* still constant in the tail */
    cr_assert_eq(khat(log_w, 1000).khat, -INFINITY);
}

Test(psis, weights_constant_but_for_rounding_are_good)
{
    double log_w[1000];
    pcg rng = pcg_at(stream, 0, 1);
    for (size_t i = 0; i < 1000; i++)
        log_w[i] = 1 + 0x1p-52 * (double)pcg_below(&rng, 3);
    for (size_t i = 0; i < 1000;
         i += 20) /* ties with the threshold up to the quartile and beyond */
        log_w[i] = 1 + 0x1p-50;
    psis_fit fit = khat(log_w, 1000);
    cr_assert(fit.khat < 0.5, "%g", fit.khat);
}

Test(psis, underflow_is_not_uniform)
{
    /* Far apart: every weight but the largest underflows next to it. */
    double log_w[1000];
    for (size_t i = 0; i < 1000; i++)
        log_w[i] = -800 * (double)i;
    cr_assert_eq(khat(log_w, 1000).khat, INFINITY);
    /* One row carries all, the others are equal: no tail below it. */
    for (size_t i = 0; i < 1000; i++)
        log_w[i] = i == 500 ? 3 : -1000 - (double)i;
    cr_assert_eq(khat(log_w, 1000).khat, INFINITY);
    /* A wide tail short of underflow. */
    for (size_t i = 0; i < 1000; i++)
        log_w[i] = -5 * (double)i;
    cr_assert(khat(log_w, 1000).khat > 10);
    cr_assert(isfinite(khat(log_w, 1000).khat));
}

Test(psis, zero_weights_count_but_do_not_fit)
{
    /* Half the rows at zero density: the tail is longer than without them, the index the same. */
    enum { N = 20000 };
    static double log_w[N];
    for (size_t i = 0; i < N; i++)
        log_w[i] = i % 2 ? -INFINITY : heavy(((double)i + 0.5) / N);
    psis_fit fit = khat(log_w, N);
    cr_assert_eq(fit.tail, 424u);
    cr_assert(near(fit.khat, 1.1, 0.1), "%g", fit.khat);
    for (size_t i = 100; i < N; i++) /* 50 positive weights: fewer than the tail */
        log_w[i] = -INFINITY;
    fit = khat(log_w, N);
    cr_assert_eq(fit.tail, 50u);
    cr_assert(isfinite(fit.khat));
    for (size_t i = 8; i < N; i++) /* 4 positive weights */
        log_w[i] = -INFINITY;
    cr_assert_eq(khat(log_w, N).khat, INFINITY);
    for (size_t i = 0; i < N; i++)
        log_w[i] = -INFINITY;
    cr_assert_eq(khat(log_w, N).khat, INFINITY);
}

Test(psis, broken_weights_are_errors)
{
    const double broken[] = {NAN, INFINITY};
    for (size_t k = 0; k < 2; k++) {
        double log_w[40] = {0};
        psis_fit fit;
        flow_err err = FLOW_ERR_INIT;
        log_w[31] = broken[k];
        cr_assert_eq(psis_khat(&fit, log_w, 40, &err), FLOW_EDIVERGED);
        cr_assert(strstr(err.text, "row 31"), "%s", err.text);
    }
}
