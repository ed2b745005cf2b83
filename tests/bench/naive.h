/* tests/bench/naive.h -- sampling a MAF as every library does: all dimensions D times over, through
 * dense matrix products with the masked half of the weights zero. Written from the equations
 * x_i = (y_i - m_i(x_<i)) exp(-s_i(x_<i)) and from the flow's public tensors: nothing of
 * flow/layer/ is in it, so it checks the incremental sampler too. */
#ifndef TESTS_BENCH_NAIVE_H
#define TESTS_BENCH_NAIVE_H

#include "flow/flow.h"

typedef struct naive naive;

/* Copies the weights, rounded to float, of a flow made by bench_network with FLOW_DATA_TO_NOISE. */
naive *naive_create(const flow *maf, flow_pool *pool);
void naive_free(naive *self); /* accepts NULL */

/* x (n, D) from the noise z (n, D) in single precision. passes = D gives samples; with fewer only
 * the first `passes` dimensions of each layer are done: for timing, since every pass costs the
 * same. */
void naive_sample(const naive *self, double *x, const double *z, size_t n, size_t passes);

#endif
