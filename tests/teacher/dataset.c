/* Data sets: what becomes of each number of a table, and every reason to refuse rows and columns. */
#include "tests/teacher/tables.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- the ordinary case */

Test(dataset, default_options)
{
    data_options options = data_options_default();
    data_set *set = data_made(data_table(20, 3, NULL), &options);
    cr_assert(set->dim == 3 && set->n_context == 0 && set->dropped == 0);
    cr_assert(set->train.n == 16 && set->valid.n == 2 && set->test.n == 2);
    cr_assert(!set->train.context.at && !set->context_units && !set->context_names);
    for (size_t col = 0; col < 3; col++) {
        double mean = 0, var = 0;
        for (size_t row = 0; row < 16; row++)
            mean += data_value_at(row, col) / 16;
        for (size_t row = 0; row < 16; row++)
            var += pow(data_value_at(row, col) - mean, 2) / 16;
        cr_assert_float_eq(set->units->column[col].shift, mean, 1e-14 * fabs(mean));
        cr_assert_float_eq(set->units->column[col].scale, sqrt(var), 1e-13);
        for (size_t row = 0; row < 20; row++) {
            const double *x = row < 16   ? data_x(&set->train) + row * 3
                              : row < 18 ? data_x(&set->valid) + (row - 16) * 3
                                         : data_x(&set->test) + (row - 18) * 3;
            cr_assert_float_eq(x[col], (data_value_at(row, col) - mean) / sqrt(var), 1e-12,
                               "row %zu, column %zu", row, col);
        }
        char name[] = {'x', (char)('0' + col), '\0'};
        cr_assert_str_eq(set->names[col], name);
    }
    data_set_free(set);
    data_set_free(NULL);
}

Test(dataset, the_smallest)
{
    data_options options = data_options_default();
    options.valid = options.test = 0;
    data_set *set = data_made(data_table(2, 1, NULL), &options);
    cr_assert(set->dim == 1 && set->train.n == 2 && set->valid.n == 0 && set->test.n == 0);
    cr_assert_float_eq(fabs(data_x(&set->train)[0]), 1, 1e-14);
    cr_assert_float_eq(data_x(&set->train)[0] + data_x(&set->train)[1], 0, 1e-14);
    data_set_free(set);
}

Test(dataset, units_lead_back_to_the_table)
{
    data_options options = data_options_default();
    options.kind = (data_kind){.lo = 0, .hi = 25, .alpha = 0.05, .step = 0.5, .smear = true};
    data_set *set = data_made(data_table(40, 3, NULL), &options);
    double x[40 * 3], u[40 * 3];
    flow_units_to_user(set->units, x, NULL, data_x(&set->train), 40);
    flow_units_to_flow(set->units, u, NULL, x, 40);
    for (size_t i = 0; i < 40 * 3; i++) {
        double noise = x[i] - data_value_at(i / 3, i % 3);
        cr_assert(noise > -1e-9 && noise < 0.5 + 1e-9, "%zu: %g", i, noise);
        cr_assert_float_eq(u[i], data_x(&set->train)[i], 1e-9);
    }
    for (size_t col = 0; col < 3; col++) {
        cr_assert_eq(set->units->column[col].support, FLOW_BETWEEN);
        double mean = 0;
        for (size_t row = 0; row < set->train.n; row++)
            mean += data_x(&set->train)[row * 3 + col] / (double)set->train.n;
        cr_assert_float_eq(mean, 0, 1e-13, "standardized after the logit");
    }
    data_set_free(set);
}

/* ---- columns */

