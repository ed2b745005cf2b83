/* What a look says of tables of every kind that people have, and that it is silent about good ones. */
#include "teacher/look.h"

#include "flow/pcg.h"
#include "tests/common/sanitized.h"
#include "tests/teacher/tables.h"

#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

enum { ROWS = 4000 };

static const pcg_stream stream = {.seed = 11, .stage = PCG_TEST, .purpose = PCG_BASE};

static const char *const names[] = {"food", "rent", "rest [GeV]", "total", "x4", "x5"};

/* Independent normals. */
static file_table *normals(size_t rows, size_t cols)
{
    file_table *table = data_table(rows, cols, names);
    pcg_normals(table->values, stream, 0, rows, cols);
    return table;
}

static double *cell(file_table *table, size_t row, size_t col)
{
    return table->values + row * table->cols + col;
}

static data_look *look_with(file_table *table, const data_options *options)
{
    flow_err err = FLOW_ERR_INIT;
    data_look *look = data_look_create(table, "t", options, &err);
    cr_assert_not_null(look, "%s", err.text);
    return look;
}

static const look_finding *find(const data_look *look, const char *kind, size_t col)
{
    for (size_t i = 0; i < look->n_findings; i++)
        if (strcmp(look->findings[i].kind, kind) == 0 && look->findings[i].col == col)
            return &look->findings[i];
    return NULL;
}

static size_t count(const data_look *look, look_level level)
{
    size_t n = 0;
    for (size_t i = 0; i < look->n_findings; i++)
        n += look->findings[i].level == level;
    return n;
}

/* The table is found guilty of this alone, in words that hold text, with this remedy; it is freed. Errors
 * are what data_look_judge fails with. */
static void accuse(file_table *table, const data_options *options, look_level level,
                   const char *kind, size_t col, const char *text, const char *remedy)
{
    flow_err err = FLOW_ERR_INIT;
    data_look *look = look_with(table, options);
    const look_finding *f = find(look, kind, col);
    cr_assert_not_null(f, "no finding '%s' of column %zu", kind, col);
    cr_expect_eq(f->level, level);
    cr_expect_not_null(strstr(f->text, text), "'%s' is not in '%s'", text, f->text);
    cr_expect_not_null(strstr(f->remedy, remedy), "'%s' is not in '%s'", remedy, f->remedy);
    cr_expect_eq(count(look, LOOK_WARNING) + count(look, LOOK_ERROR), level > LOOK_NOTE);
    int code = data_look_judge(look, "t", &err);
    cr_expect_eq(code, level == LOOK_ERROR ? FLOW_EDATA : FLOW_OK);
    cr_expect(!code || strstr(err.text, remedy), "%s", err.text);
    data_look_free(look);
    file_table_free(table);
}

static void accuse_plain(file_table *table, look_level level, const char *kind, size_t col,
                         const char *text, const char *remedy)
{
    data_options options = data_options_default();
    accuse(table, &options, level, kind, col, text, remedy);
}

/* No error and no warning. */
static void acquit(file_table *table, const data_options *options)
{
    data_look *look = look_with(table, options);
    cr_expect_eq(count(look, LOOK_WARNING) + count(look, LOOK_ERROR), 0, "%s",
                 look->n_findings ? look->findings[0].text : "");
    data_look_free(look);
    file_table_free(table);
}

/* ---- columns */

/* A false alarm is a drift that happens once in a million tables. */
Test(look, normals_are_good)
{
    data_options options = data_options_default();
    acquit(normals(ROWS, 6), &options);
    acquit(normals(1000, 2), &options);
    options.split = DATA_SPLIT_SEED;
    acquit(normals(ROWS, 1), &options);
}

Test(look, figures_of_a_column)
{
    file_table *table = data_table(5, 1, NULL);
    const double values[] = {-3, 2.5, 7, 2.5, 11.5};
    memcpy(table->values, values, sizeof values);
    data_options options = data_plain();
    data_look *look = look_with(table, &options);
    const look_column *c = look->columns;
    cr_expect(c->min == -3 && c->max == 11.5 && c->median == 2.5 && c->q1 == 2.5 && c->q3 == 7);
    cr_expect_float_eq(c->mean, 4.1, 1e-12);
    cr_expect_float_eq(c->sd, sqrt(23.74), 1e-12);
    cr_expect(c->distinct == 4 && c->gap == 4.5 && c->mode == 2.5 && c->mode_share == 0.4);
    cr_expect_float_eq(c->coincide, 2.0 / 20, 1e-12);
    cr_expect_float_eq(c->high, 9 / (4.5 / 1.349), 1e-12);
    data_look_free(look);
    file_table_free(table);
}

