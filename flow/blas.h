/* flow/blas.h -- the one thing that this library asks of the process it runs in.
 *
 * OpenBLAS may spread a product over threads of its own. Threads are ours (pool.h): a product belongs to
 * the thread that calls it, or results would move with the number of processors. How many threads OpenBLAS
 * takes is a setting of the whole process, so it is the program that makes it, not a library behind its
 * back. */
#ifndef FLOW_BLAS_H
#define FLOW_BLAS_H

#include "flow/err.h"

/* Once, when the program starts: one thread a call from now on, for everyone in the process. */
void flow_blas_one_thread(void);

/* FLOW_EUSAGE if that is not so: flow_pool_create asks. */
int flow_blas_check(flow_err *err);

#endif
