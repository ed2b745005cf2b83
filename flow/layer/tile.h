/* flow/layer/tile.h -- the micro-kernel of the products: a tile of sums that stays in registers.
 *
 * acc (mr rows, nr vectors) += sum_k w[k] (x) b[k], w one number and b one vector at a time. STRIPS
 * makes of it a function for each number of rows, which runs over all columns. */
#ifndef FLOW_LAYER_TILE_H
#define FLOW_LAYER_TILE_H

#include "flow/layer/real.h"

enum {
    CHUNK = 8,                                            /* rows of a whole strip */
    PANEL_VECS = FLOW_PAD * sizeof(real) / FLOW_VEC_BYTES /* vectors across a panel of weights */
};

/* So many rows of three vectors fill the registers: 24 sums where there are 32, 12 where 16. */
enum { TILE_ROWS = FLOW_VEC_BYTES == 64 ? 8 : 4, TILE_VECS = 3, AHEAD = 16 };

typedef vec tile[TILE_ROWS][4];

FLOW_INLINE void tile_load(tile acc, const real *src, size_t ld, size_t mr, size_t nr)
{
    for (size_t i = 0; i < mr; i++)
        for (size_t v = 0; v < nr; v++)
            acc[i][v] = *(const vec *)(src + i * ld + v * FLOW_VEC);
}

FLOW_INLINE void tile_store(real *dst, tile acc, size_t ld, size_t mr, size_t nr)
{
    for (size_t i = 0; i < mr; i++)
        for (size_t v = 0; v < nr; v++)
            *(vec *)(dst + i * ld + v * FLOW_VEC) = acc[i][v];
}

typedef real_int vec_int
    __attribute__((vector_size(FLOW_VEC_BYTES), aligned(FLOW_VEC_BYTES), may_alias));

/* max(0, sums), NaN kept. */
FLOW_INLINE void tile_rectify(tile acc, size_t mr, size_t nr)
{
    for (size_t i = 0; i < mr; i++)
        for (size_t v = 0; v < nr; v++)
            acc[i][v] = (vec)((vec_int)acc[i][v] & ~(acc[i][v] < 0));
}

/* w: element i of step k at w[i * wi + k * wk]; b: step k at b + k * ld. */
FLOW_INLINE void tile_multiply(tile acc, const real *w, size_t wi, size_t wk, const real *b,
                               size_t ld, size_t steps, size_t mr, size_t nr)
{
    for (size_t k = 0; k < steps; k++) {
        vec bv[4];
        for (size_t v = 0; v < nr; v++)
            bv[v] = *(const vec *)(b + v * FLOW_VEC);
        if (wk > 1) /* a line a step, of which half is used: the processor is late with them */
            __builtin_prefetch(w + AHEAD * wk);
        for (size_t i = 0; i < mr; i++) {
            real wi_k = w[i * wi];
            for (size_t v = 0; v < nr; v++)
                acc[i][v] += wi_k * bv[v];
        }
        w += wk;
        b += ld;
    }
}

/* Tiles of NR vectors across the columns of a strip of MR rows; what is left over in twos, since a
 * tile of one vector waits for its loads. */
#define STRIP(WHAT, MR, NR)                                                                        \
    static void WHAT##_strip_##MR(const WHAT##_args *a)                                            \
    {                                                                                              \
        size_t col = 0, left = a->ld / FLOW_VEC;                                                   \
        for (; left >= (NR) && left != (NR) + 1; left -= (NR), col += (NR)*FLOW_VEC)               \
            WHAT##_rows(a, col, MR, NR);                                                           \
        for (; left >= 2; left -= 2, col += 2 * FLOW_VEC)                                          \
            WHAT##_rows(a, col, MR, 2);                                                            \
        if (left)                                                                                  \
            WHAT##_rows(a, col, MR, 1);                                                            \
    }

/* WHAT_strips[n] (const WHAT_args *), n = 1 .. CHUNK: strips of n rows, those with too many for one
 * tile in two. To be there: WHAT_args with a member ld, and WHAT_tile(args, row, col, mr, nr). */
#define STRIPS(WHAT)                                                                               \
    FLOW_INLINE void WHAT##_rows(const WHAT##_args *a, size_t col, size_t mr, size_t nr)           \
    {                                                                                              \
        if (mr <= TILE_ROWS) {                                                                     \
            WHAT##_tile(a, 0, col, mr, nr);                                                        \
        } else {                                                                                   \
            WHAT##_tile(a, 0, col, TILE_ROWS, nr);                                                 \
            WHAT##_tile(a, TILE_ROWS, col, mr - TILE_ROWS, nr);                                    \
        }                                                                                          \
    }                                                                                              \
    STRIP(WHAT, 1, 4)                                                                              \
    STRIP(WHAT, 2, 4)                                                                              \
    STRIP(WHAT, 3, TILE_VECS)                                                                      \
    STRIP(WHAT, 4, TILE_VECS)                                                                      \
    STRIP(WHAT, 5, TILE_VECS)                                                                      \
    STRIP(WHAT, 6, TILE_VECS)                                                                      \
    STRIP(WHAT, 7, TILE_VECS)                                                                      \
    STRIP(WHAT, 8, TILE_VECS)                                                                      \
    static void (*const WHAT##_strips[CHUNK + 1])(const WHAT##_args *) = {                         \
        NULL,           WHAT##_strip_1, WHAT##_strip_2, WHAT##_strip_3, WHAT##_strip_4,            \
        WHAT##_strip_5, WHAT##_strip_6, WHAT##_strip_7, WHAT##_strip_8,                            \
    };

#endif
