/* tests/bench/options.h -- the command line of the benchmark. */
#ifndef TESTS_BENCH_OPTIONS_H
#define TESTS_BENCH_OPTIONS_H

#include "tests/bench/case.h"

enum { BENCH_MAX_ROUNDS = 50 };

typedef struct bench_options {
    size_t threads;         /* 0: all */
    size_t rounds;          /* 1 .. BENCH_MAX_ROUNDS */
    double least;           /* seconds of a round of an operation */
    int sizes[BENCH_SIZES]; /* whether to run */
    int ops[BENCH_OPS];
    int claim, scaling, linearity, first_step;
    const char *json; /* NULL: none; "-": standard output, and no table */
} bench_options;

/* Ends the program on a wrong command line (status 64) and after --help. */
void bench_options_read(bench_options *out, int argc, char **argv);

#endif
