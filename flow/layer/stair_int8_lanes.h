/* flow/layer/stair_int8_lanes.h -- vectors of 32-bit sums. */
#ifndef FLOW_LAYER_STAIR_INT8_LANES_H
#define FLOW_LAYER_STAIR_INT8_LANES_H

#include "flow/layer/stair_int8.h"
#include "flow/layer/tile.h"
#include "flow/layer/vmath.h"

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

#if defined(__AVX512F__)
#include <immintrin.h>
#define LEAST_OF(a, b) (lanes) _mm512_min_epi32((__m512i)(a), (__m512i)(b))
#define MOST_OF(a, b) (lanes) _mm512_max_epi32((__m512i)(a), (__m512i)(b))
#elif defined(__AVX2__)
#include <immintrin.h>
#define LEAST_OF(a, b) (lanes) _mm256_min_epi32((__m256i)(a), (__m256i)(b))
#define MOST_OF(a, b) (lanes) _mm256_max_epi32((__m256i)(a), (__m256i)(b))
#else
#define LEAST_OF(a, b) (((a) & ((a) < (b))) | ((b) & ~((a) < (b))))
#define MOST_OF(a, b) (((a) & ((a) > (b))) | ((b) & ~((a) > (b))))
#endif

/* mlp_low.c has the same for one number, and says why. */
FLOW_INLINE bits level(vec y, real least, real inverse, int levels)
{
    const vec round = (vec){0} + VM_ROUND, top = (vec){0} + (real)levels;
    lanes t = (lanes)((y - least) * inverse);
    t = MOST_OF(t, (lanes){0});
    t = LEAST_OF(t, (lanes)top);
    return (bits)((vec)t + round) & (uint32_t)levels;
}

#endif
