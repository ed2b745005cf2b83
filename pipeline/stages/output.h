/* pipeline/stages/output.h -- samples and log-densities as files or streams, in constant memory. */
#ifndef PIPELINE_STAGES_OUTPUT_H
#define PIPELINE_STAGES_OUTPUT_H

#include "pipeline/stages/derived.h"

#include <stdbool.h>

typedef enum table_format { TABLE_CSV, TABLE_NPY } table_format;

/* By the ending of a path; csv without one that is known. */
table_format output_format_of(const char *path);

typedef struct output_form {
    table_format format;
    uint64_t
        digits; /* significant ones of a csv, 1 .. 17; 0: as many as it takes to read the same bits */
} output_form;

/* n rows of `cols` columns, handed over a block at a time. */
typedef struct output output;

/* path NULL: stdout. names (cols) head a csv. */
output *output_open(const char *path, output_form form, size_t rows, size_t cols,
                    const char *const *names, flow_err *err);
int output_append(output *self, const double *values, size_t n, flow_err *err);
/* Both free self. */
int output_close(output *self, flow_err *err);
void output_discard(output *self); /* accepts NULL */

typedef struct output_request {
    const flow_model *model;
    flow_pool *pool;
    const double *context; /* (n_context, C) in user's units, or NULL */
    size_t n_context;      /* n, or 1: the same row for all */
    pcg_stream stream;
    uint64_t first;
    size_t n;
    const size_t *
        chosen; /* (n), ascending: rows of the stream to write, counted from `first`; NULL: the n first */
    double temperature; /* of the base; 1: as it is */
    bool logp;          /* a last column with log q(x) */
    derived
        *derived; /* what is written of a row; rows that have none of it are told of at the end */
    const double *log_w; /* another one behind it, by the row as `chosen` counts; NULL: none */
    const char *path;
    output_form form;
} output_request;

int output_samples(const output_request *request, flow_err *err);

#endif
