/* tests/bench/network.h -- the flows that are timed: f32, relu, affine, order reversed between
 * layers, with random weights in every map, so that no output is zero and nothing is special. */
#ifndef TESTS_BENCH_NETWORK_H
#define TESTS_BENCH_NETWORK_H

#include "flow/flow.h"

typedef struct bench_size {
    size_t dim, layers, hidden; /* `layers` autoregressive layers of two hidden layers each */
    size_t batch;               /* rows of a training step */
    size_t rows;                /* rows of one call that samples or takes densities */
} bench_size;

enum { BENCH_SIZES = 6 };
extern const bench_size bench_sizes[BENCH_SIZES];

#define BENCH_SCALE_BOUND 3.0 /* log-scale s = u / (1 + |u| / bound), flow/layer/affine.c */

/* Both are the caller's, to be freed. The first has the weights that a training starts from. */
flow *bench_new_network(const bench_size *size, flow_direction direction, uint64_t seed);
flow *bench_network(const bench_size *size, flow_direction direction, uint64_t seed);

/* Weights that are not masked, biases not counted. */
double bench_live_weights(const flow *f);

#endif
