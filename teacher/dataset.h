/* teacher/dataset.h -- a table made ready for a fit: columns chosen, rows cleaned and split, units
 * fitted on the training rows alone.
 *
 * Order of work: choose columns, refuse or drop rows that are not finite, dequantise, split, fit
 * units, convert. Shapes: D data columns, C context columns. */
#ifndef TEACHER_DATASET_H
#define TEACHER_DATASET_H

#include "files/read.h"
#include "files/table.h"
#include "flow/units.h"

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
        *columns; /* (n_columns) data columns in this order; n_columns 0: all but context */
    size_t n_columns;
    const char *const *context; /* (n_context) */
    size_t n_context;
    const double *dequantise; /* rounding steps: uniform noise on [0, step) is added */
    size_t n_dequantise; /* 0: none; 1: the same for all; D: one each, 0 for a continuous column */
    bool logit;          /* the map of flow/units.h for every data column */
    double logit_lo, logit_hi, logit_alpha;
    bool standardize; /* shift and scale each data column to mean 0, variance 1 over the training
                         rows */
    data_nonfinite nonfinite;
    data_split split;
    double valid, test; /* shares of the rows, >= 0, together < 1 */
    uint64_t seed;      /* of dequantising and of DATA_SPLIT_SEED */
} data_options;

/* All columns, standardized, split 0.8 / 0.1 / 0.1 by position, rows that are not finite refused.
 */
data_options data_options_default(void);

/* All parts of x lie in one block, so do those of context: train, valid, test, in this order. */
typedef struct data_part {
    double *x;       /* (n, D) in the units of the flow */
    double *context; /* (n, C) in the units of the flow; NULL if C = 0 */
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

/* D and C as data_set_create would find them: of the table, only cols and names are looked at. */
int data_set_shape(size_t *dim, size_t *n_context, const file_table *table, const char *source,
                   const data_options *options, flow_err *err);

#endif
