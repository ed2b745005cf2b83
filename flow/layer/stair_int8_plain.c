/* flow/layer/stair_int8_plain.c -- products of bytes with nothing but the instruction set that all of this folder is
 * compiled for: pairs of two bytes where there is an instruction for them, and else one byte after the other. */
#include "flow/layer/stair_int8.h"
#include "flow/layer/tile.h"

#if defined(__AVX2__)
#include <immintrin.h>
#define INT8_PLANES 2
#if defined(__AVX512BW__)
typedef __m512i lanes;
#define WIDE(name) _mm512_##name
#define load(words) _mm512_load_si512(words)
#define MASKED(x, mask) _mm512_and_si512(x, mask)
#define zero() _mm512_setzero_si512()
#else
typedef __m256i lanes;
#define WIDE(name) _mm256_##name
#define load(words) _mm256_load_si256((const __m256i *)(const void *)(words))
#define MASKED(x, mask) _mm256_and_si256(x, mask)
#define zero() _mm256_setzero_si256()
#endif
#define splat(w) WIDE(set1_epi32)(w)
#define to_real(sum) ((vec)WIDE(cvtepi32_ps)(sum))

/* Bytes 0 and 2, or 1 and 3, of each word, in two bytes each. */
FLOW_INLINE lanes take(lanes x, size_t p)
{
    return MASKED(p ? WIDE(srli_epi32)(x, 8) : x, splat(0x00ff00ff));
}

FLOW_INLINE lanes dot(lanes sum, lanes x, lanes w)
{
    return WIDE(add_epi32)(sum, WIDE(madd_epi16)(x, w));
}
#else
#define INT8_PLANES 1
typedef int32_t lanes
    __attribute__((vector_size(FLOW_VEC_BYTES), aligned(FLOW_VEC_BYTES), may_alias));
typedef uint32_t words_bits
    __attribute__((vector_size(FLOW_VEC_BYTES), aligned(FLOW_VEC_BYTES), may_alias));
#define zero() ((lanes){0})
#define splat(w) (zero() + (w))
#define load(words) (*(const lanes *)(words))
#define to_real(sum) __builtin_convertvector(sum, vec)

FLOW_INLINE lanes take(lanes x, size_t p)
{
    (void)p;
    return x;
}

FLOW_INLINE lanes dot(lanes sum, lanes x, lanes w)
{
    sum += (x & 255) * ((lanes)((words_bits)w << 24) >> 24);
    sum += (x >> 8 & 255) * ((lanes)((words_bits)w << 16) >> 24);
    sum += (x >> 16 & 255) * ((lanes)((words_bits)w << 8) >> 24);
    return sum + (x >> 24 & 255) * (w >> 24);
}
#endif

#include "flow/layer/stair_int8_tile.h"

static int always(void)
{
    return 1;
}

const int8_kernel int8_kernel_plain = {.isa = FLOW_TEXT(FLOW_ISA),
                                       .supported = always,
                                       .planes = INT8_PLANES,
                                       .strips = int8_strips,
                                       .single = int8_single};
