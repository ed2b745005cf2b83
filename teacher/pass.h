/* teacher/pass.h -- once over the rows of a table that are in use, in the order of the table, a few at a time. */
#ifndef TEACHER_PASS_H
#define TEACHER_PASS_H

#include "teacher/plan.h"

enum { DATA_PASS_ROWS = 256 };

/* Between two calls of data_pass_next: n rows, what they hold, which rows of the table they are, and their places. */
typedef struct data_pass {
    size_t n;
    const double *row[DATA_PASS_ROWS]; /* (cols of the table) each */
    size_t number[DATA_PASS_ROWS], place[DATA_PASS_ROWS];
    int code; /* why it ended */
    file_stream *rows;
    const data_plan *plan;
    const double
        *block; /* of the stream: (left, cols), of which the first is row `next` of the table */
    size_t left, next, used;
} data_pass;

void data_pass_begin(data_pass *self, file_stream *rows, const data_plan *plan);

/* False: there are no more, or code says why. */
bool data_pass_next(data_pass *self, flow_err *err);

/* to (at->n, k) = columns cols (k) of the table. */
void data_pass_take(double *to, const data_pass *at, const size_t *cols, size_t k);

#endif
