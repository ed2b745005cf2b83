/* Ranges and ticks of axes. */
#include "pipeline/plot/axis.h"

#include <criterion/criterion.h>
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { SIZE = 9 };

static plot_axis range_of(const double *x, size_t n)
{
    plot_axis a;
    flow_err err = FLOW_ERR_INIT;
    cr_assert_eq(plot_axis_central(&a, x, n, 1, 0, &err), 0, "%s", err.text);
    return a;
}

static void check_range(const double *x, size_t n, double lo, double hi)
{
    plot_axis a = range_of(x, n);
    cr_assert(fabs(a.lo - lo) <= 1e-12 * fabs(lo) && fabs(a.hi - hi) <= 1e-12 * fabs(hi),
              "%.17g .. %.17g, want %.17g .. %.17g", a.lo, a.hi, lo, hi);
}

Test(plot_axis, range_leaves_out_a_quarter_of_a_percent_at_each_end)
{
    static double x[2 * 2000]; /* the second column is shuffled 0 .. 1999 */
    plot_axis a;
    flow_err err = FLOW_ERR_INIT;
    for (size_t i = 0; i < 2000; i++)
        x[2 * i + 1] = (double)(i * 1237 % 2000);
    x[1] = INFINITY, x[3] = NAN; /* were 0 and 1237 */
    /* 1998 finite rows, 1 .. 1999 without 1237; 4 cut off at each end */
    cr_assert_eq(plot_axis_central(&a, x, 2000, 2, 1, &err), 0);
    cr_assert_float_eq(a.lo, 5 - 0.06 * 1990, 1e-9);
    cr_assert_float_eq(a.hi, 1995 + 0.06 * 1990, 1e-9);
    cr_assert_eq(plot_axis_share(&a, a.lo), 0);
    cr_assert_eq(plot_axis_share(&a, a.hi), 1);
    cr_assert_float_eq(plot_axis_share(&a, 1000), 0.5, 1e-12);
}

Test(plot_axis, every_column_has_a_range)
{
    check_range(NULL, 0, -0.06, 1.06);
    check_range((const double[]){NAN, INFINITY}, 2, -0.06, 1.06);
    check_range((const double[]){0, 0}, 2, -0.56, 0.56);
    check_range((const double[]){-7}, 1, -7.56, -6.44);
    check_range((const double[]){0.25}, 1, -0.03, 0.53);
    check_range((const double[]){1e12}, 1, 1e12 - 1120, 1e12 + 1120);
    plot_axis a = range_of((const double[]){-DBL_MAX, DBL_MAX}, 2);
    cr_assert(isfinite(a.hi - a.lo) && a.hi - a.lo > 1e307);
    a = range_of((const double[]){-5e-324, 5e-324}, 2);
    cr_assert(isfinite(1e3 / (a.hi - a.lo)), "a density that is finite");
}

typedef struct known {
    double lo, hi, pixels;
    const char *labels;
} known;

Test(plot_axis, known_ticks)
{
    static const known cases[] = {
        {-0.06, 1.06, 300, "0 0.2 0.4 0.6 0.8 1.0"},
        {-1.38, 2.36, 300, "-1 0 1 2"},
        {-0.8, 1.29, 300, "-0.5 0 0.5 1.0"},
        {229.8, 251.3, 300, "230 235 240 245 250"},
        {-90, 1530, 300, "0 500 1000 1500"},
        {0, 1e-6, 300, "0 2e-7 4e-7 6e-7 8e-7 1.0e-6"},
        {0.0012, 0.0048, 300, "0.002 0.003 0.004"},
        {0, 3.3e6, 300, "0 1e6 2e6 3e6"},
        {-3.3e200, 3.3e200, 300, "-2e200 0 2e200"},
        {999997.6, 1000002.3, 300, "999998 1000000 1000002"},
        {-0.06, 1.06, 150, "0 0.5 1.0"},
        {0.31, 0.39, 100, "0.35"},
    };
    for (size_t c = 0; c < sizeof cases / sizeof cases[0]; c++) {
        plot_axis a = {.lo = cases[c].lo, .hi = cases[c].hi};
        char got[PLOT_TICKS * 33] = "";
        plot_axis_ticks(&a, cases[c].pixels, SIZE);
        for (size_t i = 0; i < a.n; i++)
            strcat(strcat(got, i ? " " : ""), a.label[i]);
        cr_assert(strcmp(got, cases[c].labels) == 0, "%g .. %g: %s", cases[c].lo, cases[c].hi, got);
    }
}