Test(look, copied_column)
{
    file_table *table = normals(ROWS, 4);
    for (size_t i = 0; i < ROWS; i++)
        *cell(table, i, 3) = *cell(table, i, 1);
    accuse_plain(table, LOOK_ERROR, "copied_columns", 3, "is the same as rent",
                 "data.columns: [food, rent, 'rest [GeV]']");
}

Test(look, sum_of_columns)
{
    file_table *table = normals(ROWS, 4);
    for (size_t i = 0; i < ROWS; i++)
        *cell(table, i, 3) = 2.385 * *cell(table, i, 0) - *cell(table, i, 2) + 7.5;
    accuse_plain(table, LOOK_ERROR, "tied_columns", 3, "is 2.385 * food - 'rest [GeV]' + 7.5 in",
                 "data.columns: [food, rent, 'rest [GeV]']");
}

Test(look, sum_that_is_rounded)
{
    file_table *table = normals(ROWS, 4);
    for (size_t i = 0; i < ROWS; i++)
        *cell(table, i, 3) = rint((*cell(table, i, 0) + *cell(table, i, 1)) * 1000) / 1000;
    accuse_plain(table, LOOK_WARNING, "tied_columns", 3, "is food + rent but for", "leave total");
}

Test(look, near_relatives_are_not_tied)
{
    data_options options = data_options_default();
    file_table *table = normals(ROWS, 3);
    for (size_t i = 0; i < ROWS; i++)
        *cell(table, i, 2) = *cell(table, i, 0) + 0.01 * *cell(table, i, 2);
    acquit(table, &options);
}

/* Rows that are wild in two columns make these nearly one; the others do not. */
Test(look, shared_outliers_do_not_tie)
{
    data_options options = data_options_default();
    file_table *table = normals(ROWS, 3);
    *cell(table, 17, 0) = *cell(table, 17, 1) = 1e6;
    data_look *look = look_with(table, &options);
    cr_expect_null(find(look, "tied_columns", 1));
    cr_expect(find(look, "outliers", 0) && find(look, "outliers", 1));
    data_look_free(look);
    file_table_free(table);
}

Test(look, what_is_given_may_be_tied_but_not_to_the_data)
{
    static const char *const context[] = {"x4", "x5"};
    data_options options = data_options_default();
    options.context = context;
    options.n_context = 2;
    file_table *table = normals(ROWS, 6);
    for (size_t i = 0; i < ROWS; i++)
        *cell(table, i, 5) = *cell(table, i, 4);
    acquit(table, &options);
    table = normals(ROWS, 6);
    for (size_t i = 0; i < ROWS; i++)
        *cell(table, i, 2) = *cell(table, i, 4);
    accuse(table, &options, LOOK_ERROR, "copied_columns", 2, "is the same as x4",
           "data.columns: [food, rent, total]");
}

/* Noise of one step is added to each: the copy is none any more. */
Test(look, dequantised_columns_are_not_tied)
{
    data_options options = data_options_default();
    file_table *table = normals(ROWS, 2);
    for (size_t i = 0; i < ROWS; i++)
        *cell(table, i, 0) = *cell(table, i, 1) = rint(3 * *cell(table, i, 0));
    data_look *look = look_with(table, &options);
    cr_expect_not_null(find(look, "copied_columns", 1));
    data_look_free(look);
    options.kind.step = 1;
    options.kind.smear = true;
    acquit(table, &options);
}

Test(look, constant_up_to_rounding)
{
    file_table *table = normals(ROWS, 3);
    for (size_t i = 0; i < ROWS; i++)
        *cell(table, i, 1) = i % 3 ? 0.3 : 0.1 + 0.2;
    accuse_plain(table, LOOK_ERROR, "constant", 1, "is 0.3 up to rounding in all 4000 rows",
                 "leave rent");
    table = normals(ROWS, 2);
    for (size_t i = 0; i < ROWS; i++)
        *cell(table, i, 1) = i % 3 ? (double)0.3f : (double)nextafterf(0.3f, 1);
    accuse_plain(table, LOOK_ERROR, "constant", 1, "up to rounding", "leave rent");
}

