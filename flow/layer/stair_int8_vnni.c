/* flow/layer/stair_int8_vnni.c -- products of bytes by the instruction made for them, four to a lane at a time: AVX-512
 * VNNI, or AVX-VNNI with vectors of half the length. Compiled with leave to use it, so nothing here may run before
 * the processor was asked. */
#include "flow/layer/stair_int8.h"
#include "flow/layer/tile.h"

#if defined(__AVX512VNNI__) || defined(__AVXVNNI__)
#include <cpuid.h>
#include <immintrin.h>

#define INT8_PLANES 1
#if defined(__AVX512VNNI__)
typedef __m512i lanes;
#define WIDE(name) _mm512_##name
#define load(words) _mm512_load_si512(words)
#define zero() _mm512_setzero_si512()
#define dot(sum, x, w) _mm512_dpbusd_epi32(sum, x, w)
#define LEAF 0 /* of cpuid 7, and the bit there */
#define REGISTER ecx
#define BIT 11
#else
typedef __m256i lanes;
#define WIDE(name) _mm256_##name
#define load(words) _mm256_load_si256((const __m256i *)(const void *)(words))
#define zero() _mm256_setzero_si256()
#define dot(sum, x, w) _mm256_dpbusd_avx_epi32(sum, x, w)
#define LEAF 1
#define REGISTER eax
#define BIT 4
#endif
#define splat(w) WIDE(set1_epi32)(w)
#define take(x, p) ((void)(p), (x))
#define to_real(sum) ((vec)WIDE(cvtepi32_ps)(sum))

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
