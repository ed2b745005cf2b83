/* flow/layer/mlp_low.h -- a masked network in low precision: in bytes, or in bf16.
 *
 * In bytes, what a map reads and its weights are whole numbers of a byte (stair_int8.h), inputs of two bytes, and with
 * int16 hidden units, too. Sums are exact, biases and activations reals.
 *
 * Where a hidden unit's bytes begin and end must be a constant, or an output would depend on what it may not see. So
 * the network first watches: it computes as it is, with whatever rows somebody sends through it, and keeps of each unit
 * the least, the largest and the sum. Rounded, it takes bytes from there; two bytes, which have levels to spare, from
 * a range some times as wide. What leaves its range later is cut off there: a function of what is seen, so the flow
 * stays one whose log q is exact.
 *
 * In bf16, weights and hidden units have the first 8 of their 24 bits. The product of two such is exact in single
 * precision, so that a fused multiply-add gives what a product and a sum do, and all instruction sets the same. The
 * first map is as it is. Nothing is to be watched.
 *
 * All of it lives behind the network's parameters, in the same block. */
#ifndef FLOW_LAYER_MLP_LOW_H
#define FLOW_LAYER_MLP_LOW_H

#include "flow/layer/mlp.h"

#if FLOW_ROUNDS
#include "flow/layer/stair_int8.h"

#define mlp_low_create FLOW_NAME(mlp_low_create)
#define mlp_low_round FLOW_NAME(mlp_low_round)
#define mlp_low_is_rounded FLOW_NAME(mlp_low_is_rounded)
#define mlp_low_activates FLOW_NAME(mlp_low_activates)
#define mlp_low_map FLOW_NAME(mlp_low_map)
#define mlp_low_map_rectified FLOW_NAME(mlp_low_map_rectified)
#define mlp_low_leave FLOW_NAME(mlp_low_leave)
#define mlp_low_theta FLOW_NAME(mlp_low_theta)
#define mlp_low_multiply FLOW_NAME(mlp_low_multiply)
#define mlp_low_see FLOW_NAME(mlp_low_see)
#define mlp_low_spoil FLOW_NAME(mlp_low_spoil)
#define mlp_low_spoil_all FLOW_NAME(mlp_low_spoil_all)

/* Where things are: at numbers of theta, or at rows of values. 0, but for `copy`: there are none. */
struct mlp_low {
    size_t rounded; /* in theta: whether it is */
    stair_int8 maps[MLP_MAX_STEPS];
    size_t blocks[MLP_MAX_STEPS]; /* in theta, of the maps */
    /* In theta, of buffers that a map reads: three rows of numbers; moments (moments_low.h), as doubles. */
    size_t ranges[MLP_MAX_STEPS + 1], moments[MLP_MAX_STEPS + 1];
    size_t scratch; /* in theta: doubles, as many as a map has columns */
    /* In values, of the same buffers: their words, and behind them those of upper bytes. */
    size_t words[MLP_MAX_STEPS + 1];
    size_t spoilt; /* in values: a row, NaN where an input that was seen is not finite */
    /* Of bf16. In theta: the parameters again, rounded; and which buffers a map reads, but for the inputs. */
    size_t copy;
    unsigned char read[MLP_MAX_STEPS + 1];
};

/* Adds what it takes to the network's parameters and values. NULL: no memory. To be freed. */
mlp_low *mlp_low_create(mlp *net);

/* The op round of a conditioner. */
void mlp_low_round(const conditioner *base, real *theta, size_t n);

static inline int mlp_low_in_bytes(const mlp *net)
{
    return flow_network_in_bytes(net->base.shape.low);
}

/* Whether it does something else than watch. */
int mlp_low_is_rounded(const mlp *net, const real *theta);

/* Once it is rounded the activation of rows that go into bytes may be left out: those of a rectifier begin at 0. */
int mlp_low_activates(const mlp *net, const real *theta);

/* Rows of a step that is a map, once it is rounded. */
void mlp_low_map(const mlp *net, const mlp_step *step, real *values, const real *theta, size_t row0,
                 size_t row1, size_t ld);
/* Rows of a map and of the activation of its result, which goes into bytes and nowhere else (mlp_low_activates): rows of
 * whole blocks; ld > 1. */
void mlp_low_map_rectified(const mlp *net, const mlp_step *step, real *values, const real *theta,
                           size_t row0, size_t row1, size_t ld);
/* Rows of a buffer are there: watched, or put into bytes. */
void mlp_low_leave(const mlp *net, size_t buffer, real *values, const real *theta, size_t row0,
                   size_t row1, size_t ld);

/* In bf16: where a step finds its parameters, and the product that it takes in the place of one of stair.h. */
const real *mlp_low_theta(const mlp *net, const real *theta);
stair_multiply *mlp_low_multiply(const mlp_step *step, stair_multiply *as_is);

/* NaN in, NaN out, though a byte cannot be one: inputs of a group, 0 .. G, have been seen (with group 0 begins a
 * shard); the outputs of a group become NaN where one of them was not finite. */
void mlp_low_see(const mlp *net, real *values, size_t group, size_t ld);
void mlp_low_spoil(const mlp *net, real *values, size_t group, size_t ld);
/* All groups, one after the other. */
void mlp_low_spoil_all(const mlp *net, real *values, size_t ld);
#endif

#endif
