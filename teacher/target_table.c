#include "teacher/target_table.h"

#include "files/read.h"
#include "teacher/columns.h"

#include <math.h>
#include <stdlib.h>

static int check_finite(const file_table *table, const char *path, flow_err *err)
{
    char row[FILE_LABEL_SIZE], column[FILE_LABEL_SIZE];
    for (size_t i = 0; i < table->rows * table->cols; i++)
        if (!isfinite(table->values[i]))
            return flow_fail(err, FLOW_EDATA, "%s: %s, %s is not finite", path,
                             file_row_label(row, table, i / table->cols),
                             file_column_label(column, table, i % table->cols));
    return 0;
}

file_table *target_table_read(const char *path, flow_err *err)
{
    file_table *table = file_read(path, FILE_HEADER_AUTO, err);
    if (!table || !check_finite(table, path, err))
        return table;
    file_table_free(table);
    return NULL;
}

static file_table *choose(const file_table *table, const size_t *cols, size_t n, flow_err *err)
{
    file_table *out = file_table_create(table->rows, n, err);
    for (size_t i = 0; out && i < table->rows * n; i++)
        out->values[i] = table->values[i / n * table->cols + cols[i % n]];
    return out;
}

file_table *target_table_columns(const char *path, const char *const *names, size_t n,
                                 flow_err *err)
{
    file_table *table = target_table_read(path, err), *out = NULL;
    size_t *cols = malloc(n * sizeof *cols);
    bool *taken = table ? calloc(table->cols, sizeof *taken) : NULL;
    if (table && (!cols || !taken))
        flow_fail(err, FLOW_ENOMEM, "out of memory for %zu columns", n);
    else if (table && !data_columns_find(cols, taken, table, path, names, n, err))
        out = choose(table, cols, n, err);
    file_table_free(table);
    free(taken);
    free(cols);
    return out;
}
