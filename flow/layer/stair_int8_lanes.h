/* flow/layer/stair_int8_lanes.h -- vectors of 32-bit sums. */
#ifndef FLOW_LAYER_STAIR_INT8_LANES_H
#define FLOW_LAYER_STAIR_INT8_LANES_H

#include "flow/layer/stair_int8.h"
#include "flow/layer/tile.h"

typedef int32_t lanes
    __attribute__((vector_size(FLOW_VEC_BYTES), aligned(FLOW_VEC_BYTES), may_alias));
typedef uint32_t bits
    __attribute__((vector_size(FLOW_VEC_BYTES), aligned(FLOW_VEC_BYTES), may_alias));

FLOW_INLINE lanes splat(word w)
{
    return (lanes){0} + w;
}

FLOW_INLINE lanes load(const word *words)
{
    return *(const lanes *)words;
}

FLOW_INLINE vec to_real(lanes sum)
{
    return __builtin_convertvector(sum, vec);
}

#endif
