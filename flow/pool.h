/* flow/pool.h -- threads that share out numbered tasks.
 *
 * What a task computes must depend on its index only, never on the worker that runs it: then the
 * result is the same for any number of threads. */
#ifndef FLOW_POOL_H
#define FLOW_POOL_H

#include "flow/err.h"

#include <stddef.h>

typedef struct flow_pool flow_pool;

enum { FLOW_MAX_THREADS = 1024 }; /* of a pool: what is asked for beyond is not taken */

/* FLOW_EUSAGE unless OpenBLAS has one thread (blas.h). threads >= 1, the caller's own included; 0: one per processor this process may run on. */
flow_pool *flow_pool_create(size_t threads, flow_err *err);
void flow_pool_free(flow_pool *self);
size_t flow_pool_threads(const flow_pool *self);

/* Runs task(arg, index, worker) for index = 0 .. count - 1 and returns when all are done; worker is
 * in 0 .. threads - 1 and is not shared by two running tasks. Not to be called from inside a task of
 * the same pool, nor by two threads at a time. */
void flow_pool_run(flow_pool *self, void (*task)(void *arg, size_t index, size_t worker), void *arg,
                   size_t count);

/* From inside a task: part(arg, index) for index = 0 .. count - 1, in any order; returns when all are
 * done. Workers of the pool that have nothing to do help. A part shares nothing further: what it
 * shares it does itself, and so does a thread that is in no task. As with tasks, what a part computes
 * must depend on its index only. Worth it from tens of microseconds on. */
void flow_pool_share(void (*part)(void *arg, size_t index), void *arg, size_t count);

#endif
