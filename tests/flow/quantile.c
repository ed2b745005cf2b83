/* Quantiles against distribution functions and closed forms, far into the tails. */
#include "flow/quantile.h"

#include <criterion/criterion.h>
#include <math.h>

static const double shares[] = {1e-300,      1e-100, 1e-17, 1e-9,   1e-4,     0.01,
                                0.074,       0.076,  0.25,  0.385,  0.5,      0.7,
                                0.924999999, 0.926,  0.99,  0.9999, 1 - 1e-9, 1 - 0x1p-53};
enum { SHARES = sizeof shares / sizeof *shares };

static void near(double got, double want, double tolerance, double u)
{
    cr_expect(fabs(got - want) <= tolerance * fabs(want), "at %g: %.17g, not %.17g", u, got, want);
}

Test(quantile, of_the_normal)
{
    for (int i = 0; i < SHARES; i++) {
        double z = flow_normal_quantile(shares[i]);
        if (z < 0) /* an error e of z is one of z e in log p */
            near(0.5 * erfc(-z / sqrt(2)), shares[i], 1e-14 * (1 + z * z), shares[i]);
        else
            near(0.5 * erfc(z / sqrt(2)), 1 - shares[i], 1e-14 * (1 + z * z), shares[i]);
    }
    near(flow_normal_quantile(0.975), 1.9599639845400542355, 1e-15, 0.975);
    cr_expect(isnan(flow_normal_quantile(NAN)) && flow_normal_quantile(0.5) == 0);
}

Test(quantile, of_students_t)
{
    for (int i = 0; i < SHARES; i++) {
        const double u = shares[i], p = 4 * u * (1 - u);
        if (u > 1e-250) {
            double one = u < 0.5 ? -1 / tan(acos(-1) * u) : 1 / tan(acos(-1) * (1 - u));
            near(flow_student_t_quantile(u, 1), u == 0.5 ? 0 : one, 1e-12, u);
            near(flow_student_t_quantile(u, 2), (2 * u - 1) / sqrt(2 * u * (1 - u)), 1e-12, u);
        }
        if (u > 1e-6 &&
            u < 1 - 1e-6) { /* dof = 4: Shaw 2006; the closed form cancels further out */
            double four = copysign(2 * sqrt(cos(acos(sqrt(p)) / 3) / sqrt(p) - 1), u - 0.5);
            near(flow_student_t_quantile(u, 4), u == 0.5 ? 0 : four, 1e-8, u);
        }
        if (u > 1e-9 && u < 1 - 1e-9) { /* nearly normal: Abramowitz & Stegun 26.7.5 */
            double z = flow_normal_quantile(u), z3 = z * z * z, n = 1e4;
            double z5 = z3 * z * z;
            double want = z + (z3 + z) / (4 * n) + (5 * z5 + 16 * z3 + 3 * z) / (96 * n * n);
            near(flow_student_t_quantile(u, n), want, 1e-9, u);
        }
    }
    /* far out P(T < -t) -> constant t^-dof: a tenth of the share is 100 times as far */
    near(flow_student_t_quantile(1e-40, 0.5) / flow_student_t_quantile(1e-39, 0.5), 100, 1e-10, 0);
    cr_expect(isnan(flow_student_t_quantile(NAN, 3)) && flow_student_t_quantile(0.5, 3) == 0);
}

Test(quantile, of_a_mixture)
{
    static const double weight[] = {3, 0, 1, 1}, mean[] = {-40, 1e6, 0, 5},
                        sd[] = {0.01, 1, 1, 0.385};
    for (int i = 2; i < SHARES; i++) {
        double z = flow_mixture_quantile(shares[i], weight, mean, sd, 4), below = 0;
        for (int k = 0; k < 4; k++)
            below += weight[k] / 5 * 0.5 * erfc(-(z - mean[k]) / sd[k] / sqrt(2));
        cr_expect_float_eq(below, shares[i], 1e-12, "%g: z = %g has %.17g", shares[i], z, below);
    }
    near(flow_mixture_quantile(0.1, (double[]){2}, (double[]){3}, (double[]){0.5}, 1),
         3 + 0.5 * flow_normal_quantile(0.1), 1e-15, 0.1);
    cr_expect(isnan(flow_mixture_quantile(NAN, weight, mean, sd, 4)));
}