Test(look, large_numbers_are_not_constant)
{
    data_options options = data_options_default();
    file_table *table = normals(ROWS, 2);
    for (size_t i = 0; i < ROWS; i++)
        *cell(table, i, 1) += 1.7e9;
    acquit(table, &options);
}

Test(look, integers)
{
    file_table *table = normals(ROWS, 2);
    for (size_t i = 0; i < ROWS; i++)
        *cell(table, i, 0) = floor(4 * fabs(*cell(table, i, 0)));
    accuse_plain(table, LOOK_WARNING, "integers", 0, "different values in 4000 rows",
                 "data.columns: {food: {step: 1, support: [0, inf]}, ...}");
}

Test(look, steps_of_a_third)
{
    file_table *table = normals(ROWS, 2);
    for (size_t i = 0; i < ROWS; i++)
        *cell(table, i, 0) = rint(3 * *cell(table, i, 0)) / 3;
    accuse_plain(table, LOOK_WARNING, "few_values", 0, "different values",
                 "{step: 0.333333}, ...}");
}

Test(look, one_value_of_many_rows)
{
    file_table *table = normals(ROWS, 2);
    for (size_t i = 0; i < ROWS; i += 4)
        *cell(table, i, 1) = -5;
    accuse_plain(table, LOOK_WARNING, "one_value", 1,
                 "is exactly -5 in 25 % of the rows, its least value", "data.context: [rent]");
}

Test(look, outliers)
{
    file_table *table = normals(ROWS, 2);
    *cell(table, 1234, 0) = 1e6;
    *cell(table, 77, 0) = -9e5;
    accuse_plain(table, LOOK_WARNING, "outliers", 0,
                 "has 2 rows that make up its standard deviation", "data.nonfinite: drop");
    table = normals(ROWS, 2);
    *cell(table, 1234, 0) = 1e6;
    accuse_plain(table, LOOK_WARNING, "outliers", 0, "row 1234 is 1e+06", "student_t");
}

Test(look, angles)
{
    file_table *table = normals(ROWS, 2);
    pcg_uniforms(table->values, stream, 0, ROWS, 2);
    for (size_t i = 0; i < ROWS; i++) {
        *cell(table, i, 0) = 6.283185307179586 * (*cell(table, i, 0) - 0.5);
        *cell(table, i, 1) = 24 * *cell(table, i, 1);
    }
    accuse_plain(table, LOOK_WARNING, "angle", 0, "goes once round",
                 "data.columns: {food: {period: 6.283185307}, ...}");
}

static void expect_note(const data_look *look, const char *kind, size_t col, const char *remedy)
{
    const look_finding *f = find(look, kind, col);
    cr_assert_not_null(f, "no note '%s' of column %zu", kind, col);
    cr_expect_eq(f->level, LOOK_NOTE);
    cr_expect_str_eq(f->remedy, remedy);
}

Test(look, edges_tails_and_hours_are_notes)
{
    static const char *const of_day[] = {"age", "frac", "hour of day", "energy", "z"};
    data_options options = data_options_default();
    file_table *table = data_table(ROWS, 5, of_day);
    pcg_uniforms(table->values, stream, 0, ROWS, 5);
    for (size_t i = 0; i < ROWS; i++) {
        *cell(table, i, 0) = -log(1 - *cell(table, i, 0));
        *cell(table, i, 2) *= 24;
        *cell(table, i, 3) = 0.5 / pow(1 - *cell(table, i, 3), 0.45);
        *cell(table, i, 3) += pow(*cell(table, i, 4), 0.25); /* rounds its edge */
        *cell(table, i, 4) = 20 + 3 * *cell(table, i, 4);
    }
    data_look *look = look_with(table, &options);
    expect_note(look, "edge", 0, "data.columns: {age: {support: positive}, ...}");
    expect_note(look, "edge", 1, "data.columns: {frac: {support: [0, 1]}, ...}");
    expect_note(look, "angle", 2, "data.columns: {'hour of day': {period: 24}, ...}");
    expect_note(look, "tail", 3, "data.columns: {energy: {support: positive}, ...}");
    expect_note(look, "edge", 4, "data.columns: {z: {support: [20, 23]}, ...}");
    cr_expect_eq(count(look, LOOK_WARNING), 0);
    data_look_free(look);
    file_table_free(table);
}

