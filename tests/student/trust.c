/* The next density within two bounds, on draws whose answer is known. */
#include "student/trust.h"
#include "tests/common/check.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>

enum { N = 4001 };
static double p[N], q[N], om[N];

/* "Draws" of q = N(0, 1), evenly spread in its distribution function, and p~ = 7 N(m, s^2). */
static void gaussians(double m, double s)
{
    for (size_t i = 0; i < N; i++) {
        double u = ((double)i + 0.5) / N, low = -9, high = 9;
        for (int k = 0; k < 60; k++) {
            double x = 0.5 * (low + high);
            if (0.5 * erfc(-x / sqrt(2)) < u)
                low = x;
            else
                high = x;
        }
        q[i] = -0.5 * low * low - 0.91893853320467274;
        p[i] = log(7) - 0.5 * (low - m) * (low - m) / (s * s) - log(s) - 0.91893853320467274;
    }
}

static trust_step solve(double trust, double cooling)
{
    trust_step step;
    trust_solve(&step, &(trust_bounds){trust, cooling}, p, q, N);
    trust_weights(om, &step, p, q, N);
    double sum = 0;
    for (size_t i = 0; i < N; i++)
        sum += om[i];
    cr_assert_float_eq(sum, 1, 1e-12);
    return step;
}

/* p = N(m, 1): q' = N(m b, 1), b = 1 / (1 + lam), KL = (m b)^2 / 2, and the entropy stays. */
Test(trust, a_shift)
{
    gaussians(2, 1);
    trust_step step = solve(0.3, INFINITY);
    cr_assert_float_eq(1 / (1 + step.lam), sqrt(0.6) / 2, 2e-3, "lam %g", step.lam);
    cr_assert_float_eq(step.kl, 0.3, 1e-8);
    cr_assert_eq(step.eta, 0);
    cr_assert_float_eq(step.cooled, 0, 1e-2, "%g",
                       step.cooled); /* the last draws stand for their tails */
}

/* p = N(0, s^2), and the second bound alone: q' = N(0, v), 1 / v = 1 + b (1 / s^2 - 1) with b = 1 / (1 + lam + eta)
 * where only p is weighed: H - H' = -log(v) / 2 = cooling. */
Test(trust, a_shrinkage)
{
    const double s = 0.2, cooling = 0.4, kl_of = 0.5 * (exp(-0.8) - 1 + 0.8);
    gaussians(0, s);
    trust_step step = solve(5, cooling);
    cr_assert_float_eq(step.cooled, cooling, 1e-6);
    cr_assert_eq(step.lam, 0, "%g", step.lam);
    cr_assert_float_eq(step.kl, kl_of, 2e-3, "%g, want %g", step.kl, kl_of);
    cr_assert_gt(step.eta, 0);
    /* exponent of x^2: (1 / s^2 - (1 + eta)) / (1 + eta) less of q's own */
    double precision = 1 / (s * s) / (1 + step.eta);
    cr_assert_float_eq(precision, exp(2 * cooling), 5e-3 * precision, "%g", precision);
}

/* Neither bound binds: plain importance weights, and what is far gets what it has under p. */
Test(trust, near_enough)
{
    gaussians(0.1, 0.98);
    trust_step step = solve(0.3, 1);
    double top = 0;
    cr_assert(step.lam == 0 && step.eta == 0);
    for (size_t i = 0; i < N; i++)
        top += exp(p[i] - q[i]);
    for (size_t i = 0; i < N; i += 100)
        cr_assert_float_eq(om[i], exp(p[i] - q[i]) / top, 1e-12);
}

/* The reference of mathematics-layers 9: doublings and sixty halvings, one within the other. */
typedef struct point {
    double kl, cooled;
} point;

static point reckon(double lam, double eta)
{
    double sum = 0, r_sum = 0, q_sum = 0, h = 0, top = -INFINITY;
    for (size_t i = 0; i < N; i++)
        top = fmax(top, (p[i] - (1 + eta) * q[i]) / (1 + lam + eta));
    for (size_t i = 0; i < N; i++) {
        double r = (p[i] - (1 + eta) * q[i]) / (1 + lam + eta), w = exp(r - top);
        sum += w, r_sum += w * r, q_sum += w * q[i], h -= q[i] / N;
    }
    double log_z = top + log(sum / N);
    return (point){r_sum / sum - log_z, h - (log_z - (q_sum + r_sum) / sum)};
}

static double bisect(double (*f)(double v, double other, double bound), double other, double bound)
{
    double low = 0, high = 1;
    if (f(0, other, bound) <= 0)
        return 0;
    while (f(high, other, bound) > 0)
        high *= 2;
    low = 0, high = log1p(high);
    for (int k = 0; k < 60; k++) {
        double t = 0.5 * (low + high);
        if (f(expm1(t), other, bound) > 0)
            low = t;
        else
            high = t;
    }
    return expm1(high);
}

static double trust_of, cooling_of;

static double kl_over(double lam, double eta, double bound)
{
    return reckon(lam, eta).kl - bound;
}

static double cooled_over(double eta, double unused, double bound)
{
    (void)unused;
    return reckon(bisect(kl_over, eta, trust_of), eta).cooled - bound;
}

Test(trust, both_bounds_as_the_slow_way)
{
    const double bounds[][2] = {{0.2, 0.1}, {0.05, 0.3}, {0.5, 0.05}};
    gaussians(1.3, 0.15);
    for (size_t k = 0; k < 3; k++) {
        trust_of = bounds[k][0], cooling_of = bounds[k][1];
        trust_step step = solve(trust_of, cooling_of);
        double eta = bisect(cooled_over, 0, cooling_of), lam = bisect(kl_over, eta, trust_of);
        cr_assert_float_eq(step.eta, eta, 1e-5 * (1 + eta), "%zu: eta %g, want %g", k, step.eta,
                           eta);
        cr_assert_float_eq(step.lam, lam, 1e-5 * (1 + lam), "%zu: lam %g, want %g", k, step.lam,
                           lam);
        cr_assert(step.kl < trust_of + 1e-6 && step.cooled < cooling_of + 1e-6);
        if (k < 2)
            cr_assert(step.lam > 0, "%zu: trust does not bind", k);
        if (k != 1)
            cr_assert(step.eta > 0, "%zu: cooling does not bind", k);
    }
}

/* Rows without a density have no weight; a target that is known up to a factor is the same target. */
Test(trust, rows_without_a_density)
{
    gaussians(0.5, 0.5);
    trust_step step = solve(0.1, 0.2);
    for (size_t i = 0; i < N; i++)
        p[i] = i % 3 ? p[i] + 1000 : -INFINITY;
    trust_step third = solve(0.1 + log(1.5), 0.2 + log(1.5));
    cr_assert_eq(om[3], 0);
    cr_assert_gt(om[4], 0);
    cr_assert_float_eq(third.lam, step.lam, 0.05 * (1 + step.lam));
    q[4] = -INFINITY;
    trust_weights(om, &third, p, q, N);
    cr_assert_eq(om[4], 0);
    for (size_t i = 0; i < N; i++)
        p[i] = -INFINITY;
    cr_assert_eq(trust_weights(om, &third, p, q, N), -INFINITY);
    cr_assert_eq(om[7], 0);
}
