/* Data sets: dequantising and units, and every reason to refuse them. */
#include "tests/teacher/tables.h"

#include <criterion/criterion.h>
#include <math.h>
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
        noise[i] = set->train.x[i] - 10 * floor(set->train.x[i] / 10);
    data_set_free(set);
    return noise;
}

Test(dataset_units, dequantising)
{
    static const double both[] = {2.5}, one[] = {0, 4};
    size_t n;
    data_options options = data_plain();
    options.dequantise = both;
    options.n_dequantise = 1;
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

    options.dequantise = one;
    options.n_dequantise = 2;
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

Test(dataset_units, refuses_steps)
{
    static const double steps[] = {0.5, -1, 2}, infinite[] = {INFINITY};
    data_options options = data_options_default();
    options.dequantise = steps;
    options.n_dequantise = 2;
    data_refuse(data_table(20, 3, NULL), &options, FLOW_ECONFIG,
                "dequantise: 2 steps for 3 columns; give one for all or one each");
    options.n_dequantise = 3;
    data_refuse(data_table(20, 3, NULL), &options, FLOW_ECONFIG,
                "dequantise: step 1 is -1; wanted >= 0");
    options.dequantise = infinite;
    options.n_dequantise = 1;
    data_refuse(data_table(20, 3, NULL), &options, FLOW_ECONFIG,
                "dequantise: step 0 is inf; wanted >= 0");
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

Test(dataset_units, refuses_logits)
{
    data_options options = data_options_default();
    options.logit = true;
    options.logit_lo = 0;
    options.logit_hi = 0;
    data_refuse(data_table(20, 3, NULL), &options, FLOW_ECONFIG, "logit: lo 0 is not below hi 0");
    options.logit_hi = 20;
    options.logit_alpha = 0.5;
    data_refuse(data_table(20, 3, NULL), &options, FLOW_ECONFIG,
                "logit: alpha 0.5 is not in [0, 0.5)");
    options.logit_alpha = 0;
    file_table *table = data_table(20, 3, data_names3);
    for (size_t i = 0; i < 20 * 3; i++)
        table->values[i] = fmin(table->values[i], 19.5 - 0.01 * (double)(i % 17));
    table->values[19 * 3 + 1] = 20; /* a test row: it could not be scored */
    data_refuse(
        table, &options, FLOW_EDATA,
        "x.npy: row 19, column 1 'price' (counted from 0): 20 is outside the logit's 0 to 20");
}
