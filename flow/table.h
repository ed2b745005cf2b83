/* flow/table.h -- numbers in rows and columns, as a data file holds them. */
#ifndef FLOW_TABLE_H
#define FLOW_TABLE_H

#include "flow/err.h"

#include <stddef.h>

typedef struct flow_table {
    double *values; /* (rows, cols), row-major */
    size_t rows, cols;
    char **names; /* (cols) names of the columns, or NULL: the file has none */
} flow_table;

/* Values are not set, names are NULL. cols >= 1; rows may be 0. */
flow_table *flow_table_create(size_t rows, size_t cols, flow_err *err);
void flow_table_free(flow_table *self);

/* Copies the (cols) names; those it had are freed. After a failure it has none. */
int flow_table_set_names(flow_table *self, const char *const *names, flow_err *err);

#endif
