/* Numbers in either precision, rows a few at a time, and what single precision does to a data set. */
#include "teacher/numbers.h"

#include "flow/units.h"
#include "teacher/cells.h"
#include "teacher/thin.h"
#include "tests/teacher/tables.h"

#include <criterion/criterion.h>
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const flow_precision both[] = {FLOW_F32, FLOW_F64};

static double rounded(double x, flow_precision precision)
{
    return precision == FLOW_F32 ? (double)(float)x : x;
}

Test(numbers, put_and_read)
{
    enum { N = 7, W = 3 };
    const uint32_t pick[] = {6, 0, 3};
    for (size_t p = 0; p < 2; p++) {
        double row[W], all[N * W];
        data_numbers x;
        cr_assert_eq(data_numbers_create(&x, N, W, both[p], NULL), 0);
        for (size_t i = N; i-- > 0; data_numbers_put(&x, i, row))
            for (size_t j = 0; j < W; j++)
                row[j] = data_value_at(i, j);
        data_numbers_copy(all, &x, 0, N);
        for (size_t i = 0; i < N * W; i++) {
            cr_assert_eq(all[i], rounded(data_value_at(i / W, i % W), both[p]));
            cr_assert_eq(data_number(&x, i / W, i % W), all[i]);
        }
        data_numbers behind = data_numbers_from(&x, 2), some = x;
        cr_assert_eq(data_number(&behind, 1, 2), all[3 * W + 2]);
        some.pick = pick;
        data_numbers_copy(row, &some, 2, 1);
        cr_assert_eq(memcmp(row, all + 3 * W, sizeof row), 0);
        cr_assert_eq(data_number(&some, 0, 1), all[6 * W + 1]);
        free(x.at);
    }
}

/* ---- a few at a time */

typedef struct sums {
    size_t next;
    double x, context;
} sums;

static int add(void *arg, double *x, double *context, size_t first, size_t n, flow_err *err)
{
    sums *self = arg;
    (void)err;
    cr_assert_eq(first, self->next);
    cr_assert(n > 0 && n <= 8192);
    self->next += n;
    for (size_t i = 0; i < 2 * n; i++)
        self->x += x[i];
    for (size_t i = 0; context && i < n; i++)
        self->context += context[i];
    return FLOW_OK;
}

Test(numbers, all_rows_of_a_part_are_visited)
{
    enum { MOST = 20000 };
    static double x[2 * MOST], context[MOST];
    const size_t sizes[] = {0, 1, 8191, 8192, 8193, MOST};
    for (size_t i = 0; i < 2 * MOST; i++)
        x[i] = (double)(i % 1000);
    for (size_t i = 0; i < MOST; i++)
        context[i] = (double)(i % 7);
    for (size_t k = 0; k < 6; k++) {
        sums got = {0, 0, 0}, want = {0, 0, 0};
        data_part part = {.x = data_numbers_of(x, 2),
                          .context = data_numbers_of(k % 2 ? context : NULL, 1),
                          .n = sizes[k]};
        for (size_t i = 0; i < sizes[k]; i++) {
            want.x += x[2 * i] + x[2 * i + 1];
            want.context += k % 2 ? context[i] : 0;
        }
        cr_assert_eq(data_part_visit(&part, add, &got, NULL), 0);
        cr_assert(got.next == sizes[k] && got.x == want.x && got.context == want.context);
    }
}

/* ---- a data set in single precision */

static file_table *table_of(size_t rows, double (*value)(size_t row, size_t col))
{
    flow_err err = FLOW_ERR_INIT;
    file_table *out = file_table_create(rows, 2, &err);
    for (size_t i = 0; i < 2 * rows; i++)
        out->values[i] = value(i / 2, i % 2);
    return out;
}

/* Seconds since 1970, a tenth apart, and something else. */
static double timestamp(size_t row, size_t col)
{
    return col ? data_value_at(row, 1) : 1.7e9 + 0.1 * (double)row;
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

Test(numbers, single_precision_rounds_what_is_standardised)
{
    enum { N = 20000 };
    static double t[N];
    data_options options = data_options_default();
    data_set *exact = data_made(table_of(N, timestamp), &options);
    options.precision = FLOW_F32;
    data_set *set = data_made(table_of(N, timestamp), &options);
    data_part all = data_set_all(set), right = data_set_all(exact);
    cr_assert_eq(set->units->column[0].shift, exact->units->column[0].shift);
    cr_assert_eq(set->units->column[0].scale, exact->units->column[0].scale);
    for (size_t i = 0; i < 2 * N; i++)
        cr_assert_eq(data_number(&all.x, i / 2, i % 2),
                     (double)(float)data_number(&right.x, i / 2, i % 2));
    for (size_t i = 0; i < N; i++)
        t[i] = data_number(&all.x, i, 0);
    qsort(t, N, sizeof *t, ascending);
    for (size_t i = 1; i < N; i++)
        cr_assert(t[i] > t[i - 1], "two times became one");
    for (size_t col = 0; col < 2; col++) {
        cr_assert_eq(set->ranges[col].low, exact->ranges[col].low);
        cr_assert_eq(set->ranges[col].high, exact->ranges[col].high);
        cr_assert_eq(set->train_ranges[col].high, exact->train_ranges[col].high);
    }
    cr_assert_eq(set->ranges[0].high, data_number(&right.x, N - 1, 0));
    cr_assert_eq(set->train_ranges[0].high, data_number(&right.x, set->train.n - 1, 0));
    data_set_free(set);
    data_set_free(exact);
}

static double huge(size_t row, size_t col)
{
    return col && row == 13 ? -1e39 : data_value_at(row, col);
}

Test(numbers, what_single_precision_cannot_hold_is_refused)
{
    data_options options = data_plain();
    options.precision = FLOW_F32;
    data_refuse(table_of(40, huge), &options, FLOW_EDATA,
                "x.npy: row 13, column 1 (counted from 0): -1e+39 is too large for single "
                "precision; data.standardize: true, or precision: f64");
    options.precision = FLOW_F64;
    data_set_free(data_made(table_of(40, huge), &options));
}

/* Counts up to a million: cells are a few steps of single precision wide. */
static double count(size_t row, size_t col)
{
    return col ? data_value_at(row, 1) : (double)(row * 7919 % 1000003);
}

Test(numbers, rounding_keeps_grid_values)
{
    enum { N = 30000 };
    double row[2], u[2];
    size_t lost = 0;
    const data_kind kinds[] = {{.lo = -(double)INFINITY, .hi = (double)INFINITY, .step = 1},
                               data_kind_plain};
    data_options options = data_options_default();
    options.kinds = kinds;
    options.n_columns = 2;
    options.columns = (const char *const[]){"0", "1"};
    data_set *exact = data_made(table_of(N, count), &options);
    options.precision = FLOW_F32;
    data_set *set = data_made(table_of(N, count), &options);
    data_part all = data_set_all(set), right = data_set_all(exact);
    for (size_t i = 0; i < N; i++) {
        data_numbers_copy(u, &all.x, i, 1);
        flow_units_to_user(set->units, row, NULL, u, 1);
        cr_assert_eq(row[0], count(i, 0), "row %zu", i);
        u[0] = (double)(float)data_number(&right.x, i, 0);
        flow_units_to_user(set->units, row, NULL, u, 1);
        lost += row[0] < count(i, 0) || row[0] > count(i, 0);
        cr_assert_float_eq(data_number(&all.x, i, 0), data_number(&right.x, i, 0), 3e-7);
    }
    cr_assert_gt(lost, 20, "plain rounding would do: %zu", lost);
    data_set_free(set);
    data_set_free(exact);
}
