/* flow/layer/real.h -- the number type and the vector width of one compilation of flow/layer/.
 *
 * Every .c file of this folder is compiled once per precision (FLOW_BITS 32 or 64) and instruction
 * set (FLOW_ISA generic, avx2, avx512). External names carry both, through FLOW_NAME. A third compilation
 * in single precision (FLOW_ROUNDS) is for networks in low precision (flow/round.h): it contracts nothing to fused
 * multiply-adds, so that all instruction sets give the same bits.
 *
 * Shapes inside this folder: a shard is feature-major. A buffer of R features is (R', ld) with R'
 * = R rounded up to FLOW_PAD rows and ld = the shard's rows rounded up to FLOW_PAD numbers, so that
 * loops run over whole vectors and a feature of all samples is contiguous. Columns beyond the
 * shard's rows hold finite filler, and their cotangents are zero. A single row may also come with ld
 * = 1, where a feature is one number. */
#ifndef FLOW_LAYER_REAL_H
#define FLOW_LAYER_REAL_H

#include <stddef.h>
#include <stdint.h>

#if FLOW_BITS == 32
typedef float real;
typedef int32_t real_int; /* as wide */
#elif FLOW_BITS == 64
typedef double real;
typedef int64_t real_int;
#else
#error "FLOW_BITS must be 32 or 64"
#endif

#ifndef FLOW_ROUNDS
#define FLOW_ROUNDS 0
#endif
#if FLOW_ROUNDS
#define FLOW_LETTER "r"
/* A function of the compilation that contracts: its name in two parts, or the first would be one of this one's. */
#define FLOW_CONTRACTED(a, b) FLOW_CONTRACTED_OF(a, b, FLOW_ISA)
#define FLOW_CONTRACTED_OF(a, b, isa) FLOW_CONTRACTED_(a, b, isa)
#define FLOW_CONTRACTED_(a, b, isa) a##b##_f32_##isa
#define FLOW_GLUE_(name, bits, isa) name##_r##bits##_##isa
#else
#define FLOW_LETTER "f"
#define FLOW_GLUE_(name, bits, isa) name##_f##bits##_##isa
#endif
#define FLOW_GLUE(name, bits, isa) FLOW_GLUE_(name, bits, isa)
#define FLOW_NAME(name) FLOW_GLUE(name, FLOW_BITS, FLOW_ISA)
#define FLOW_TEXT_(x) #x
#define FLOW_TEXT(x) FLOW_TEXT_(x)

#define FLOW_PAD 16

/* For what must melt into the loop around it, or the loop stays scalar. */
#define FLOW_INLINE static inline __attribute__((always_inline))

#if defined(__AVX512F__)
#define FLOW_VEC_BYTES 64
#elif defined(__AVX__)
#define FLOW_VEC_BYTES 32
#else
#define FLOW_VEC_BYTES 16
#endif

/* One vector register. may_alias: rows of real are read and written through it. */
typedef real vec __attribute__((vector_size(FLOW_VEC_BYTES), aligned(FLOW_VEC_BYTES), may_alias));
#define FLOW_VEC ((size_t)(FLOW_VEC_BYTES / sizeof(real)))

static inline size_t flow_pad(size_t n)
{
    return (n + FLOW_PAD - 1) / FLOW_PAD * FLOW_PAD;
}

#endif
