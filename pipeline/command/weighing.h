/* pipeline/command/weighing.h -- samples of a model with their weights p~ / q, p~ the density that it was made for. */
#ifndef PIPELINE_COMMAND_WEIGHING_H
#define PIPELINE_COMMAND_WEIGHING_H

#include "pipeline/stages/reference.h"
#include "student/diagnostics.h"

typedef struct weighing {
    const flow_model *model;
    flow_pool *pool;
    double temperature; /* of the model's base; 1: as it is */
    const reference *against;
    /* What hangs on it. */
    double *x, *log_q, *context; /* a block of rows */
} weighing;

/* The caller has set model, pool, temperature and against. context (n_context, C):
 * one row, since weights at different ones cannot be compared (FLOW_EUSAGE); NULL without. weighing_close also after
 * a failure. */
int weighing_open(weighing *self, const double *context, size_t n_context, flow_err *err);
void weighing_close(weighing *self);

/* log_w (n) = log p~ - log q of rows first .. first + n - 1 of the stream, nats; x (n, D) the rows, NULL: not wanted. */
int weighing_rows(const weighing *self, double *log_w, double *x, pcg_stream stream, uint64_t first,
                  size_t n, flow_err *err);

/* Says on stderr what n weights are worth: effective size, k-hat, log Z; and warns of a heavy tail. n > 0. d: the same for
 * programs, NULL: not wanted. */
int weighing_tell(student_diagnostics *d, const double *log_w, size_t n, const char *of,
                  flow_err *err);

#endif
