/* tests/bench/report.h -- what was measured, as a table and as JSON. */
#ifndef TESTS_BENCH_REPORT_H
#define TESTS_BENCH_REPORT_H

#include "tests/bench/claim.h"
#include "tests/bench/growth.h"
#include "tests/bench/linearity.h"
#include "tests/bench/options.h"

#include <stdio.h>

/* rate[op][t][round]: rows a second; t = 0: all threads, 1: one thread (with --scaling). */
typedef struct bench_result {
    const bench_size *size;
    double live_weights;
    double rate[BENCH_OPS][2][BENCH_MAX_ROUNDS];
    double flops[BENCH_OPS]; /* a row */
    linearity linearity;
    double peak; /* flops a second of one thread */
} bench_result;

typedef struct bench_machine {
    char processor[128];
    const char *backend, *blas_core;
    size_t threads;
} bench_machine;

void report_head(FILE *to, const bench_machine *machine, const bench_options *options, double peak);
void report_size(FILE *to, const bench_result *result, const bench_machine *machine,
                 const bench_options *options);
void report_claim(FILE *to, const claim *result);

void report_growth(FILE *to, const growth *result, const bench_options *options);

/* Everything; claimed, grown NULL: not measured. Ends the program if the file cannot be written. */
void report_json(const bench_machine *machine, const bench_options *options,
                 const bench_result *results, size_t count, const claim *claimed,
                 const growth *grown);

#endif
