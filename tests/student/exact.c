/* Draws of p = N(.7, 1) out of draws of q = N(0, 1.5^2): after resampling, Metropolis or rejection
 * they must have the moments of p. */
#include "student/exact.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const pcg_stream draws = {.seed = 20240817, .stage = PCG_TEST, .purpose = PCG_BASE};
static const pcg_stream stream = {.seed = 20240817, .stage = PCG_TEST, .purpose = PCG_BOOTSTRAP};

enum { N = 100000 };
static double x[N], log_w[N];
static size_t row[N];
static flow_err err = FLOW_ERR_INIT;

static void propose(void)
{
    pcg_normals(x, draws, 0, N, 1);
    for (size_t i = 0; i < N; i++) {
        x[i] *= 1.5;
        log_w[i] = log(1.5) + x[i] * x[i] / 4.5 - (x[i] - 0.7) * (x[i] - 0.7) / 2;
    }
}

/* 1 / integral p^2 / q with m = .7, s = 1.5. */
static double ess(void)
{
    return sqrt(3.5) / 2.25 * exp(-0.49 / 3.5);
}

/* Mean and variance of x[row] against N(.7, 1), 4.5 standard errors at `effective` independent
 * rows: false alarm 7e-6 each. */
static void check_moments(size_t k, double effective)
{
    double mean = 0, square = 0;
    for (size_t i = 0; i < k; i++) {
        cr_assert_lt(row[i], (size_t)N);
        mean += x[row[i]] / (double)k;
        square += (x[row[i]] - 0.7) * (x[row[i]] - 0.7) / (double)k;
    }
    cr_assert(fabs(mean - 0.7) < 4.5 / sqrt(effective), "mean %g", mean);
    cr_assert(fabs(square - 1) < 4.5 * sqrt(2 / effective), "second moment %g", square);
}

Test(exact, resampling_has_the_moments_of_p)
{
    propose();
    for (int m = 0; m < 2; m++) {
        double distinct;
        const size_t k = 20000;
        student_resampling method = m ? STUDENT_SYSTEMATIC : STUDENT_MULTINOMIAL;
        cr_assert_eq(student_resample(row, &distinct, k, method, log_w, N, stream, &err), FLOW_OK);
        check_moments(k, 1 / (1 / (double)k + 1 / (N * ess())));
        cr_assert(distinct > 0.8 && distinct <= 1, "%g", distinct);
    }
}

static void count_choices(size_t *count, size_t n, size_t k)
{
    memset(count, 0, n * sizeof *count);
    for (size_t i = 0; i < k; i++)
        count[row[i]]++;
}

/* Weights 0 1 2 0 3 0 of 6, shifted to where exp underflows. */
static const double six[6] = {
    -INFINITY, -5000, -4999.3068528194400546905, -INFINITY, -4998.9013877113318902, -INFINITY};

Test(exact, multinomial_shares)
{
    const double weight[6] = {0, 1, 2, 0, 3, 0};
    const size_t k = 60000;
    size_t count[6];
    double distinct, chi2 = 0;
    cr_assert_eq(student_resample(row, &distinct, k, STUDENT_MULTINOMIAL, six, 6, stream, &err), 0);
    count_choices(count, 6, k);
    cr_assert(count[0] == 0 && count[3] == 0 && count[5] == 0);
    for (size_t i = 1; i < 5; i++)
        if (weight[i] > 0)
            chi2 += pow((double)count[i] - weight[i] * 10000, 2) / (weight[i] * 10000);
    cr_assert(chi2 < 27.6 && chi2 > 0, "%g", chi2); /* 2 degrees of freedom: false alarm 1e-6 */
    cr_assert_eq(distinct, 3.0 / (double)k);
    size_t rises = 0; /* random order: half of the neighbours that differ rise */
    for (size_t i = 1; i < k; i++)
        rises += row[i] > row[i - 1];
    cr_assert(rises > k / 4 && rises < k * 37 / 100, "%zu", rises);
}

Test(exact, systematic_counts_are_the_nearest_integers)
{
    for (size_t k = 1; k <= 50; k++) {
        const double weight[6] = {0, 1, 2, 0, 3, 0};
        size_t count[6];
        double distinct;
        pcg_stream s = stream;
        s.seed += k;
        cr_assert_eq(student_resample(row, &distinct, k, STUDENT_SYSTEMATIC, six, 6, s, &err), 0);
        count_choices(count, 6, k);
        for (size_t i = 0; i < 6; i++) {
            double want = weight[i] * (double)k / 6;
            cr_assert(fabs((double)count[i] - want) < 1 + 1e-9, "k %zu, row %zu: %zu", k, i,
                      count[i]);
        }
        for (size_t i = 1; i < k; i++)
            cr_assert(row[i] >= row[i - 1]);
    }
}

/* The chain's acceptance is int int q(x) q(y) min(w(x), w(y)), computed here over disjoint pairs of
 * proposals; the spread of a chain's mean is no worse than at 3 / ess as many rows. */
