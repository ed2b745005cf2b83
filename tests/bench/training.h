/* tests/bench/training.h -- one maximum-likelihood step after another: the batch gathered from a
 * data set in random order, forward, backward and Adam, driven as teacher/fit.c does. */
#ifndef TESTS_BENCH_TRAINING_H
#define TESTS_BENCH_TRAINING_H

#include "flow/flow.h"

typedef struct training training;

/* Borrows the flow and the pool; steps change the flow's weights. */
training *training_create(flow *teacher, flow_pool *pool, size_t batch);
void training_free(training *self); /* accepts NULL */

/* Does one step. Ends the program if its gradient is not finite. */
void training_step(training *self);

#endif