Test(dataset, chosen_columns)
{
    static const char *const columns[] = {"1", "time"}, *const context[] = {"price"};
    data_options options = data_plain();
    options.columns = columns;
    options.n_columns = 2;
    options.context = context;
    options.n_context = 1;
    data_set *set = data_made(data_table(10, 3, data_names3), &options);
    cr_assert(set->dim == 2 && set->n_context == 1);
    cr_assert_str_eq(set->names[0], "1", "a name wins over a number");
    cr_assert_str_eq(set->names[1], "time");
    cr_assert_str_eq(set->context_names[0], "price");
    const flow_unit *unit = &set->context_units->column[0];
    for (size_t row = 0; row < 10; row++) {
        cr_assert_eq(data_x(&set->train)[row * 2], data_value_at(row, 2));
        cr_assert_eq(data_x(&set->train)[row * 2 + 1], data_value_at(row, 0));
        cr_assert_eq(data_context(&set->train)[row],
                     (data_value_at(row, 1) - unit->shift) / unit->scale,
                     "context is standardized also when data are not");
    }
    cr_assert(unit->scale > 0 && unit->scale < 1);
    cr_assert_eq(set->units->column[0].scale, 1);
    data_set_free(set);
}

Test(dataset, numbered_columns_and_the_rest)
{
    static const char *const context[] = {"2", "0"};
    data_options options = data_options_default();
    options.context = context;
    options.n_context = 2;
    data_set *set = data_made(data_table(20, 4, NULL), &options);
    cr_assert(set->dim == 2 && set->n_context == 2);
    cr_assert_str_eq(set->names[0], "x1");
    cr_assert_str_eq(set->names[1], "x3");
    cr_assert_str_eq(set->context_names[0], "x2");
    cr_assert_str_eq(set->context_names[1], "x0");
    double row[2];
    flow_units_to_user(set->context_units, row, NULL, data_context(&set->test) + 2, 1);
    cr_assert_float_eq(row[0], data_value_at(19, 2), 1e-12, "the last row of the test part");
    cr_assert_float_eq(row[1], data_value_at(19, 0), 1e-12);
    data_set_free(set);
}

