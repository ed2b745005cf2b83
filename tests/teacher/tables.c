#include "tests/teacher/tables.h"

#include <criterion/criterion.h>
#include <math.h>

double data_value_at(size_t row, size_t col)
{
    return 2.385 + 10 * (double)col + sin((double)(row * 7 + col * 3));
}

file_table *data_table(size_t rows, size_t cols, const char *const *names)
{
    flow_err err = FLOW_ERR_INIT;
    file_table *table = file_table_create(rows, cols, &err);
    cr_assert_not_null(table, "%s", err.text);
    for (size_t i = 0; i < rows * cols; i++)
        table->values[i] = data_value_at(i / cols, i % cols);
    if (names)
        cr_assert_eq(file_table_set_names(table, names, &err), 0);
    return table;
}

const char *const data_names3[] = {"time", "price", "1"};

double *data_x(const data_part *part)
{
    cr_assert_eq(part->x.precision, FLOW_F64);
    return part->x.at;
}

double *data_context(const data_part *part)
{
    cr_assert_eq(part->context.precision, FLOW_F64);
    return part->context.at;
}

data_set *data_made(file_table *table, const data_options *options)
{
    flow_err err = FLOW_ERR_INIT;
    data_set *set = data_set_create(table, "x.npy", options, &err);
    cr_assert_not_null(set, "%s", err.text);
    file_table_free(table);
    return set;
}

void data_refuse(file_table *table, const data_options *options, int code, const char *want)
{
    flow_err err = FLOW_ERR_INIT;
    cr_assert_null(data_set_create(table, "x.npy", options, &err), "accepted; wanted '%s'", want);
    cr_assert_str_eq(err.text, want, "%s", err.text);
    cr_assert_eq(err.code, code, "%d: %s", err.code, err.text);
    file_table_free(table);
}

data_options data_plain(void)
{
    data_options options = data_options_default();
    options.standardize = false;
    options.valid = options.test = 0;
    return options;
}
