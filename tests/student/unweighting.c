/* Efficiencies of unweighting in closed form, against bootstrap samples that are drawn, and against rejection. */
#include "student/unweighting.h"

#include "flow/pcg.h"
#include "flow/sort.h"
#include "student/exact.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>

static const pcg_stream stream = {.seed = 23, .stage = PCG_TEST, .purpose = PCG_BASE};

static student_unweighting of(const double *l, size_t n)
{
    flow_err err = FLOW_ERR_INIT;
    student_unweighting out;
    cr_assert_eq(student_unweighting_of(&out, l, n, &err), 0, "%s", err.text);
    return out;
}

/* Weights 1, 5, 0, 2 | 4, 0, 8, 4 (times any factor): of the halves the first is 5 at most, the second 8. */
Test(unweighting, of_eight_weights)
{
    for (int far = 0; far < 2; far++) {
        double l[] = {1, 5, 0, 2, 4, 0, 8, 4};
        for (int i = 0; i < 8; i++)
            l[i] = log(l[i]) + 700 * far;
        student_unweighting u = of(l, 8);
        cr_expect_float_eq(u.efficiency, 24. / 8 / 8, 1e-12);
        cr_expect_float_eq(u.madnis, 24. / 6 / 8, 1e-12);
        cr_expect_float_eq(u.kept, 0.75, 1e-14);
        cr_expect_float_eq(u.over_weight, 0.5 * 3 / 16, 1e-12);
    }
}

Test(unweighting, of_even_weights_and_of_none)
{
    const double even[] = {3, 3, 3}, none[] = {-INFINITY, -INFINITY}, half[] = {1, 2, -INFINITY};
    student_unweighting u = of(even, 3);
    cr_expect(u.efficiency == 1 && u.madnis == 1 && u.over_weight == 0 && u.kept == 1);
    u = of(none, 2);
    cr_expect(isnan(u.efficiency) && isnan(u.madnis) && isnan(u.over_weight) && isnan(u.kept));
    u = of(even, 1);
    cr_expect(u.efficiency == 1 && u.madnis == 1 && isnan(u.over_weight));
    u = of(even, 0);
    cr_expect(isnan(u.efficiency));
    u = of(half, 3); /* e | e^2, 0: the first half is never above, the second by e^2 - e */
    cr_expect_float_eq(u.over_weight, 0.5 * (1 - exp(-1)), 1e-14);
}

/* The median of the largest of m draws from k different weights, over 1001 samples: a share of (j / k)^m of them are
 * at most the j-th, so that the sample's median is off by one rank or more only if that share is by chance on the other
 * side of 1/2. The cases have (rank - 1) and rank at least 5 standard errors (.079) from 1/2. */
Test(unweighting, the_median_is_that_of_bootstrap_samples)
{
    enum { TIMES = 1001 };
    static const struct {
        size_t k, m;
    } cases[] = {{4, 4}, {5, 9}, {5, 2}, {7, 3}, {100, 100}};
    pcg rng = pcg_at(stream, 0, 1);
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        double tops[TIMES], k = (double)cases[c].k, m = (double)cases[c].m;
        size_t rank = student_bootstrap_rank(cases[c].k, cases[c].m);
        cr_assert(pow((double)rank / k, m) > 0.5 + 0.079 &&
                  pow((double)(rank - 1) / k, m) < 0.5 - 0.079);
        for (size_t t = 0; t < TIMES; t++) {
            tops[t] = 0;
            for (size_t i = 0; i < cases[c].m; i++)
                tops[t] = fmax(tops[t], 1 + floor(k * pcg_uniform(&rng)));
        }
        flow_sort_numbers(tops, TIMES);
        cr_expect_eq(tops[TIMES / 2], (double)rank, "%zu of %zu: %g, not %zu", cases[c].m,
                     cases[c].k, tops[TIMES / 2], rank);
    }
}

/* As many draws as weights, or more, and it is the largest. */
Test(unweighting, of_so_many_draws_the_median_is_the_largest)
{
    for (size_t k = 1; k < 3000000; k = 2 * k + 1)
        cr_expect(student_bootstrap_rank(k, k) == k && student_bootstrap_rank(k, 3 * k) == k, "%zu",
                  k);
    cr_expect(student_bootstrap_rank(1000, 10) == 934 && student_bootstrap_rank(7, 1) == 4);
}

/* Rejection under the bound of the largest weight keeps that share, 4.5 standard errors (one seed in 150,000); under a
 * lower bound what is above it is cut: kept weight is n (mean w - over-weight) / bound. */
Test(unweighting, is_what_rejection_keeps)
{
    enum { N = 20000 };
    static double l[N];
    static size_t index[N];
    flow_err err = FLOW_ERR_INIT;
    size_t kept, above;
    double top = -INFINITY, sum = 0;
    pcg_normals(l, stream, 50, N, 1);
    for (size_t i = 0; i < N; i++) {
        l[i] *= 0.4;
        top = fmax(top, l[i]);
        sum += exp(l[i]);
    }
    student_unweighting u = of(l, N);
    pcg_stream other = {.seed = 4, .stage = PCG_TEST, .purpose = PCG_SHUFFLE};
    for (int low = 0; low < 2; low++) {
        double bound = low ? top - 1.3 : top;
        double want = sum / N * exp(-bound) * (1 - student_over_weight(l, N, bound));
        cr_assert_eq(student_reject(index, &kept, &above, bound, l, N, other, &err), 0);
        cr_expect(low || fabs(want - u.efficiency) < 1e-12);
        cr_expect(fabs((double)kept / N - want) < 4.5 * sqrt(want * (1 - want) / N), "%zu, not %g",
                  kept, want * N);
        cr_expect(low ? above > 0 : above == 0);
    }
}

/* w = u^-k has the Pareto shape k: P(w > s) = s^(-1/k), mean 1 / (1 - k). With t the largest of n other rows
 *   E max(w - t, 0) = int P(w > s) P(t < s) ds = k int p^-k (1 - p)^n dp = k B(1 - k, n + 1).
 * 400 pairs of halves of 100 rows; the mean of a ratio is off from the ratio of the means by a few percent. */
Test(unweighting, over_weight_is_that_of_a_pareto_tail)
{
    enum { TIMES = 400, N = 200 };
    double k = 0.5, n = N / 2, sum = 0, squares = 0, l[N];
    for (uint64_t t = 0; t < TIMES; t++) {
        pcg_uniforms(l, stream, 1000 + t, 1, N);
        for (size_t i = 0; i < N; i++)
            l[i] = -k * log(1 - l[i]);
        double share = of(l, N).over_weight;
        sum += share;
        squares += share * share;
    }
    double mean = sum / TIMES, se = sqrt((squares / TIMES - mean * mean) / TIMES);
    double want = (1 - k) * k * exp(lgamma(1 - k) + lgamma(n + 1) - lgamma(n + 2 - k));
    cr_expect(fabs(mean - want) < 4.5 * se + 0.04 * want, "%g +- %g, not %g", mean, se, want);
}
