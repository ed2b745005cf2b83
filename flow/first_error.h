/* flow/first_error.h -- of the failures in numbered pieces of parallel work, the one with the lowest
 * number: the same for any number of threads, if whether a piece fails depends on the piece alone. */
#ifndef FLOW_FIRST_ERROR_H
#define FLOW_FIRST_ERROR_H

#include "flow/err.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>

typedef struct flow_first_error {
    pthread_mutex_t lock; /* of err */
    atomic_size_t at;     /* the lowest piece that has failed; SIZE_MAX: none */
    flow_err err;
} flow_first_error;

void flow_first_error_init(flow_first_error *self);
void flow_first_error_release(flow_first_error *self);

/* Whether a piece below this one has failed: then this one need not be run. */
int flow_first_error_spares(const flow_first_error *self, size_t piece);

/* A piece has failed with err. */
void flow_first_error_note(flow_first_error *self, size_t piece, const flow_err *err);

/* After the work: 0, or the code of the error, which goes to *err (may be NULL). Ready for the next
 * round of work. */
int flow_first_error_take(flow_first_error *self, flow_err *err);

#endif
