/* flow/layer/stair_int8_lanes.h -- vectors of 32-bit sums, and of reals that become levels. */
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

/* Level: the nearest to (y - least) inverse, that of the end for what is beyond. Numbers above 0 are in the order of
 * their bits as whole ones, which have an instruction for the least and the largest whatever a NaN may be. */
FLOW_INLINE bits levels_of(vec y, real least, real inverse, int top)
{
    const vec round = (vec){0} + VM_ROUND, end = (vec){0} + (real)top;
    lanes t = (lanes)((y - least) * inverse);
    t = MOST_OF(t, (lanes){0});
    t = LEAST_OF(t, (lanes)end);
    return (bits)((vec)t + round) & (uint32_t)top;
}

/* Of one number. */
FLOW_INLINE word level_of(real y, real least, real inverse, int top)
{
    const real_int end = vm_bits((real)top);
    real_int t = vm_bits((y - least) * inverse);
    t = t > 0 ? t : 0;
    t = t < end ? t : end;
    return (word)(vm_bits(vm_from_bits(t) + VM_ROUND) & top);
}

/* Levels of four rows in words: a byte each, or, with `upper`, the lower and the upper one of two. */
FLOW_INLINE void store_quads(word *lower, word *upper, const vec *rows, const real *least,
                             const real *inverse)
{
    const int top = upper ? INT8_WIDE_TOP : INT8_TOP;
    bits low = {0}, high = {0};
    for (size_t k = 4; k-- > 0;) {
        bits both = levels_of(rows[k], least[k], inverse[k], top);
        low = low << 8 | (both & 255);
        high = high << 8 | both >> 8;
    }
    *(bits *)lower = low;
    if (upper)
        *(bits *)upper = high;
}

#endif