static void check_ticks(const plot_axis *a, double pixels)
{
    double step = a->n > 1 ? a->at[1] - a->at[0] : a->hi - a->lo;
    cr_assert(a->n >= 1 && a->n <= PLOT_TICKS, "%g .. %g: %zu ticks", a->lo, a->hi, a->n);
    for (size_t i = 0; i < a->n; i++) {
        double x = pixels * plot_axis_share(a, a->at[i]);
        cr_assert(x >= 0 && x <= pixels, "%g is outside %g .. %g", a->at[i], a->lo, a->hi);
        cr_assert_leq(fabs(strtod(a->label[i], NULL) - a->at[i]), 1e-6 * step, "%s is at %.17g",
                      a->label[i], a->at[i]);
        cr_assert(signbit(a->at[i]) == 0 || a->at[i] < 0, "no -0");
        if (i == 0)
            continue;
        double apart = x - pixels * plot_axis_share(a, a->at[i - 1]);
        cr_assert_geq(apart, 3.6 * SIZE - 1e-6);
        cr_assert_geq(apart, 0.62 * SIZE * (double)strlen(a->label[i]) + 4);
    }
}

/* Ranges of all sizes and places have one to ten ticks in the range, with room between labels
 * that are the number they stand at. */
Test(plot_axis, ticks_of_many_ranges)
{
    for (int power = -279; power <= 300; power += power < -12 || power > 12 ? 13 : 1)
        for (int i = 0; i < 40; i++) {
            double length = pow(10, power) * (1 + 0.23 * i), middle = 0;
            if (i % 4)
                middle = length * pow(10, i % 8) * 1.7 * (i % 3 - 1);
            plot_axis a = {.lo = middle - length / 2, .hi = middle + length / 2};
            plot_axis_ticks(&a, 300, SIZE);
            check_ticks(&a, 300);
        }
}

/* ---- logarithmic and bent ones */

static void labels_of(char *got, const plot_axis *a)
{
    *got = 0;
    for (size_t i = 0; i < a->n; i++)
        strcat(strcat(got, i ? " " : ""), a->label[i]);
}

Test(plot_axis, of_logarithms)
{
    static const struct {
        double lo, hi;
        const char *labels;
    } cases[] = {
        {0.5, 2000, "1 10 100 1000"},
        {0.9, 9, "1 2 5"},
        {1e-9, 1e-3,
         "10\xe2\x81\xbb\xe2\x81\xb9 10\xe2\x81\xbb\xe2\x81\xb8 10\xe2\x81\xbb\xe2\x81\xb7 "
         "10\xe2\x81\xbb\xe2\x81\xb6 10\xe2\x81\xbb\xe2\x81\xb5 10\xe2\x81\xbb\xe2\x81\xb4 "
         "10\xe2\x81\xbb\xc2\xb3"}};
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        plot_axis a = {.lo = cases[c].lo, .hi = cases[c].hi, .log = true};
        char got[PLOT_TICKS * 33];
        plot_axis_ticks(&a, 400, SIZE);
        labels_of(got, &a);
        cr_expect_str_eq(got, cases[c].labels, "%g .. %g: %s", a.lo, a.hi, got);
        for (double x = a.lo; x < a.hi; x *= 1.37)
            cr_expect_float_eq(plot_axis_at(&a, plot_axis_share(&a, x)), x, 1e-12 * x);
    }
}

Test(plot_axis, of_many_decades_have_no_more_ticks_than_there_is_room_for)
{
    plot_axis a = {.lo = 1e-300, .hi = 1e300, .log = true};
    plot_axis_ticks(&a, 200, SIZE);
    cr_expect(a.n >= 2 && a.n <= PLOT_TICKS, "%zu", a.n);
}

/* Its middle has half of the length to itself, its ends are where they are, and ticks are the numbers that they say. */
Test(plot_axis, bent_ones_have_room_for_the_middle_and_all_of_the_tails)
{
    plot_axis a = {.lo = -1e6, .hi = 3e5, .middle = 2, .bend = 1};
    cr_expect_eq(plot_axis_share(&a, a.lo), 0);
    cr_expect_eq(plot_axis_share(&a, a.hi), 1);
    cr_expect_gt(plot_axis_share(&a, 12) - plot_axis_share(&a, -8), 0.2);
    for (double share = 0; share <= 1; share += 0.07)
        cr_expect_float_eq(plot_axis_share(&a, plot_axis_at(&a, share)), share, 1e-9);
    plot_axis_ticks(&a, 300, SIZE);
    cr_assert(a.n >= 3 && a.n <= PLOT_TICKS, "%zu ticks", a.n);
    for (size_t i = 0; i < a.n; i++) {
        cr_expect(fabs(strtod(a.label[i], NULL) - a.at[i]) <= 1e-6 * fabs(a.at[i]), "%s at %g",
                  a.label[i], a.at[i]);
        cr_expect(i == 0 || a.at[i] > a.at[i - 1]);
    }
}
