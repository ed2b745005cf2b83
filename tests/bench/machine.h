/* tests/bench/machine.h -- what the numbers are measured on, and against. */
#ifndef TESTS_BENCH_MACHINE_H
#define TESTS_BENCH_MACHINE_H

#include "flow/pool.h"

#include <stddef.h>

/* The processor's model name, or "unknown". */
void machine_name(char *out, size_t size);

/* The best rate of cblas_sgemm over a few large square sizes, one product on each thread of the pool
 * at the same time: flops a second and thread; about half a second. Never less than an earlier
 * call's: the machine has shown that it can. */
double machine_sgemm_peak(flow_pool *pool);

#endif
