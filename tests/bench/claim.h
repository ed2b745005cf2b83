/* tests/bench/claim.h -- "Incremental sampling of a teacher with D = 64, 5 layers of 512 x 2: at
 * least 40 times the naive one in one run." */
#ifndef TESTS_BENCH_CLAIM_H
#define TESTS_BENCH_CLAIM_H

#include "flow/pool.h"

#include <stddef.h>

#define CLAIM_TIMES 40.0

typedef struct claim {
    double incremental; /* rows a second, as the two below */
    double forward;     /* D forward passes of our own kernels: what the ratio is taken to */
    double dense;       /* D dense passes (naive.h) */
    double ratio;       /* medians of the rounds' ratios */
    double dense_ratio;
    size_t rows;       /* that were compared: the same noise through both samplers, f32 */
    double difference; /* largest |incremental - naive| */
    double rounding;   /* largest |incremental in f32 - incremental in f64|, same weights */
    double largest;    /* largest |sample| */
    int agree;         /* the difference is of the order of rounding */
    int holds;         /* they agree, and ratio >= CLAIM_TIMES */
} claim;

void claim_check(claim *out, flow_pool *pool, size_t rounds, double least);

#endif
