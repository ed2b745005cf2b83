/* teacher/plan.h -- which columns and rows of a table a data set is made of, before any number is touched. */
#ifndef TEACHER_PLAN_H
#define TEACHER_PLAN_H

#include "files/stream.h"
#include "flow/flow.h" /* flow_precision */
#include "flow/shuffle.h"
#include "teacher/column_kind.h"

#include <stdbool.h>
#include <stdint.h>

typedef enum data_nonfinite { DATA_NONFINITE_ERROR, DATA_NONFINITE_DROP } data_nonfinite;

/* Rows of validation and test that are training rows, too, in such numbers that they can neither stop a fit nor
 * judge it. */
typedef enum data_repeated { DATA_REPEATED_ERROR, DATA_REPEATED_KEEP } data_repeated;

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
    data_repeated repeated; /* for a look (look.h) alone */
    data_split split;
    double valid, test;       /* shares of the rows, >= 0, together < 1 */
    uint64_t seed;            /* of dequantising and of DATA_SPLIT_SEED */
    flow_precision precision; /* that rows are held in: that of the flow */
} data_options;

/* All columns, standardized, split 0.8 / 0.1 / 0.1 by position, rows that are not finite refused, in double. */
data_options data_options_default(void);

/* A row in use has a place: those that train are 0 .. n_train - 1, then come those that validate, then the test. */
typedef struct data_plan {
    size_t *data, *context; /* (dim), (n_context) columns of the table */
    size_t dim, n_context;
    size_t weights; /* column of the table; DATA_NO_WEIGHTS */
    size_t n_train, n_valid, n_test;
    size_t dropped;        /* rows left out because they were not finite */
    unsigned char *unused; /* bit i of them: row i of the table is; NULL: there is none */
    uint32_t *place; /* (n) of each row in use, in the order of the table; NULL: 0, 1, 2, ..., or */
    flow_shuffle shuffle; /* of many rows, what is at each place; n = 0: there is none */
} data_plan;
#define DATA_NO_WEIGHTS SIZE_MAX

/* source names the table in messages. FLOW_EDATA for what is wrong with the rows, FLOW_ECONFIG for what is wrong
 * with the options. To be released, unless it failed. */
int data_plan_init(data_plan *self, file_stream *rows, const char *source,
                   const data_options *options, flow_err *err);
void data_plan_release(data_plan *self); /* accepts one that is all zero */

/* Rows in use. */
size_t data_plan_n(const data_plan *self);

/* Whether row `number` of the table is left out. */
bool data_plan_unused(const data_plan *self, size_t number);

/* The place of row i of those in use. */
size_t data_plan_place(const data_plan *self, size_t i);

/* The row of the table that has a place: by a search through all of them. */
size_t data_plan_row(const data_plan *self, size_t place);

/* D and C as a plan would have them: of the table, only cols and names are looked at. */
int data_set_shape(size_t *dim, size_t *n_context, const file_table *head, const char *source,
                   const data_options *options, flow_err *err);

/* The names of the D data columns, as a set would have them; to be freed by data_columns_names_free. NULL: as above. */
char **data_set_names(size_t *dim, const file_table *head, const char *source,
                      const data_options *options, flow_err *err);

#endif
