/* teacher/dataset.h -- a table made ready for a fit: columns chosen, rows cleaned and split, units
 * fitted on the training rows alone.
 *
 * Order of work: choose columns, refuse or drop rows that are not finite, split (plan.h), weigh, check and blur
 * values as their kinds say, fit units, convert. Shapes: D data columns, C context columns.
 *
 * Rows are held once, in the precision of the flow that they are for; all before is done in double, and in passes over the
 * table, of which no part is kept: 1700000000.125 loses nothing to single precision but behind its mean. Memory while a set is
 * made stays below that of the set but for 8 bytes a row. */
#ifndef TEACHER_DATASET_H
#define TEACHER_DATASET_H

#include "teacher/part.h"
#include "teacher/plan.h"

/* Of a column, in the units of the flow, before rows are rounded to its precision. */
typedef struct data_range {
    double low, high;
} data_range;

/* All parts of x lie in one block, so do those of context and of weight: train, valid, test, in this order. */
typedef struct data_set {
    size_t dim, n_context; /* D and C */
    data_part train, valid, test;
    flow_units *units;         /* of the data */
    flow_units *context_units; /* always standardized; NULL if C = 0 */
    char **names;              /* (D); "x0", "x1", ... by column number where the table has none */
    char **context_names;      /* (C); NULL if C = 0 */
    size_t dropped;            /* rows left out because they were not finite */
    data_range *ranges;        /* (D) of all rows */
    data_range *train_ranges;  /* (D + C) of those that train: of the data, then of the context */
} data_set;

/* All parts as one. */
data_part data_set_all(const data_set *self);

/* The rows that a plan by the same options says. source names the table in messages. The stream is not kept. FLOW_EDATA for
 * what is wrong with the rows, FLOW_ECONFIG for what is wrong with the options. */
data_set *data_set_read(file_stream *rows, const data_plan *plan, const char *source,
                        const data_options *options, flow_err *err);

/* The same of a table, with a plan of its own. The table is not changed and may be freed. */
data_set *data_set_create(const file_table *table, const char *source, const data_options *options,
                          flow_err *err);
void data_set_free(data_set *self);

#endif
