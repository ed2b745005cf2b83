/* tests/bench/linearity.h -- student sampling of 10^3 to 10^6 rows: the rate should not move. */
#ifndef TESTS_BENCH_LINEARITY_H
#define TESTS_BENCH_LINEARITY_H

#include "flow/flow.h"

enum { LINEARITY_STEPS = 4 };

typedef struct linearity {
    size_t rows[LINEARITY_STEPS];
    double rate[LINEARITY_STEPS]; /* rows a second; NaN: would take over ten seconds or 2 GB */
} linearity;

void linearity_measure(linearity *out, const flow *student, flow_pool *pool, size_t rounds,
                       double least);

#endif
