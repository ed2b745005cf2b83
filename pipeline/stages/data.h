/* pipeline/stages/data.h -- the product of stage data. */
#ifndef PIPELINE_STAGES_DATA_H
#define PIPELINE_STAGES_DATA_H

#include "pipeline/config/config.h"
#include "teacher/dataset.h"
#include "teacher/generate.h"
#include "teacher/look.h"

#include <jansson.h>

typedef struct data_product {
    data_set *set;
    const data_generator *generator; /* NULL: the data are from a file */
    json_t *names, *context_names;   /* of the columns, as a model file holds them */
    double *ranges, *context_ranges; /* likewise; context's NULL without context */
    double repeated;                 /* share of the test rows that are training rows (look.h) */
} data_product;

/* The rows that a figure is measured on: those no fit saw, where there are any. */
const data_part *data_held_out(const data_set *set);

/* The numbers of data columns and of context columns, from the head of the file alone. 0, 0 if only
 * reading all of it could tell: it is a pipe. */
int data_peek(size_t *dim, size_t *context, const config *config, flow_err *err);

/* Whether report.pairs names columns that there are; of a pipe nobody can tell. */
int data_check_pairs(const config *config, flow_err *err);

/* The rows of the config's table, and a look at them as the run begins; to be closed, also after an error. */
typedef struct data_opened {
    file_table *made; /* of a generator; NULL: the rows are those of a file */
    file_stream *rows;
    data_plan plan;
    data_look *look;
} data_opened;

int data_open(data_opened *out, const config *config, flow_err *err);
void data_close(data_opened *self);

#endif
