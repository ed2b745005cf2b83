/* Distributions of one number that can be worked out by hand. */
#include "student/energies.h"

#include "tests/common/check.h"

#include <criterion/criterion.h>
#include <math.h>

static energies made(const double *value, const double *weight, size_t n)
{
    energies out;
    cr_assert_eq(energies_make(&out, value, weight, n, NULL), 0);
    return out;
}

/* 1, 2, 3 with 1/2, 1/3, 1/6 against 2, 3.5 with a half each: up to 1 it is 1/2 and 0, up to 2 5/6 and 1/2, up to 3 1 and
 * 1/2. */
Test(energies, apart_by_the_largest_step)
{
    const double a[] = {3, 1, 2}, weight[] = {1, 3, 2}, b[] = {3.5, 2}, want[] = {0.5, 0.5, 0};
    energies x = made(a, weight, 3), y = made(b, NULL, 2);
    const double got[] = {energies_apart(&x, &y), energies_apart(&y, &x), energies_apart(&x, &x)};
    check_close(got, want, 3, 1e-15, 0, "distance");
    energies_close(&x);
    energies_close(&y);
}

/* Equal values in both are one step, not two. */
Test(energies, ties_are_no_distance)
{
    const double a[] = {1, 1, 1, 2}, b[] = {1, 1, 1, 1, 1, 1, 2, 2}, far[] = {-INFINITY, 2};
    energies x = made(a, NULL, 4), y = made(b, NULL, 8), z = made(far, NULL, 2);
    cr_expect_eq(energies_apart(&x, &y), 0);
    cr_expect_eq(energies_apart(&x, &z), 0.5);
    energies_close(&x);
    energies_close(&y);
    energies_close(&z);
}

Test(energies, quantiles_and_bins)
{
    enum { N = 1000 };
    double value[N], weight[N], quantile[ENERGY_QUANTILES], share[ENERGY_BINS], inside = 0;
    for (size_t i = 0; i < N; i++) {
        value[i] = (double)((i * 7) % N) + 1; /* 1 .. N */
        weight[i] = value[i] <= N / 2.0 ? 3 : 1;
    }
    /* three quarters of the weight is on the lower half */
    const double want[] = {7, 34, 167, 334, 500, 900, 980};
    energies e = made(value, weight, N);
    energies_quantiles(quantile, &e);
    check_close(quantile, want, ENERGY_QUANTILES, 0, 1e-12, "quantile");
    energies_bins(share, &e, 4.5, 100.5); /* two a bin */
    for (size_t i = 0; i < ENERGY_BINS; i++)
        inside += share[i];
    const double got[] = {share[0], share[ENERGY_BINS - 1], inside};
    const double shares[] = {2 * 3 / 2000.0, 2 * 3 / 2000.0, 96 * 3 / 2000.0};
    check_close(got, shares, 3, 1e-12, 0, "share");
    energies_close(&e);
}
