/* flow/layer/stair_int8.h -- a masked linear map (stair.h) whose weights and inputs are whole numbers of a byte.
 *
 * An input a_k is seen as lo_k + step_k q_k, q_k = 0 .. 255, and row m of the weights, each times its step_k, as
 * scale_m w_mk, w_mk = -127 .. 127 (mathematics-layers 10). Both numbers of an input are constants: whatever a
 * row of the batch holds, an output sees the inputs below its limit and nothing of the others. Then
 *
 *   y_m = scale_m sum_k w_mk q_k + bias_m
 *
 * where bias_m holds the map's own, what lo adds, and a correction such that an average input gives the output that
 * the numbers before rounding give (Nagel 2019, "bias correction"). The sum is exact, in whatever order it is taken:
 * same bits from every kernel, for one row or many, piece by piece or at once.
 *
 * Inputs come in fours: bytes k, .. k + 3 of a row of the batch are one word, words (K / 4, ld). What is behind
 * a row's limit is multiplied by 0, so nothing need be there.
 *
 * Inputs of two bytes, q_k = 0 .. 65535, are two such arrays, of the lower and of the upper bytes.
 *
 * The rounded map lives in a block of words, laid out as scale (rows), bias (rows), 256 scale (rows), zeros (rows), weights: panels of FLOW_PAD
 * rows as in stair.h, of each four columns the words of all rows side by side. A kernel that multiplies pairs of two
 * bytes has two such planes, of the even and of the odd columns. */
#ifndef FLOW_LAYER_STAIR_INT8_H
#define FLOW_LAYER_STAIR_INT8_H

#include "flow/layer/stair.h"

/* Bits of the block, and of rows of fours among reals. */
typedef int32_t word __attribute__((may_alias));
typedef unsigned char byte;

/* Results in bytes, as inputs of the next map: level q of y is the nearest to (y - least) inverse, the ends' for what is
 * beyond. */
typedef struct int8_levels {
    word *to;                    /* (quads of rows, ld) */
    word *upper;                 /* likewise, of the upper ones of two bytes; NULL: one byte */
    const real *least, *inverse; /* (rows) */
} int8_levels;

/* The largest level of a byte, and of two; as many columns as have sums of 32 bits. */
enum { INT8_TOP = 255, INT8_WIDE_TOP = 65535, INT8_MOST_COLUMNS = INT32_MAX / (INT8_TOP * 127) };

/* What one strip of rows is made from. */
typedef struct int8_args {
    const word *w;                  /* its first row's */
    const word *q;                  /* (quads, ld) */
    real *y;                        /* (rows, ld) */
    const real *scale, *bias, *add; /* add NULL: nothing */
    int8_levels levels;             /* in the place of y; to NULL: of nothing */
    size_t quads, ld;
} int8_args;

/* Panels for a single column, side by side in vectors: each from its first word w[p] on, of so many quads, which do not
 * fall; sums (n, FLOW_PAD). */
enum { INT8_AT_ONCE = 4 };
typedef struct int8_panels {
    const word *w[INT8_AT_ONCE];
    size_t quads[INT8_AT_ONCE];
    const word *q; /* (quads) */
} int8_panels;

typedef struct int8_kernel {
    const char *isa; /* "avx512_vnni" */
    int (*supported)(void);
    size_t planes;                                /* of weights */
    void (*const *strips)(const int8_args *args); /* [1 .. 8] so many rows, all columns */
    void (*single)(word *sums, const int8_panels *panels, size_t n);
} int8_kernel;

typedef struct stair_int8 {
    const stair *map; /* which rows see what */
    const int8_kernel *kernel;
    size_t n_words;
} stair_int8;

#define int8_kernel_find FLOW_NAME(int8_kernel_find)
#define int8_kernel_plain FLOW_NAME(int8_kernel_plain)
#define int8_kernel_vnni FLOW_NAME(int8_kernel_vnni)
#define stair_int8_of FLOW_NAME(stair_int8_of)
#define stair_int8_round FLOW_NAME(stair_int8_round)
#define stair_int8_levels FLOW_NAME(stair_int8_levels)
#define stair_int8_product_wide FLOW_NAME(stair_int8_product_wide)
#define stair_int8_product FLOW_NAME(stair_int8_product)

/* The kernels of this compilation: of its instruction set as it is, and of the one for such products, whose isa is
 * NULL where there is none. */
extern const int8_kernel int8_kernel_plain, int8_kernel_vnni;
/* The better one that runs here and that FLOW_ISA does not exclude. */
const int8_kernel *int8_kernel_find(void);

/* map: the caller's, for as long as this one is used. */
stair_int8 stair_int8_of(const stair *map);

/* block (n_words) = the map of parameters theta, rounded for inputs with these numbers (cols): lo as above, 1 / step,
 * 0 for an input that is always lo, and mean, their averages. Padding is 0.
 *
 * predict (cols, cols): what moments_low_predict gives for the inputs; NULL: weights are rounded to the nearest, each by
 * itself. With it what rounding one weight leaves out is given to those of the inputs before it, as far as they
 * tell this input, from the last weight to the first: what is left is what nobody could make good (Frantar 2023, GPTQ;
 * from the last one, for any limit). scratch (cols). */
void stair_int8_round(const stair_int8 *self, real *block, const real *theta, const real *lo,
                      const real *inverse, const real *mean, const double *predict,
                      double *scratch);

/* Rows row0 .. row1 - 1 of y (rows, ld) as above, + add; NULL: nothing. Where rows and padding are concerned as
 * stair_product; a single column, whose row0 need not be a multiple then, too. */
void stair_int8_product(const stair_int8 *self, real *y, const real *block, const word *q,
                        const real *add, size_t row0, size_t row1, size_t ld);

/* The same of inputs of two bytes. */
void stair_int8_product_wide(const stair_int8 *self, real *y, const real *block, const word *lower,
                             const word *upper, const real *add, size_t row0, size_t row1,
                             size_t ld);

/* Either of them, with rows row0 .. row1 - 1 of the results as levels in the place of y, which is scratch: row0 is a
 * multiple of 8, so is row1 if it is not all rows, and bytes of padding are written up to such a multiple; ld > 1. upper
 * NULL: inputs of one byte. */
void stair_int8_levels(const stair_int8 *self, const int8_levels *levels, real *y,
                       const real *block, const word *lower, const word *upper, size_t row0,
                       size_t row1, size_t ld);

/* Words of a row of K inputs. */
static inline size_t int8_quads(size_t k)
{
    return (k + 3) / 4;
}

/* Byte k of a row of the batch, of the words (K / 4, ld) from q on. */
static inline size_t int8_at(size_t k, size_t row, size_t ld)
{
    return (k / 4 * ld + row) * 4 + k % 4;
}

#endif
