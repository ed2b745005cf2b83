/* teacher/dataset.h -- a table made ready for a fit: columns chosen, rows cleaned and split, units
 * fitted on the training rows alone.
 *
 * Order of work: choose columns, refuse or drop rows that are not finite, split, weigh, check and blur
 * values as their kinds say, fit units, convert. Shapes: D data columns, C context columns. */
#ifndef TEACHER_DATASET_H
#define TEACHER_DATASET_H

#include "files/read.h"
#include "files/table.h"
#include "flow/units.h"
#include "teacher/column_kind.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum data_nonfinite { DATA_NONFINITE_ERROR, DATA_NONFINITE_DROP } data_nonfinite;

typedef enum data_split {
    DATA_SPLIT_POSITION, /* first rows train, then validation, then test */
    DATA_SPLIT_SEED      /* the same after a random permutation */
} data_split;

/* A column is given by its name or by its number in the file, counted from 0 ("3"); a name that looks like a
 * number wins over the number. Nothing here is kept after data_set_create. */
typedef struct data_options {
    const char *const
        *columns; /* (n_columns) data columns in this order; n_columns 0: all but context and
                      weights */
    size_t n_columns;
    const char *const *context; /* (n_context) */
    size_t n_context;
    const data_kind *kinds; /* (n_columns); NULL: all data columns are of this one: */
    data_kind kind;
    const char *weights; /* the column that the rows are weighed by; NULL: all alike */
    bool standardize;    /* shift and scale each data column to mean 0, variance 1 over the training
                         rows */
    bool wrap; /* columns with a period are wrapped: for flows without circles (units.h) */
    data_nonfinite nonfinite;
    data_split split;
    double valid, test; /* shares of the rows, >= 0, together < 1 */
    uint64_t seed;      /* of dequantising and of DATA_SPLIT_SEED */
} data_options;

/* All columns, standardized, split 0.8 / 0.1 / 0.1 by position, rows that are not finite refused.
 */
data_options data_options_default(void);

/* All parts of x lie in one block, so do those of context and of weight: train, valid, test, in this order. */
typedef struct data_part {
    double *x;       /* (n, D) in the units of the flow */
    double *context; /* (n, C) in the units of the flow; NULL if C = 0 */
    double *weight;  /* (n), of mean 1 over the training rows; NULL: all rows count alike */
    size_t n;
} data_part;

typedef struct data_set {
    size_t dim, n_context; /* D and C */
    data_part train, valid, test;
    flow_units *units;         /* of the data */
    flow_units *context_units; /* always standardized; NULL if C = 0 */
    char **names;              /* (D); "x0", "x1", ... by column number where the table has none */
    char **context_names;      /* (C); NULL if C = 0 */
    size_t dropped;            /* rows left out because they were not finite */
} data_set;

/* source names the table in messages. The table is not changed and may be freed. FLOW_EDATA for
 * what is wrong with the rows, FLOW_ECONFIG for what is wrong with the options. */
data_set *data_set_create(const file_table *table, const char *source, const data_options *options,
                          flow_err *err);
void data_set_free(data_set *self);

/* Which columns and rows of a table a data set is made of, before any number is touched. */
typedef struct data_plan {
    size_t *data, *context; /* (dim), (n_context) columns of the table */
    size_t dim, n_context;
    size_t *rows; /* of the table: n_train that train, then n_valid, then n_test */
    size_t n_train, n_valid, n_test;
    size_t dropped; /* rows left out because they were not finite */
} data_plan;

/* The errors are those of data_set_create. */
int data_plan_init(data_plan *self, const file_table *table, const char *source,
                   const data_options *options, flow_err *err);
void data_plan_release(data_plan *self); /* accepts one that is all zero */

/* D and C as data_set_create would find them: of the table, only cols and names are looked at. */
int data_set_shape(size_t *dim, size_t *n_context, const file_table *table, const char *source,
                   const data_options *options, flow_err *err);

#endif
