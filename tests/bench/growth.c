#include "tests/bench/growth.h"
#include "tests/bench/common.h"

#include <math.h>
#include <stdlib.h>

static void describe(growth out[GROWTHS])
{
    static const size_t layers[GROWTH_STEPS] = {1, 2, 4, 8, 16};
    static const size_t hidden[GROWTH_STEPS] = {128, 256, 512, 1024, 2048};
    out[0] = (growth){.what = "layers", .unit = "ns a row and layer"};
    out[1] = (growth){.what = "live weights", .unit = "ps a row and live weight"};
    for (size_t i = 0; i < GROWTH_STEPS; i++) {
        out[0].size[i] =
            (bench_size){.dim = 21, .layers = layers[i], .hidden = 256, .batch = 512, .rows = 8192};
        out[1].size[i] =
            (bench_size){.dim = 64, .layers = 2, .hidden = hidden[i], .batch = 512, .rows = 2048};
    }
}

/* Rounds go over all sizes of a series in turn, so that what else happens meets all of them. */
static void measure_op(growth *g, bench_case *const *cases, bench_op op, size_t rounds,
                       double least)
{
    double *rates = take(GROWTH_STEPS * rounds, sizeof *rates);
    for (size_t round = 0; round <= rounds; round++) /* round 0 warms up */
        for (size_t i = 0; i < GROWTH_STEPS; i++) {
            double rate = bench_case_rate(cases[i], op, round ? least : 0.01);
            if (round)
                rates[i * rounds + round - 1] = rate;
        }
    for (size_t i = 0; i < GROWTH_STEPS; i++)
        g->cost[op][i] = 1 / (median(rates + i * rounds, rounds) * g->times[i]);
    free(rates);
}

static void measure(growth *g, int by_weight, flow_pool *pool, const int *ops, size_t rounds,
                    double least)
{
    bench_case *cases[GROWTH_STEPS];
    for (size_t i = 0; i < GROWTH_STEPS; i++) {
        cases[i] = bench_case_create(&g->size[i], pool);
        g->times[i] = by_weight ? 1e-12 * bench_live_weights(bench_case_teacher(cases[i]))
                                : 1e-9 * (double)g->size[i].layers;
    }
    for (size_t op = 0; op < BENCH_OPS; op++)
        if (ops[op] && op != BENCH_NAIVE && op != BENCH_ONE && op != BENCH_INT8 &&
            op != BENCH_INT8_ONE)
            measure_op(g, cases, (bench_op)op, rounds, least);
        else
            for (size_t i = 0; i < GROWTH_STEPS; i++)
                g->cost[op][i] = NAN;
    for (size_t i = 0; i < GROWTH_STEPS; i++)
        bench_case_free(cases[i]);
}

void growth_measure(growth out[GROWTHS], flow_pool *pool, const int *ops, size_t rounds,
                    double least)
{
    describe(out);
    for (size_t g = 0; g < GROWTHS; g++)
        measure(&out[g], g == 1, pool, ops, rounds, least);
}
