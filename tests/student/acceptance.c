/* Acceptance of independent proposals against a closed form, and against all pairs. */
#include "student/acceptance.h"

#include "flow/pcg.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>

static const pcg_stream stream = {.seed = 91, .stage = PCG_TEST, .purpose = PCG_BASE};

/* q = N(0, 1), p = N(m, 1): log w' - log w ~ N(-m^2, 2 m^2) with x' ~ q and x ~ p, so the mean of min(1, w' / w) is
 * 2 Phi(-m / sqrt 2) = erfc(m / 2). */
static student_estimate of_shift(double m, double scale, size_t n)
{
    flow_err err = FLOW_ERR_INIT;
    student_estimate out;
    double *l = malloc(n * sizeof *l);
    pcg_normals(l, stream, 0, n, 1);
    for (size_t i = 0; i < n; i++)
        l[i] = m * l[i] - m * m / 2 + scale;
    cr_assert_eq(student_acceptance(&out, l, n, &err), 0, "%s", err.text);
    free(l);
    return out;
}

/* Four standard errors: one false alarm in 16,000 for each. */
Test(acceptance, of_two_gaussians)
{
    for (double m = 0.25; m < 1.1; m *= 2) {
        student_estimate a = of_shift(m, 0, 100000), b = of_shift(m, 700, 100000);
        cr_expect(fabs(a.value - erfc(m / 2)) < 4 * a.se, "m = %g: %g +- %g, not %g", m, a.value,
                  a.se, erfc(m / 2));
        cr_expect(a.se > 1e-4 && a.se < 1e-2, "m = %g: se %g", m, a.se);
        cr_expect_float_eq(a.value, b.value, 1e-10, "a factor on all weights is none");
    }
}

Test(acceptance, is_the_mean_over_all_pairs)
{
    enum { N = 37 };
    flow_err err = FLOW_ERR_INIT;
    double l[N], sum = 0, total = 0;
    student_estimate a;
    pcg_normals(l, stream, 1000, N, 1);
    l[3] = -INFINITY;
    for (size_t i = 0; i < N; i++)
        for (size_t j = 0; j < N; j++)
            sum += exp(fmin(l[i], l[j]));
    for (size_t i = 0; i < N; i++)
        total += exp(l[i]);
    cr_assert_eq(student_acceptance(&a, l, N, &err), 0);
    cr_expect_float_eq(a.value, sum / (N * total), 1e-13);
}

/* The spread of 200 estimates is what each says of itself. */
Test(acceptance, its_standard_error_is_its_spread)
{
    enum { TIMES = 200, N = 500 };
    flow_err err = FLOW_ERR_INIT;
    double l[N], sum = 0, squares = 0, said = 0;
    for (size_t t = 0; t < TIMES; t++) {
        student_estimate a;
        pcg_normals(l, stream, 5000 + t * N, N, 1);
        cr_assert_eq(student_acceptance(&a, l, N, &err), 0);
        sum += a.value;
        squares += a.value * a.value;
        said += a.se / TIMES;
    }
    double sd = sqrt((squares - sum * sum / TIMES) / (TIMES - 1));
    cr_expect(said > 0.75 * sd && said < 1.33 * sd, "said %g, is %g", said, sd);
}

Test(acceptance, of_few_rows_or_none)
{
    flow_err err = FLOW_ERR_INIT;
    const double one[] = {0}, equal[] = {2, 2, 2}, zero[] = {-INFINITY, -INFINITY};
    student_estimate a;
    cr_assert_eq(student_acceptance(&a, one, 1, &err), 0);
    cr_expect(isnan(a.value) && isnan(a.se));
    cr_assert_eq(student_acceptance(&a, zero, 2, &err), 0);
    cr_expect(isnan(a.value));
    cr_assert_eq(student_acceptance(&a, equal, 3, &err), 0);
    cr_expect(fabs(a.value - 1) < 1e-15 && fabs(a.se) < 1e-15);
}
