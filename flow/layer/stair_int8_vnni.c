/* flow/layer/stair_int8_vnni.c -- products of bytes by the instruction made for them, four to a lane at a time: AVX-512
 * VNNI, or AVX-VNNI with vectors of half the length. Compiled with leave to use it, so nothing here may run before
 * the processor was asked. */
#include "flow/layer/stair_int8_lanes.h"

#if defined(__AVX512VNNI__) || defined(__AVXVNNI__)
#include <cpuid.h>
#include <immintrin.h>

#define INT8_PLANES 1
#if defined(__AVX512VNNI__)
#define DOT(sum, x, w) (lanes) _mm512_dpbusd_epi32((__m512i)(sum), (__m512i)(x), (__m512i)(w))
#define LEAF 0 /* of cpuid 7, and the bit there */
#define REGISTER ecx
#define BIT 11
#else
#define DOT(sum, x, w) (lanes) _mm256_dpbusd_avx_epi32((__m256i)(sum), (__m256i)(x), (__m256i)(w))
#define LEAF 1
#define REGISTER eax
#define BIT 4
#endif

FLOW_INLINE lanes take(lanes x, size_t p)
{
    (void)p;
    return x;
}

FLOW_INLINE lanes dot(lanes sum, lanes x, lanes w)
{
    return DOT(sum, x, w);
}

#include "flow/layer/stair_int8_tile.h"

static int supported(void)
{
    unsigned eax, ebx, ecx, edx;
    return __get_cpuid_count(7, LEAF, &eax, &ebx, &ecx, &edx) && REGISTER >> BIT & 1;
}

const int8_kernel int8_kernel_vnni = {.isa = FLOW_TEXT(FLOW_ISA) "_vnni",
                                      .supported = supported,
                                      .planes = INT8_PLANES,
                                      .strips = int8_strips,
                                      .single = int8_single};
#else
const int8_kernel int8_kernel_vnni = {.isa = NULL};
#endif
