/* Data sets: dequantising and units, and every reason to refuse them. */
#include "tests/teacher/tables.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- dequantising */

/* The noise that 200 rows of two columns got, in the order of the rows of the set. */
static double *noise_of(const data_options *options, size_t *n, bool with_nan)
{
    file_table *table = data_table(200, 2, NULL);
    for (size_t i = 0; i < 400; i++)
        table->values[i] = (double)(i * 10);
    if (with_nan)
        table->values[2 * 17] = NAN;
    data_set *set = data_made(table, options);
    *n = set->train.n;
    double *noise = malloc(*n * 2 * sizeof *noise);
    for (size_t i = 0; i < *n * 2; i++)
        noise[i] = data_x(&set->train)[i] - 10 * floor(data_x(&set->train)[i] / 10);
    data_set_free(set);
    return noise;
}

Test(dataset_units, dequantising)
{
    data_kind one[] = {data_kind_plain, data_kind_plain};
    size_t n;
    data_options options = data_plain();
    options.kind.step = 2.5;
    options.kind.smear = one[1].smear = true;
    one[1].step = 4;
    double *noise = noise_of(&options, &n, false), mean = 0, largest = 0;
    for (size_t i = 0; i < 400; i++) {
        cr_assert(noise[i] >= 0 && noise[i] <= 2.5, "%g", noise[i]);
        mean += noise[i] / 400;
        largest = fmax(largest, noise[i]);
    }
    /* standard error 2.5 / sqrt(12 * 400): 5 of them, 6e-7; largest below 2.4: 8e-8 */
    cr_assert_float_eq(mean, 1.25, 5 * 2.5 / sqrt(12. * 400), "%g", mean);
    cr_assert_gt(largest, 2.4);

    options.nonfinite = DATA_NONFINITE_DROP;
    double *dropped = noise_of(&options, &n, true);
    cr_assert_eq(n, 199);
    for (size_t i = 0; i < 398; i++)
        cr_assert_eq(dropped[i], noise[i < 34 ? i : i + 2], "noise follows the row of the table");
    free(dropped);

    options.kinds = one;
    double *second = noise_of(&options, &n, false);
    for (size_t i = 0; i < 400; i += 2) {
        cr_assert_eq(second[i], 0);
        cr_assert_float_eq(second[i + 1], noise[i + 1] * 1.6, 1e-11);
    }
    free(second);

    options.seed = 1;
    second = noise_of(&options, &n, false);
    cr_assert_neq(second[1], noise[1] * 1.6, "the seed has an effect");
    free(second);
    free(noise);
}

