/* Columns of a table found for a model: by name, by position, and every reason not to. What is said on stderr is
 * looked at in tests/e2e/names.sh. */
#include "pipeline/stages/rows.h"

#include "pipeline/stages/ranges.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { COLS = 4, ROWS = 2 };

/* A model of a, b given c: two of data, one of context; or one whose names are made up. */
static json_t *names, *others, *made_up;

static void set_up(void)
{
    names = json_pack("[s, s]", "a", "b");
    others = json_pack("[s]", "c");
    made_up = json_pack("[s, s]", "x0", "x12");
    cr_assert(names && others && made_up);
}

static void tear_down(void)
{
    json_decref(names);
    json_decref(others);
    json_decref(made_up);
}

TestSuite(rows, .init = set_up, .fini = tear_down);

/* Values are 10 row + column. head: a name of one letter for each column; all X: "x0", "x12", ...; "": n columns
 * without names. */
static file_table *table_of(const char *head, size_t n)
{
    flow_err err = FLOW_ERR_INIT;
    char text[COLS][4];
    const char *list[COLS];
    size_t cols = *head ? strlen(head) : n;
    file_table *out = file_table_create(ROWS, cols, &err);
    for (size_t col = 0; col < cols; col++) {
        if (head[0] == 'X')
            snprintf(text[col], sizeof text[col], "x%zu", 12 * col);
        else
            snprintf(text[col], sizeof text[col], "%c", *head ? head[col] : '?');
        list[col] = text[col];
    }
    if (*head)
        cr_assert_eq(file_table_set_names(out, list, &err), 0);
    for (size_t i = 0; i < ROWS * cols; i++)
        out->values[i] = (double)(10 * (i / cols) + i % cols);
    return out;
}

static const struct {
    char head[8];
    size_t n;
    int made_up, extra;
    int cols[2];   /* that are found */
    char says[48]; /* empty: they are */
} cases[] = {
    {"ab", 0, 0, 0, {0, 1}, ""},
    {"ba", 0, 0, 0, {1, 0}, ""},
    {"cba", 0, 0, 0, {2, 1}, ""}, /* the model's context may be there */
    {"", 2, 0, 0, {0, 1}, ""},
    {"", 2, 1, 0, {0, 1}, ""},
    {"qr", 0, 1, 0, {0, 1}, ""}, /* the model has no names of its own */
    {"a.b", 0, 0, 1, {0, 2}, ""},
    {"a.b", 0, 0, 0, {0}, "does not know column '.'"},
    {"a", 0, 0, 0, {0}, "there is no column 'b'; its columns are 'a'"},
    {"qr", 0, 0, 0, {0}, "there is no column 'a', 'b'"},
    {"qr", 0, 0, 1, {0}, "there is no column 'a', 'b'"},
    {"", 3, 0, 0, {0}, "t.csv: 3 columns, the model wants 2: 'a', 'b'"},
    {"qrs", 0, 1, 0, {0}, "3 columns, the model wants 2: 'x0', 'x12'"},
    {"XX", 0, 1, 0, {0, 1}, ""},
    {"X", 0, 1, 0, {0}, "there is no column 'x12'"},
};

static void check_case(size_t k)
{
    flow_err err = FLOW_ERR_INIT;
    file_table *out, *table = table_of(cases[k].head, cases[k].n);
    const rows_wanted wanted = {
        .names = cases[k].made_up ? made_up : names, .others = others, .n = 2};
    int code = rows_take(&out, table, "t.csv", &wanted, cases[k].extra, &err);
    if (*cases[k].says) {
        cr_expect_eq(code, FLOW_EDATA, "case %zu", k);
        cr_expect(strstr(err.text, cases[k].says), "case %zu: %s", k, err.text);
    } else {
        cr_assert_eq(code, 0, "case %zu: %s", k, err.text);
        cr_expect(out->rows == ROWS && out->cols == 2);
        for (size_t i = 0; i < 2 * ROWS; i++)
            cr_expect_eq(out->values[i], (double)(10 * (i / 2)) + cases[k].cols[i % 2], "case %zu",
                         k);
    }
    file_table_free(out);
    file_table_free(table);
}

Test(rows, matched)
{
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++)
        check_case(k);
}

/* A column that nobody asks for may hold anything. */
Test(rows, only_wanted_columns_must_be_finite)
{
    flow_err err = FLOW_ERR_INIT;
    file_table *out, *table = table_of("cba", 0);
    const rows_wanted wanted = {.names = names, .others = others, .n = 2};
    table->values[0] = NAN;
    cr_expect_eq(rows_take(&out, table, "t.csv", &wanted, false, &err), 0, "%s", err.text);
    file_table_free(out);
    table->values[4] = -INFINITY;
    cr_expect_eq(rows_take(&out, table, "t.csv", &wanted, false, &err), FLOW_EDATA);
    cr_expect(strstr(err.text, "1 of 2 rows are not finite; first: row 1, column 1 'b'"), "%s",
              err.text);
    cr_expect(strstr(err.text, "-inf"), "%s", err.text);
    cr_expect_null(out);
    file_table_free(table);
}

Test(rows, ranges_are_in_the_units_of_the_user)
{
    flow_err err = FLOW_ERR_INIT;
    flow_units *units = flow_units_create(3, &err);
    units->column[0].shift = 100;
    units->column[0].scale = 10;
    units->column[2] = (flow_unit){.period = 4, .cut = 0.5, .start = -1, .scale = 1};
    const data_range ends[] = {{-2.5, 1}, {-4, 3}, {0, 3.9}};
    double *ranges = ranges_of(units, ends);
    const double wanted[] = {75, 110, -4, 3, -1, 3 /* a circle: one turn */};
    cr_assert_not_null(ranges);
    cr_expect_arr_eq(ranges, wanted, sizeof wanted);
    free(ranges);
    flow_units_free(units);
}
