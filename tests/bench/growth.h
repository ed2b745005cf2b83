/* tests/bench/growth.h -- what a row costs as layers are added, and as layers grow wider: the time for
 * each layer, and for each live weight, should not move. */
#ifndef TESTS_BENCH_GROWTH_H
#define TESTS_BENCH_GROWTH_H

#include "tests/bench/case.h"

enum { GROWTH_STEPS = 5 };

/* One of the two series: sizes that differ in one thing. */
typedef struct growth {
    const char *what, *unit; /* "layers", "ns a row and layer" */
    bench_size size[GROWTH_STEPS];
    double times[GROWTH_STEPS];           /* what the seconds of a row are divided by */
    double cost[BENCH_OPS][GROWTH_STEPS]; /* in the unit; NaN: not measured */
} growth;

enum { GROWTHS = 2 };

/* Those of the operations in ops (BENCH_OPS) that cost a pass or a few: not the naive one, nor rows
 * one by one. Medians of the rounds. */
void growth_measure(growth out[GROWTHS], flow_pool *pool, const int *ops, size_t rounds,
                    double least);

#endif
