/* flow/pcg.h -- PCG random numbers with addressable streams.
 *
 * Generator: PCG64 = pcg_xsl_rr_128_64 (O'Neill 2014, "PCG: A Family of Simple Fast Space-Efficient
 * Statistically Good Algorithms for Random Number Generation"): a 128-bit linear congruential
 * state, 64-bit output, jump-ahead in O(log k) (section 4.3.1, after Brown 1994).
 *
 * A stream is named by (seed, stage, purpose); a row of it by a number. Row r of a stream of width
 * w takes draws [r * w', (r + 1) * w') with w' = w rounded up to even, so what a row holds depends
 * neither on how many rows are asked for nor on who computes them.
 *
 * Every function gives the same bits on every processor and from every compiler: the normals use
 * only + - * / sqrt, each rounded on its own (no fused multiply-add), in one fixed order. */
#ifndef FLOW_PCG_H
#define FLOW_PCG_H

#include <stddef.h>
#include <stdint.h>

__extension__ typedef unsigned __int128 pcg_u128;

typedef struct pcg {
    pcg_u128 state, inc; /* inc is odd */
} pcg;

/* The reference seeding of the PCG library: pcg64_srandom(initstate, initseq). */
pcg pcg_seed(pcg_u128 initstate, pcg_u128 initseq);
uint64_t pcg_next(pcg *self);
void pcg_advance(pcg *self, pcg_u128 steps); /* 2^128 - k steps back by k */

/* Uniform on [0, 1), 53 bits. */
double pcg_uniform(pcg *self);
/* Uniform on 0 .. bound - 1 without bias (Lemire 2019). bound > 0. */
uint64_t pcg_below(pcg *self, uint64_t bound);

/* Who is drawing: a stage is any number, and who gives them out keeps them apart. They are part of the
 * reproducibility promise: append, never renumber. 1 to 5 belong to the floors above
 * (teacher/streams.h). */
enum {
    PCG_TEST = 6, /* tests */
    PCG_FLOW = 7  /* a flow that needs noise and is given none */
};

typedef enum pcg_purpose {
    PCG_BASE = 1,    /* noise that a flow turns into samples */
    PCG_INIT = 2,    /* initial weights */
    PCG_SHUFFLE = 3, /* order of rows */
    PCG_SPLIT = 4,   /* train, validation, test */
    PCG_DEQUANTISE = 5,
    PCG_GENERATE = 6, /* synthetic data */
    PCG_PERMUTE = 7,  /* permutation layers */
    PCG_TARGET = 8,   /* samples of what is learnt from */
    PCG_BOOTSTRAP = 9,
    PCG_CONTEXT = 10,
    PCG_ESTIMATE = 11, /* log-determinants that are estimates */
    PCG_CUT = 12,      /* where circles are cut */
    PCG_THIN = 13,     /* which rows stand for weighed ones */
    PCG_CIRCLE = 14,   /* of PCG_BASE: columns on circles */
    PCG_WATCH = 15     /* what the ranges of hidden units are taken from */
} pcg_purpose;

typedef struct pcg_stream {
    uint64_t seed;
    uint32_t stage, purpose;
} pcg_stream;

/* The generator at the first draw of row `row` of a stream whose rows are `width` draws wide. */
pcg pcg_at(pcg_stream stream, uint64_t row, size_t width);

/* out (n, width): rows first .. first + n - 1, independent standard normals (Box-Muller, each draw
 * used once, largest absolute value 8.57, within 4 ulp of the exact map) or uniforms on [0, 1). */
void pcg_normals(double *out, pcg_stream stream, uint64_t first, size_t n, size_t width);
void pcg_uniforms(double *out, pcg_stream stream, uint64_t first, size_t n, size_t width);

/* order = a random permutation of 0 .. n - 1 (Fisher-Yates). Each row has a generator of its own.
 */
void pcg_permutation(size_t *order, size_t n, pcg_stream stream, uint64_t row);

/* The same in half of the memory; n <= 2^32. */
void pcg_permutation_32(uint32_t *order, size_t n, pcg_stream stream, uint64_t row);

/* ---- the copies of the Box-Muller kernel, best first; the last one runs everywhere. pcg_normals
 * takes the first that is supported. They agree to the last bit; the table lets a test prove it. */

typedef struct pcg_kernel {
    const char *name; /* "avx512", "avx2", "generic" */
    int (*supported)(void);
    /* z[2i], z[2i + 1] = two normals from the draws radius[i], angle[i]; i < pairs. */
    void (*normals)(double *z, const uint64_t *radius, const uint64_t *angle, size_t pairs);
} pcg_kernel;

const pcg_kernel *pcg_kernels(size_t *count);

#endif
