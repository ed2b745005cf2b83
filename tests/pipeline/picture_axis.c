/* Ranges and ticks of a picture's axes. */
#include "pipeline/report/picture_axis.h"

#include <criterion/criterion.h>
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const picture_pen PEN = {.size = 8.5, .weight = 1.25};

static picture_axis range_of(const double *x, size_t n)
{
    picture_axis a;
    flow_err err = FLOW_ERR_INIT;
    cr_assert_eq(picture_axis_range(&a, x, n, 1, 0, &err), 0, "%s", err.text);
    return a;
}

static void check_range(const double *x, size_t n, double lo, double hi)
{
    picture_axis a = range_of(x, n);
    cr_assert(fabs(a.lo - lo) <= 1e-12 * fabs(lo) && fabs(a.hi - hi) <= 1e-12 * fabs(hi),
              "%.17g .. %.17g, want %.17g .. %.17g", a.lo, a.hi, lo, hi);
}

Test(picture_axis, range_leaves_out_a_quarter_of_a_percent_at_each_end)
{
    static double x[2 * 2000]; /* the second column is shuffled 0 .. 1999 */
    picture_axis a;
    flow_err err = FLOW_ERR_INIT;
    for (size_t i = 0; i < 2000; i++)
        x[2 * i + 1] = (double)(i * 1237 % 2000);
    x[1] = INFINITY, x[3] = NAN; /* were 0 and 1237 */
    /* 1998 finite rows, 1 .. 1999 without 1237; 4 cut off at each end */
    cr_assert_eq(picture_axis_range(&a, x, 2000, 2, 1, &err), 0);
    cr_assert_float_eq(a.lo, 5 - 0.06 * 1990, 1e-9);
    cr_assert_float_eq(a.hi, 1995 + 0.06 * 1990, 1e-9);
    cr_assert_eq(picture_axis_share(&a, a.lo), 0);
    cr_assert_eq(picture_axis_share(&a, a.hi), 1);
    cr_assert_float_eq(picture_axis_share(&a, 1000), 0.5, 1e-12);
}

Test(picture_axis, every_column_has_a_range)
{
    check_range(NULL, 0, -0.06, 1.06);
    check_range((const double[]){NAN, INFINITY}, 2, -0.06, 1.06);
    check_range((const double[]){0, 0}, 2, -0.56, 0.56);
    check_range((const double[]){-7}, 1, -7.56, -6.44);
    check_range((const double[]){0.25}, 1, -0.03, 0.53);
    check_range((const double[]){1e12}, 1, 1e12 - 1120, 1e12 + 1120);
    picture_axis a = range_of((const double[]){-DBL_MAX, DBL_MAX}, 2);
    cr_assert(isfinite(a.hi - a.lo) && a.hi - a.lo > 1e307);
    a = range_of((const double[]){-5e-324, 5e-324}, 2);
    cr_assert(isfinite(1e3 / (a.hi - a.lo)), "a density that is finite");
}

typedef struct known {
    double lo, hi, pixels;
    const char *labels;
} known;

Test(picture_axis, known_ticks)
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
        picture_axis a = {.lo = cases[c].lo, .hi = cases[c].hi};
        char got[PICTURE_TICKS * 33] = "";
        picture_axis_ticks(&a, cases[c].pixels, PEN);
        for (size_t i = 0; i < a.n; i++)
            strcat(strcat(got, i ? " " : ""), a.label[i]);
        cr_assert(strcmp(got, cases[c].labels) == 0, "%g .. %g: %s", cases[c].lo, cases[c].hi, got);
    }
}

static void check_ticks(const picture_axis *a, double pixels)
{
    double step = a->n > 1 ? a->at[1] - a->at[0] : a->hi - a->lo;
    cr_assert(a->n >= 1 && a->n <= PICTURE_TICKS, "%g .. %g: %zu ticks", a->lo, a->hi, a->n);
    for (size_t i = 0; i < a->n; i++) {
        double x = pixels * picture_axis_share(a, a->at[i]);
        cr_assert(x >= 0 && x <= pixels, "%g is outside %g .. %g", a->at[i], a->lo, a->hi);
        cr_assert_leq(fabs(strtod(a->label[i], NULL) - a->at[i]), 1e-6 * step, "%s is at %.17g",
                      a->label[i], a->at[i]);
        cr_assert(signbit(a->at[i]) == 0 || a->at[i] < 0, "no -0");
        if (i == 0)
            continue;
        double apart = x - pixels * picture_axis_share(a, a->at[i - 1]);
        cr_assert_geq(apart, 40);
        cr_assert_geq(apart, picture_text_width(a->label[i], PEN) + 4);
    }
}

/* Ranges of all sizes and places have one to eight ticks in the range, with room between labels
 * that are the number they stand at. */
Test(picture_axis, ticks_of_many_ranges)
{
    for (int power = -279; power <= 300; power += power < -12 || power > 12 ? 13 : 1)
        for (int i = 0; i < 40; i++) {
            double length = pow(10, power) * (1 + 0.23 * i), middle = 0;
            if (i % 4)
                middle = length * pow(10, i % 8) * 1.7 * (i % 3 - 1);
            picture_axis a = {.lo = middle - length / 2, .hi = middle + length / 2};
            picture_axis_ticks(&a, 300, PEN);
            check_ticks(&a, 300);
        }
}
