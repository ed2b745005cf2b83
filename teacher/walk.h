/* teacher/walk.h -- a table column by column, each column as one array, though memory holds no more of them than half of
 * the numbers of the table: in as many passes over the rows as that takes. */
#ifndef TEACHER_WALK_H
#define TEACHER_WALK_H

#include "teacher/pass.h"

typedef struct data_walk {
    size_t n_columns;
    /* to (at->n, k) = columns first .. first + k - 1 of those walked over; FLOW_OK, or why there are none */
    int (*take)(void *arg, double *to, const data_pass *at, size_t first, size_t k, flow_err *err);
    /* x (n of the plan), by place; it may be written over */
    int (*visit)(void *arg, double *x, size_t column, flow_err *err);
    void *arg;
} data_walk;

/* Columns are visited in their order, up to the first failure. FLOW_ENOMEM. */
int data_walk_run(const data_walk *self, file_stream *rows, const data_plan *plan, flow_err *err);

#endif