Test(dataset_units, refuses_kinds)
{
    static const struct {
        data_kind kind;
        const char *want;
    } cases[] = {
        {{.lo = 0, .hi = 1, .step = -1}, "step is -1; wanted >= 0"},
        {{.lo = 0, .hi = 1, .step = INFINITY}, "step is inf; wanted >= 0"},
        {{.lo = 0, .hi = 0}, "lo 0 is not below hi 0"},
        {{.lo = NAN, .hi = 1}, "lo nan is not below hi 1"},
        {{.lo = -1e308, .hi = 1e308}, "lo -1e+308 is not below hi 1e+308"},
        {{.lo = 0, .hi = 20, .alpha = 0.5}, "alpha 0.5 is not in [0, 0.5)"},
        {{.lo = 0, .hi = INFINITY, .alpha = 0.1}, "alpha needs a support with two ends"},
        {{.lo = 0, .hi = 20, .link = DATA_LINK_LOG},
         "link needs a support with one end, like positive or [20, inf]"},
        {{.lo = 0, .hi = INFINITY, .period = 2, .link = DATA_LINK_LOG},
         "link needs a support with one end, like positive or [20, inf]"},
        {{.lo = -INFINITY, .hi = INFINITY, .period = -2}, "period is -2; wanted >= 0"},
        {{.lo = 0, .hi = INFINITY, .period = 2},
         "a column with a period has no support but one of that length"},
        {{.lo = -INFINITY, .hi = INFINITY, .period = 2, .step = 2},
         "step 2 is not below the period 2"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        data_options options = data_options_default();
        char want[200];
        snprintf(want, sizeof want, "x.npy: column 0 (counted from 0): %s", cases[i].want);
        options.kind = cases[i].kind;
        data_refuse(data_table(20, 3, NULL), &options, FLOW_ECONFIG, want);
    }
    data_options options = data_options_default();
    options.kind.period = 10;
    options.wrap = true;
    data_refuse(data_table(20, 7, NULL), &options, FLOW_EDATA,
                "7 columns are wrapped round circles, 6 at most can be");
}

/* ---- units */

Test(dataset_units, refuses_constant_columns)
{
    static const char *const context[] = {"price"};
    data_options options = data_options_default();
    for (size_t variant = 0; variant < 3; variant++) {
        file_table *table = data_table(20, 3, data_names3);
        for (size_t row = 0; row < 16; row++) /* the last four rows differ */
            table->values[row * 3 + 1] = -0.713;
        options.standardize = variant == 0;
        options.context = context;
        options.n_context = variant == 2;
        data_refuse(
            table, &options, FLOW_EDATA,
            "x.npy: column 1 'price' (counted from 0) is -0.713 in all 16 training rows; leave "
            "it out");
    }
}

Test(dataset_units, ends_that_agree_are_not_constant)
{
    data_options options = data_options_default();
    file_table *table = data_table(20, 1, NULL);
    table->values[15] = table->values[0]; /* the last training row */
    data_set_free(data_made(table, &options));
}

Test(dataset_units, refuses_columns_without_scale)
{
    static const struct {
        double size;
        const char *want;
    } cases[] = {{1e200, "x.npy: column 2 (counted from 0) has a standard deviation of inf"},
                 {1e-200, "x.npy: column 2 (counted from 0) has a standard deviation of 0"}};
    for (size_t i = 0; i < 2; i++) {
        data_options options = data_options_default();
        file_table *table = data_table(20, 3, NULL);
        for (size_t row = 0; row < 20; row++)
            table->values[row * 3 + 2] = row % 2 ? cases[i].size : 0;
        data_refuse(table, &options, FLOW_EDATA, cases[i].want);
    }
}

Test(dataset_units, refuses_rows_outside)
{
    data_options options = data_options_default();
    options.kind.lo = 0;
    options.kind.hi = 20;
    file_table *table = data_table(20, 3, data_names3);
    for (size_t i = 0; i < 20 * 3; i++)
        table->values[i] = fmin(table->values[i], 19.5 - 0.01 * (double)(i % 17));
    table->values[19 * 3 + 1] = 20.5; /* a test row: it could not be scored */
    data_refuse(table, &options, FLOW_EDATA,
                "x.npy: row 19, column 1 'price' (counted from 0): 20.5 is not between 0 and 20");
    table = data_table(20, 1, NULL);
    for (size_t i = 0; i < 20; i++)
        table->values[i] = i < 2 ? 0 : 0.25 * (double)i;
    data_refuse(
        table, &options, FLOW_EDATA,
        "x.npy: column 0 (counted from 0): 2 of 20 rows are 0, the end of its support, and a "
        "density has no place for so many; give it a step, if values are rounded, or a wider "
        "support, or alpha: 1e-6, if it has two ends");
}

/* One row of a hundred on an end counts as half as far inside as the nearest other one. */
Test(dataset_units, a_value_on_an_end)
{
    data_options options = data_plain();
    options.kind.lo = 0;
    file_table *table = data_table(20, 1, NULL);
    for (size_t i = 0; i < 20; i++)
        table->values[i] = 0.25 * (double)i;
    data_set *set = data_made(table, &options);
    cr_assert_float_eq(set->units->column[0].edge, 0.125, 1e-15);
    cr_assert_float_eq(data_x(&set->train)[0], log(0.125), 1e-14);
    data_set_free(set);
}