/* A count, a positive column and a circle; the values of the rest are on the whole line. */
static file_table *of_kinds(void)
{
    file_table *table = normals(ROWS, 4);
    for (size_t i = 0; i < ROWS; i++) {
        *cell(table, i, 0) = floor(4 * fabs(*cell(table, i, 0)));
        *cell(table, i, 1) = exp(6 * *cell(table, i, 1));
        *cell(table, i, 2) = 180 * erf(*cell(table, i, 2) / sqrt(2));
    }
    return table;
}

Test(look, kinds_are_suggested_as_a_whole)
{
    data_options options = data_options_default();
    file_table *table = of_kinds();
    data_look *look = look_with(table, &options);
    cr_expect_str_eq(
        look->suggestion,
        "data.columns: {food: {step: 1, support: [0, inf]}, rent: {support: positive}, "
        "'rest [GeV]': {period: 360}, total: {}}");
    cr_expect_eq(count(look, LOOK_WARNING), 3); /* the count, e^20, the circle */
    data_look_free(look);
    file_table_free(table);
}

/* What is known of a column needs no saying. */
Test(look, kinds_that_are_given)
{
    static const char *const columns[] = {"food", "rent", "rest [GeV]", "total"};
    data_kind kinds[] = {{.lo = -INFINITY, .hi = INFINITY, .step = 1},
                         {.lo = 0, .hi = INFINITY},
                         {.lo = -INFINITY, .hi = INFINITY, .period = 360},
                         data_kind_plain};
    data_options options = data_options_default();
    options.columns = columns;
    options.n_columns = 4;
    options.kinds = kinds;
    file_table *table = of_kinds();
    data_look *look = look_with(table, &options);
    cr_expect_eq(look->n_findings, 0, "%s", look->n_findings ? look->findings[0].text : "");
    data_look_free(look);
    kinds[0] = data_kind_plain;
    look = look_with(table, &options);
    cr_expect_not_null(find(look, "integers", 0));
    cr_expect_str_empty(look->suggestion); /* it would forget the others */
    data_look_free(look);
    file_table_free(table);
}

Test(look, a_tied_column_is_not_suggested)
{
    data_options options = data_options_default();
    file_table *table = normals(ROWS, 3);
    for (size_t i = 0; i < ROWS; i++) {
        *cell(table, i, 0) = floor(4 * fabs(*cell(table, i, 0)));
        *cell(table, i, 2) = *cell(table, i, 1);
    }
    data_look *look = look_with(table, &options);
    cr_expect_str_eq(look->suggestion,
                     "data.columns: {food: {step: 1, support: [0, inf]}, rent: {}}");
    data_look_free(look);
    file_table_free(table);
}

/* ---- rows */

static file_table *bootstrapped(void)
{
    file_table *table = normals(ROWS, 2);
    for (size_t i = 500; i < ROWS; i++)
        memcpy(cell(table, i, 0), cell(table, i * 7919 % 500, 0), 2 * sizeof(double));
    return table;
}

Test(look, rows_drawn_again_and_again)
{
    data_options options = data_options_default();
    accuse(bootstrapped(), &options, LOOK_ERROR, "rows_across_split", LOOK_NO_COLUMN,
           "500 of 4000 rows differ", "data.repeated: keep");
}

Test(look, rows_drawn_again_that_are_kept)
{
    data_options options = data_options_default();
    options.repeated = DATA_REPEATED_KEEP;
    accuse(bootstrapped(), &options, LOOK_WARNING, "rows_across_split", LOOK_NO_COLUMN,
           "100 % of the validation and test rows", "data.weights");
}

/* Without a split there is nothing that they cross. */
Test(look, repeated_rows_without_a_split)
{
    file_table *table = normals(ROWS, 2);
    data_options options = data_options_default();
    options.valid = options.test = 0;
    for (size_t i = 1; i < ROWS; i += 2)
        memcpy(cell(table, i, 0), cell(table, i - 1, 0), 2 * sizeof(double));
    accuse(table, &options, LOOK_WARNING, "repeated_rows", LOOK_NO_COLUMN,
           "50 % of the rows are copies of another one (row 1 is row 0)", "data.weights");
}

