/* flow/layer/stair_int8_plain.c -- products of bytes with nothing but the instruction set that all of this folder is
 * compiled for: pairs of two bytes where there is an instruction for them, and else one byte after the other. */
#include "flow/layer/stair_int8_lanes.h"

#if defined(__AVX512BW__)
#include <immintrin.h>
#define MADD(x, w) (lanes) _mm512_madd_epi16((__m512i)(x), (__m512i)(w))
#elif defined(__AVX2__)
#include <immintrin.h>
#define MADD(x, w) (lanes) _mm256_madd_epi16((__m256i)(x), (__m256i)(w))
#endif

#ifdef MADD
#define INT8_PLANES 2

/* Bytes 0 and 2, or 1 and 3, of each word, in two bytes each. */
FLOW_INLINE lanes take(lanes x, size_t p)
{
    return (p ? (lanes)((bits)x >> 8) : x) & 0x00ff00ff;
}

FLOW_INLINE lanes dot(lanes sum, lanes x, lanes w)
{
    return sum + MADD(x, w);
}
#else
#define INT8_PLANES 1

FLOW_INLINE lanes take(lanes x, size_t p)
{
    (void)p;
    return x;
}

/* Byte by byte. */
FLOW_INLINE lanes dot(lanes sum, lanes x, lanes w)
{
    sum += (x & 255) * ((lanes)((bits)w << 24) >> 24);
    sum += (x >> 8 & 255) * ((lanes)((bits)w << 16) >> 24);
    sum += (x >> 16 & 255) * ((lanes)((bits)w << 8) >> 24);
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