Test(exact, metropolis_has_the_moments_of_p)
{
    double acceptance, want = 0;
    propose();
    cr_assert_eq(student_metropolis(row, &acceptance, log_w, N, stream, &err), FLOW_OK);
    check_moments(N, N * ess() / 3);
    for (size_t i = 0; i < N; i += 2)
        want += 2 * fmin(exp(log_w[i]), exp(log_w[i + 1])) / N;
    cr_assert(fabs(acceptance - want) < 0.015, "%g, not %g", acceptance, want);
}

Test(exact, metropolis_chain_by_hand)
{
    /* Equal or larger weights are always accepted, zero never, and the start is the first above it.
     */
    const double l[8] = {-INFINITY, -INFINITY, -3, -3, 1000, -INFINITY, -1000, 1000};
    const size_t want[8] = {2, 2, 2, 3, 4, 4, 4, 7};
    double acceptance;
    cr_assert_eq(student_metropolis(row, &acceptance, l, 8, stream, &err), FLOW_OK);
    for (size_t i = 0; i < 8; i++)
        cr_assert_eq(row[i], want[i], "entry %zu: %zu", i, row[i]);
    cr_assert_eq(acceptance, 3.0 / 5);
    cr_assert_eq(student_metropolis(row, &acceptance, l + 2, 1, stream, &err), FLOW_OK);
    cr_assert(row[0] == 0 && isnan(acceptance));
}

/* sup w = p/q at x = .7 * 2.25 / 1.25: acceptance is 1 / sup w. */
Test(exact, rejection_is_exact)
{
    size_t kept, above;
    const double at = 0.7 * 2.25 / 1.25;
    const double bound = log(1.5) + at * at / 4.5 - (at - 0.7) * (at - 0.7) / 2;
    propose();
    cr_assert_eq(student_reject(row, &kept, &above, bound, log_w, N, stream, &err), FLOW_OK);
    cr_assert_eq(above, 0u);
    double rate = exp(-bound), sigma = sqrt(rate * (1 - rate) / N);
    cr_assert(fabs((double)kept / N - rate) < 4.5 * sigma, "%zu", kept); /* false alarm 7e-6 */
    check_moments(kept, (double)kept);
    for (size_t i = 1; i < kept; i++)
        cr_assert(row[i] > row[i - 1]);
    cr_assert_eq(student_reject(row, &kept, &above, bound - 0.5, log_w, N, stream, &err), FLOW_OK);
    cr_assert(above > 0);
    /* At the bound a row is kept for sure; without density never. */
    const double edge[3] = {2.385, -INFINITY, 2.385};
    cr_assert_eq(student_reject(row, &kept, &above, 2.385, edge, 3, stream, &err), FLOW_OK);
    cr_assert(kept == 2 && row[1] == 2 && above == 0);
}

Test(exact, nothing)
{
    double share;
    size_t kept, above;
    const double one[1] = {-2000};
    cr_assert_eq(student_resample(row, &share, 0, STUDENT_SYSTEMATIC, one, 1, stream, &err), 0);
    cr_assert(isnan(share));
    cr_assert_eq(student_resample(row, &share, 3, STUDENT_SYSTEMATIC, one, 1, stream, &err), 0);
    cr_assert(row[0] == 0 && row[2] == 0);
    cr_assert_eq(student_resample(row, &share, 1, STUDENT_SYSTEMATIC, NULL, 0, stream, &err),
                 FLOW_EUSAGE);
    cr_assert_eq(student_metropolis(row, &share, NULL, 0, stream, &err), FLOW_OK);
    cr_assert_eq(student_reject(row, &kept, &above, 0, NULL, 0, stream, &err), FLOW_OK);
    cr_assert(kept == 0 && above == 0);
}

Test(exact, broken_weights_are_errors)
{
    const double bad[3][4] = {
        {0, 0, NAN, 0}, {0, 0, INFINITY, 0}, {-INFINITY, -INFINITY, -INFINITY, -INFINITY}};
    for (size_t k = 0; k < 3; k++) {
        double share;
        size_t kept, above;
        err.text[0] = '\0';
        cr_assert_eq(student_resample(row, &share, 2, STUDENT_MULTINOMIAL, bad[k], 4, stream, &err),
                     FLOW_EDIVERGED);
        cr_assert(strstr(err.text, k < 2 ? "row 2" : "all 4 rows"), "%s", err.text);
        cr_assert_eq(student_metropolis(row, &share, bad[k], 4, stream, &err), FLOW_EDIVERGED);
        cr_assert_eq(student_reject(row, &kept, &above, 0, bad[k], 4, stream, &err),
                     FLOW_EDIVERGED);
    }
}

/* An autoregressive series is worth n (1 - rho) / (1 + rho). */
Test(exact, what_a_chain_is_worth)
{
    const double rho = 0.8, want = (1 - rho) / (1 + rho);
    pcg_normals(x, draws, 0, N, 1);
    double independent = student_chain_size(x, N) / N;
    for (size_t i = 1; i < N; i++)
        x[i] = rho * x[i - 1] + sqrt(1 - rho * rho) * x[i];
    double got = student_chain_size(x, N) / N;
    cr_assert(fabs(got / want - 1) < 0.1, "%g, not %g", got, want);
    cr_assert(independent > 0.97 && independent <= 1, "%g", independent);
    for (size_t i = 0; i < N; i++)
        x[i] = 3;
    cr_assert_eq(student_chain_size(x, N), N);
}
