/* files/table.h -- numbers in rows and columns, as a data file holds them. */
#ifndef FILES_TABLE_H
#define FILES_TABLE_H

#include "flow/err.h"

#include <stddef.h>

typedef struct file_table {
    double *values; /* (rows, cols), row-major */
    size_t rows, cols;
    char **names; /* (cols) names of the columns, or NULL: the file has none */
} file_table;

/* Values are not set, names are NULL. cols >= 1; rows may be 0. */
file_table *file_table_create(size_t rows, size_t cols, flow_err *err);
void file_table_free(file_table *self);

/* Copies the (cols) names; those it had are freed. After a failure it has none. */
int file_table_set_names(file_table *self, const char *const *names, flow_err *err);

#endif
