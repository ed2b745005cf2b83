/* Figures of p = N(.7, 1) out of weighed draws of q = N(0, 1.5^2), and how often they are within their errors. */
#include "student/summary.h"

#include "flow/pcg.h"

#include <criterion/criterion.h>
#include <math.h>

enum { N = 4000, RUNS = 200 };
static double x[N], weight[N];

static student_summary of_run(uint64_t run)
{
    student_summary out;
    double sum = 0;
    pcg_normals(x, (pcg_stream){run, PCG_TEST, PCG_BASE}, 0, N, 1);
    for (size_t i = 0; i < N; i++) {
        x[i] *= 1.5;
        weight[i] = exp(x[i] * x[i] / 4.5 - (x[i] - 0.7) * (x[i] - 0.7) / 2);
        sum += weight[i];
    }
    for (size_t i = 0; i < N; i++)
        weight[i] /= sum;
    cr_assert_eq(student_summarise(&out, x, 1, 0, weight, N, NULL), 0);
    return out;
}

/* Counts runs that are off by more than 1.96 of their errors: 5 % of them, in 200 runs 3 to 21 but for once in 3000. */
static void check_errors(const size_t *off, const char *what)
{
    cr_assert(*off >= 2 && *off <= 21, "%s: off in %zu of %d runs", what, *off, RUNS);
}

static size_t is_off(student_estimate e, double want)
{
    return fabs(e.value - want) > 1.96 * e.se;
}

Test(summary, of_weighed_rows)
{
    const double normal[SUMMARY_QUANTILES] = {-1.959964, -0.6744898, 0, 0.6744898, 1.959964};
    size_t mean = 0, sd = 0, quantile[SUMMARY_QUANTILES] = {0};
    for (uint64_t run = 0; run < RUNS; run++) {
        student_summary s = of_run(run);
        mean += is_off(s.mean, 0.7);
        sd += is_off(s.sd, 1);
        for (size_t k = 0; k < SUMMARY_QUANTILES; k++)
            quantile[k] += is_off(s.quantile[k], 0.7 + normal[k]);
        cr_assert(s.mean.se < 0.05 && s.sd.se < 0.05 && s.quantile[0].se < 0.2);
    }
    check_errors(&mean, "mean");
    check_errors(&sd, "sd");
    for (size_t k = 0; k < SUMMARY_QUANTILES; k++)
        check_errors(&quantile[k], "a quantile");
}

/* By hand: the second of two columns, in no order; all of one value. */
Test(summary, of_few_rows)
{
    const double rows[] = {9, 3, 9, 1, 9, 2, 9, 4}, even[] = {0.25, 0.25, 0.25, 0.25};
    const double same[] = {5, 5, 5, 5};
    student_summary s;
    cr_assert_eq(student_summarise(&s, rows, 2, 1, even, 4, NULL), 0);
    cr_assert_float_eq(s.mean.value, 2.5, 1e-15);
    cr_assert_float_eq(s.mean.se, sqrt(5) / 4, 1e-15);
    cr_assert_float_eq(s.sd.value, sqrt(1.25), 1e-15);
    cr_assert(s.quantile[0].value == 1 && s.quantile[2].value == 2 && s.quantile[4].value == 4);
    cr_assert_eq(student_summarise(&s, same, 1, 0, even, 4, NULL), 0);
    cr_assert(s.mean.value == 5 && s.sd.value == 0 && s.sd.se == 0 && s.quantile[3].se == 0);
}
