/* tests/bench/common.h -- what every part of the benchmark uses. It is a program, not a library: a
 * failure of the world ends it with a message. */
#ifndef TESTS_BENCH_COMMON_H
#define TESTS_BENCH_COMMON_H

#include "flow/flow.h"

#include <stddef.h>

double seconds(void); /* a clock that only goes forward */

/* Prints "bench: ..." and exits with status 1. */
__attribute__((noreturn, format(printf, 1, 2))) void die(const char *fmt, ...);

/* count objects of `size` bytes, aligned to 64, zero; never NULL. */
void *take(size_t count, size_t size);

/* The median of count >= 1 numbers; NaN if one of them is. */
double median(const double *values, size_t count);

#endif
