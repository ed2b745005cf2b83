/* Importance weights held, smoothed and tempered: known answers. */
#include "student/weigh.h"
#include "student/psis.h"

#include <criterion/criterion.h>
#include <math.h>

enum { N = 4000 };
static double w[N], kept[N];

/* Of a Pareto distribution with tail index k: (1 - u)^-k, spread evenly, then shuffled by a stride. */
static void pareto(double k)
{
    for (size_t i = 0; i < N; i++)
        kept[i] = w[i] = -k * log1p(-((double)(i * 1237 % N) + 0.5) / N);
}

/* Two of four rows: half; as powers fall, so does what they tell apart. */
Test(weigh, effective_share)
{
    const double two[] = {log(3), -INFINITY, log(3), -INFINITY}, uneven[] = {log(8), log(2)};
    cr_assert_float_eq(weigh_ess(two, 1, 4), 0.5, 1e-12);
    cr_assert_float_eq(weigh_ess(uneven, 1, 2), 100. / (2 * 68), 1e-12);
    cr_assert_float_eq(weigh_ess(uneven, 1. / 3, 2),
                       pow(2 + cbrt(2), 2) / (2 * (4 + pow(2, 2. / 3))), 1e-12);
}

Test(weigh, tempered_as_far_as_wanted)
{
    pareto(0.9);
    double b = weigh_temper(w, 0.5, N);
    cr_assert(b > 0.1 && b < 0.9, "%g", b);
    cr_assert_float_eq(weigh_ess(w, b, N), 0.5, 1e-6);
    cr_assert_eq(weigh_temper(w, 0.5 * weigh_ess(w, 1, N), N), 1);
    w[0] = -INFINITY;
    cr_assert_eq(weigh_temper(w, 1, N), 0, "a share that cannot be had");
}

/* At most sqrt(N) of the mean that they had; the others stay. */
Test(weigh, truncated)
{
    double sum = 0;
    size_t held = 0;
    pareto(0.9);
    for (size_t i = 0; i < N; i++)
        sum += exp(w[i]);
    const double most = log(sum / N * sqrt(N));
    cr_assert_gt(weigh_truncate(w, N), 0);
    for (size_t i = 0; i < N; i++) {
        held += kept[i] > most;
        cr_assert_float_eq(w[i], fmin(kept[i], most), 1e-9, "%zu", i);
    }
    cr_assert(held > 0 && held < N / 50);
    pareto(0.1);
    cr_assert_eq(weigh_truncate(w, N), 0);
}

/* The tail of weights that are Pareto already hardly moves, in order, and below it nothing does; nothing is above
 * the largest; one weight that is far out comes down. */
Test(weigh, smoothed)
{
    pareto(0.5);
    double k, top = 0, moved = 0;
    cr_assert_eq(weigh_pareto(&k, w, N, NULL), 0);
    cr_assert_float_eq(k, 0.5, 0.1, "%g", k);
    size_t tail = psis_tail(N), changed = 0;
    for (size_t i = 0; i < N; i++) {
        top = fmax(top, kept[i]);
        changed += w[i] != kept[i];
        moved = fmax(moved, fabs(w[i] - kept[i]) * (kept[i] < 0.5 * log(N / 10.)));
    }
    cr_assert(changed <= tail && changed > tail / 2, "%zu", changed);
    cr_assert_lt(moved, 0.1);
    pareto(0.5);
    w[17] = top + 5;
    cr_assert_eq(weigh_pareto(&k, w, N, NULL), 0);
    cr_assert_lt(w[17], top + 4, "%g after %g", w[17], top + 5);
    for (size_t i = 0; i < N; i++)
        w[i] = 2;
    cr_assert(weigh_pareto(&k, w, N, NULL) == 0 && isnan(k) && w[5] == 2, "equal weights");
}

Test(weigh, normalised)
{
    double v[] = {1000, 1000 + log(3), -INFINITY};
    weigh_normalise(v, v, 3);
    cr_assert_float_eq(v[0], 0.25, 1e-12);
    cr_assert_float_eq(v[1], 0.75, 1e-12);
    cr_assert_eq(v[2], 0);
}
