/* tests/bench/machine.h -- what the numbers are measured on, and against. */
#ifndef TESTS_BENCH_MACHINE_H
#define TESTS_BENCH_MACHINE_H

#include <stddef.h>

/* The processor's model name, or "unknown". */
void machine_name(char *out, size_t size);

/* The best rate of a one-thread cblas_sgemm over a few large square sizes, flops a second; about
 * half a second. Never less than an earlier call's: the machine has shown that it can. */
double machine_sgemm_peak(void);

#endif