Test(dataset, refuses_columns)
{
    static const struct {
        const char *columns[4], *context[4];
        bool named;
        const char *want;
    } cases[] = {
        {{"prise"}, {0}, true, "x.npy: there is no column 'prise'; did you mean 'price'?"},
        {{0}, {"weather"}, true, "x.npy: there is no column 'weather'"},
        {{"3"}, {0}, true, "x.npy: there is no column '3'"},
        {{"price"},
         {0},
         false,
         "x.npy: there is no column 'price'; its columns have no names, only numbers from 0 to 2"},
        {{"-1"},
         {0},
         false,
         "x.npy: there is no column '-1'; its columns have no names, only numbers from 0 to 2"},
        {{"1x"},
         {0},
         false,
         "x.npy: there is no column '1x'; its columns have no names, only numbers from 0 to 2"},
        {{"18446744073709551616"},
         {0},
         false,
         "x.npy: there is no column '18446744073709551616'; its columns have no names, only "
         "numbers "
         "from 0 to 2"},
        {{"time", "0"},
         {0},
         true,
         "x.npy: column '0' is asked for twice; a column is modelled, or given, or a weight"},
        {{0},
         {"time", "time"},
         true,
         "x.npy: column 'time' is asked for twice; a column is modelled, or given, or a weight"},
        {{"time"},
         {"time"},
         true,
         "x.npy: column 'time' is asked for twice; a column is modelled, or given, or a weight"},
        {{0},
         {"time", "price", "1"},
         true,
         "x.npy: every column is context; none is left to model"},
        {{"0", "0", "0", "0"}, {0}, true, "x.npy: 4 columns are asked for, there are 3"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        data_options options = data_options_default();
        options.columns = cases[i].columns;
        options.context = cases[i].context;
        while (options.n_columns < 4 && cases[i].columns[options.n_columns])
            options.n_columns++;
        while (options.n_context < 4 && cases[i].context[options.n_context])
            options.n_context++;
        data_refuse(data_table(20, 3, cases[i].named ? data_names3 : NULL), &options, FLOW_ECONFIG,
                    cases[i].want);
    }
}

/* ---- rows */

Test(dataset, split_by_position)
{
    static const struct {
        size_t rows;
        double valid, test;
        size_t train_n, valid_n, test_n;
    } cases[] = {{1000, 0.1, 0.1, 800, 100, 100},
                 {19443, 0.1, 0.1, 15554, 1944, 1945},
                 {1797, 0.1, 0.1, 1437, 180, 180},
                 {10, 0.2, 0.3, 5, 2, 3},
                 {7, 0, 0, 7, 0, 0},
                 {7, 0, 0.5, 3, 0, 4},
                 {7, 0.5, 0, 3, 4, 0},
                 {100, 0.3, 0.3, 40, 30, 30},
                 {1000, 0.45, 0.45, 100, 450, 450}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        data_options options = data_plain();
        options.valid = cases[i].valid;
        options.test = cases[i].test;
        data_set *set = data_made(data_table(cases[i].rows, 1, NULL), &options);
        cr_assert(set->train.n == cases[i].train_n && set->valid.n == cases[i].valid_n &&
                      set->test.n == cases[i].test_n,
                  "case %zu: %zu, %zu, %zu", i, set->train.n, set->valid.n, set->test.n);
        for (size_t row = 0; row < cases[i].rows; row++)
            cr_assert_eq(data_x(&set->train)[row], data_value_at(row, 0), "case %zu, row %zu", i,
                         row);
        cr_assert(data_x(&set->valid) == data_x(&set->train) + set->train.n);
        cr_assert(data_x(&set->test) == data_x(&set->valid) + set->valid.n);
        data_set_free(set);
    }
}

static int by_value(const void *a, const void *b)
{
    double left = *(const double *)a, right = *(const double *)b;
    return (left > right) - (left < right);
}

Test(dataset, split_by_seed)
{
    enum { ROWS = 50 };
    double first[ROWS];
    for (uint64_t seed = 0; seed < 3; seed++) {
        data_options options = data_options_default();
        options.standardize = false;
        options.split = DATA_SPLIT_SEED;
        options.seed = seed % 2;
        data_set *set = data_made(data_table(ROWS, 1, NULL), &options);
        double sorted[ROWS], table[ROWS];
        size_t moved = 0;
        for (size_t row = 0; row < ROWS; row++) {
            table[row] = data_value_at(row, 0);
            moved += data_x(&set->train)[row] != table[row];
        }
        cr_assert_gt(moved, ROWS / 2);
        memcpy(sorted, data_x(&set->train), sizeof sorted);
        qsort(sorted, ROWS, sizeof *sorted, by_value);
        qsort(table, ROWS, sizeof *table, by_value);
        cr_assert_eq(memcmp(sorted, table, sizeof table), 0, "every row once");
        if (seed == 0)
            memcpy(first, data_x(&set->train), sizeof first);
        cr_assert_eq(memcmp(first, data_x(&set->train), sizeof first) == 0, seed % 2 == 0,
                     "seed %d", (int)seed);
        data_set_free(set);
    }
}

Test(dataset, refuses_splits)
{
    static const struct {
        size_t rows;
        double valid, test;
        int code;
        const char *want;
    } cases[] = {
        {20, 0.5, 0.5, FLOW_ECONFIG,
         "shares of 0.5 for validation and 0.5 for test leave nothing to train on"},
        {20, -0.1, 0.5, FLOW_ECONFIG,
         "shares of -0.1 for validation and 0.5 for test leave nothing to train on"},
        {20, 0, (double)NAN, FLOW_ECONFIG,
         "shares of 0 for validation and nan for test leave nothing to train on"},
        {0, 0.1, 0.1, FLOW_EDATA,
         "x.npy: 0 rows are too few: 0 to train, 0 to validate, 0 to test"},
        {1, 0, 0, FLOW_EDATA, "x.npy: 1 rows are too few: 1 to train, 0 to validate, 0 to test"},
        {5, 0.1, 0.1, FLOW_EDATA,
         "x.npy: 5 rows are too few: 4 to train, 0 to validate, 1 to test"},
        {3, 0.5, 0, FLOW_EDATA, "x.npy: 3 rows are too few: 1 to train, 2 to validate, 0 to test"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        data_options options = data_options_default();
        options.valid = cases[i].valid;
        options.test = cases[i].test;
        data_refuse(data_table(cases[i].rows, 2, NULL), &options, cases[i].code, cases[i].want);
    }
}

Test(dataset, not_finite)
{
    static const double bad[] = {NAN, INFINITY, -INFINITY};
    static const char *const words[] = {"nan, or missing", "inf", "-inf"};
    for (size_t i = 0; i < 3; i++) {
        char want[200];
        data_options options = data_options_default();
        file_table *table = data_table(30, 3, data_names3);
        table->values[4 * 3 + 1] = bad[i];
        table->values[9 * 3 + 0] = table->values[9 * 3 + 2] = NAN;
        snprintf(want, sizeof want,
                 "x.npy: 2 of 30 rows are not finite; first: row 4, column 1 'price' (counted from "
                 "0) is %s; data.nonfinite: drop leaves such rows out",
                 words[i]);
        data_refuse(table, &options, FLOW_EDATA, want);
    }
}

Test(dataset, not_finite_rows_dropped)
{
    static const char *const context[] = {"2"};
    data_options options = data_plain();
    options.nonfinite = DATA_NONFINITE_DROP;
    options.context = context;
    options.n_context = 1;
    file_table *table = data_table(30, 3, NULL);
    table->values[4 * 3 + 1] = NAN;
    table->values[9 * 3 + 2] = INFINITY; /* in the context */
    data_set *set = data_made(table, &options);
    cr_assert(set->dropped == 2 && set->train.n == 28);
    for (size_t i = 0; i < 28; i++) {
        size_t row = i + (i >= 4) + (i >= 8);
        cr_assert_eq(data_x(&set->train)[i * 2], data_value_at(row, 0), "row %zu", row);
    }
    data_set_free(set);

    table = data_table(30, 3, NULL);
    for (size_t i = 0; i < 30; i++)
        table->values[i * 3 + 1 - i % 2] = table->values[i * 3] = NAN;
    data_refuse(table, &options, FLOW_EDATA,
                "x.npy: none of the 30 rows is finite: column 0 (counted from 0) has no number in "
                "any of them; leave it out");
    table = data_table(30, 3, NULL);
    for (size_t i = 0; i < 30; i++)
        table->values[i * 3 + 2 - i % 2] = NAN;
    data_refuse(table, &options, FLOW_EDATA,
                "x.npy: none of the 30 rows is finite: column 2 (counted from 0) is the first that "
                "has none");
}

Test(dataset, dropped_rows_stay_out_of_a_shuffle)
{
    data_options options = data_plain();
    options.nonfinite = DATA_NONFINITE_DROP;
    options.split = DATA_SPLIT_SEED;
    file_table *table = data_table(30, 1, NULL);
    table->values[0] = table->values[13] = NAN;
    data_set *set = data_made(table, &options);
    size_t seen[30] = {0};
    cr_assert_eq(set->train.n, 28);
    for (size_t i = 0; i < 28; i++)
        for (size_t row = 0; row < 30; row++)
            seen[row] += data_x(&set->train)[i] == data_value_at(row, 0);
    for (size_t row = 0; row < 30; row++)
        cr_assert_eq(seen[row], row != 0 && row != 13, "row %zu", row);
    data_set_free(set);
}

Test(dataset, not_finite_does_not_matter_elsewhere)
{
    static const char *const columns[] = {"0"};
    data_options options = data_plain();
    options.columns = columns;
    options.n_columns = 1;
    file_table *table = data_table(30, 3, NULL);
    table->values[4 * 3 + 1] = NAN;
    data_set *set = data_made(table, &options);
    cr_assert(set->dropped == 0 && set->train.n == 30);
    data_set_free(set);
}