/* Readings of two digits meet by chance. */
Test(look, coarse_rows_meet_by_chance)
{
    data_options options = data_options_default();
    file_table *table = normals(ROWS, 1);
    for (size_t i = 0; i < ROWS; i++)
        *cell(table, i, 0) = rint(100 * *cell(table, i, 0)) / 100;
    acquit(table, &options);
}

/* ---- the split */

Test(look, sorted_rows)
{
    file_table *table = normals(ROWS, 2);
    for (size_t i = 0; i < ROWS; i++)
        *cell(table, i, 1) = sinh(0.001 * (double)i);
    accuse_plain(table, LOOK_WARNING, "sorted_rows", 1, "is what the rows are sorted by",
                 "data.split: seed");
    table = normals(ROWS, 2);
    for (size_t i = 0; i < ROWS; i++)
        *cell(table, i, 0) += 0.0005 * (double)i;
    accuse_plain(table, LOOK_WARNING, "drift", 0, "drifts along the table", "data.split: seed");
}

Test(look, sorted_rows_that_are_shuffled)
{
    data_options options = data_options_default();
    options.split = DATA_SPLIT_SEED;
    file_table *table = normals(ROWS, 2);
    for (size_t i = 0; i < ROWS; i++)
        *cell(table, i, 0) += 0.0005 * (double)i;
    acquit(table, &options);
}

Test(look, few_rows)
{
    data_options options = data_options_default();
    file_table *table = normals(60, 2);
    data_look *look = look_with(table, &options);
    cr_expect(find(look, "few_rows", LOOK_NO_COLUMN) && find(look, "few_held_out", LOOK_NO_COLUMN));
    cr_expect_eq(look->n_findings, 2);
    data_look_free(look);
    file_table_free(table);
}

/* ---- where ties are not looked for, that is said */

Test(look, ties_of_many_columns)
{
    enum { MANY = 1030 };
    file_table *table = data_table(2 * MANY, MANY, NULL);
    pcg_normals(table->values, stream, 0, 2 * MANY, MANY);
    for (size_t i = 0; i < 2 * MANY; i++)
        *cell(table, i, 1023) = *cell(table, i, 7);
    data_options options = data_options_default();
    data_look *look = look_with(table, &options);
    const look_finding *f = find(look, "ties_not_sought", LOOK_NO_COLUMN);
    cr_expect_not_null(find(look, "copied_columns", 1023));
    cr_expect(f && strstr(f->text, "the first 1024 of 1030"));
    data_look_free(look);
    file_table_free(table);
}

Test(look, ties_among_few_rows)
{
    file_table *table = data_table(200, 100, NULL);
    pcg_normals(table->values, stream, 0, 200, 100);
    data_options options = data_options_default();
    data_look *look = look_with(table, &options);
    cr_expect_not_null(find(look, "ties_not_sought", LOOK_NO_COLUMN));
    data_look_free(look);
    file_table_free(table);
}

/* ---- large tables: what is sorted and hashed is a part of the rows */

Test(look, more_rows_than_are_sorted)
{
    enum { MANY = 2 * LOOK_ROWS + 12345 };
    file_table *table = normals(MANY, 2);
    data_options options = data_options_default();
    for (size_t i = 0; i < MANY; i++)
        *cell(table, i, 0) = floor(4 * fabs(*cell(table, i, 0)));
    for (size_t i = MANY / 2; i < MANY; i++)
        memcpy(cell(table, i, 0), cell(table, i - MANY / 2, 0), 2 * sizeof(double));
    data_look *look = look_with(table, &options);
    cr_expect_leq(look->columns[1].looked_at, LOOK_ROWS);
    cr_expect_geq(look->columns[1].looked_at, LOOK_ROWS - 6);
    cr_expect_not_null(find(look, "integers", 0));
    cr_expect_float_eq(look->rows.repeats, 0.5, 0.01);
    cr_expect_float_eq(look->rows.across, 1, 0.01);
    data_look_free(look);
    file_table_free(table);
}
