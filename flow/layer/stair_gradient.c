/* flow/layer/stair_gradient.c -- dW += dy x^T below the stairs, db += the sums of dy. */
#include "flow/flow.h"
#include "flow/layer/stair.h"
#include "flow/layer/tile.h"

#include <assert.h>

/* ---- dy is turned over, so that vectors run along the rows of W */

/* Blocks of so many rows and columns fit the registers. Indices count through two rows. */
#if FLOW_VEC_BYTES == 64
#define SIDE 16
#define LOW_8 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23
#define HIGH_8 8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30, 31
#define LOW_4 0, 1, 2, 3, 16, 17, 18, 19, 8, 9, 10, 11, 24, 25, 26, 27
#define HIGH_4 4, 5, 6, 7, 20, 21, 22, 23, 12, 13, 14, 15, 28, 29, 30, 31
#define LOW_2 0, 1, 16, 17, 4, 5, 20, 21, 8, 9, 24, 25, 12, 13, 28, 29
#define HIGH_2 2, 3, 18, 19, 6, 7, 22, 23, 10, 11, 26, 27, 14, 15, 30, 31
#define LOW_1 0, 16, 2, 18, 4, 20, 6, 22, 8, 24, 10, 26, 12, 28, 14, 30
#define HIGH_1 1, 17, 3, 19, 5, 21, 7, 23, 9, 25, 11, 27, 13, 29, 15, 31
#else
#define SIDE 8
#define LOW_4 0, 1, 2, 3, 8, 9, 10, 11
#define HIGH_4 4, 5, 6, 7, 12, 13, 14, 15
#define LOW_2 0, 1, 8, 9, 4, 5, 12, 13
#define HIGH_2 2, 3, 10, 11, 6, 7, 14, 15
#define LOW_1 0, 8, 2, 10, 4, 12, 6, 14
#define HIGH_1 1, 9, 3, 11, 5, 13, 7, 15
#endif

typedef real side
    __attribute__((vector_size(SIDE * sizeof(real)), aligned(FLOW_VEC_BYTES), may_alias));

/* Sub-blocks of N rows and columns change places across the diagonal. */
#define SWAP(R, N)                                                                                 \
    for (size_t h = 0; h < SIDE; h += 2 * (N))                                                     \
        for (size_t i = h; i < h + (N); i++) {                                                     \
            side low = __builtin_shufflevector(R[i], R[i + (N)], LOW_##N),                         \
                 high = __builtin_shufflevector(R[i], R[i + (N)], HIGH_##N);                       \
            R[i] = low;                                                                            \
            R[i + (N)] = high;                                                                     \
        }

/* One block, by sub-blocks of halving size (Eklundh 1972). */
FLOW_INLINE void transpose_block(real *out, size_t out_ld, const real *in, size_t in_ld)
{
    side r[SIDE];
    for (size_t i = 0; i < SIDE; i++)
        r[i] = *(const side *)(in + i * in_ld);
#if SIDE == 16
    SWAP(r, 8)
#endif
    SWAP(r, 4)
    SWAP(r, 2)
    SWAP(r, 1)
    for (size_t i = 0; i < SIDE; i++)
        *(side *)(out + i * out_ld) = r[i];
}

/* in (rows, ld) transposed: out (ld, rows). */
static void transpose(real *out, const real *in, size_t rows, size_t ld)
{
    for (size_t m = 0; m < rows; m += SIDE)
        for (size_t j = 0; j < ld; j += SIDE)
            transpose_block(out + j * rows + m, rows, in + m * ld + j, ld);
}

/* ---- dW += dy x^T */

enum { GROUP = TILE_VECS }; /* panels: so that tiles come out even */

/* Panels of weights next to one another. */
typedef struct gradient_args {
    real *dw[GROUP];
    const real *x, *dyt; /* dyt (ld, width): rows of all the panels */
    size_t width, ld;
    int add; /* to what dw holds */
} gradient_args;

/* dw (TILE_ROWS, FLOW_PAD) + or = sum_j x[k, j] dyt[j, rows of the panel], for vectors v .. v + nr - 1
 * counted over the panels. */
FLOW_INLINE void gradient_tile(const gradient_args *a, size_t k, size_t v, size_t nr)
{
    tile acc;
    real *dw[TILE_VECS] = {0};
    for (size_t n = 0; n < nr; n++) {
        dw[n] = a->dw[(v + n) / PANEL_VECS] + k * FLOW_PAD + (v + n) % PANEL_VECS * FLOW_VEC;
        for (size_t i = 0; i < TILE_ROWS; i++)
            acc[i][n] = a->add ? *(vec *)(dw[n] + i * FLOW_PAD) : (vec){0};
    }
    tile_multiply(acc, a->x + k * a->ld, a->ld, 1, a->dyt + v * FLOW_VEC, a->width, a->ld,
                  TILE_ROWS, nr);
    for (size_t n = 0; n < nr; n++)
        for (size_t i = 0; i < TILE_ROWS; i++)
            *(vec *)(dw[n] + i * FLOW_PAD) = acc[i][n];
}

/* Columns k0 .. k1 - 1 of the panels first .. count - 1. */
static void gradient_columns(const gradient_args *a, size_t first, size_t count, size_t k0,
                             size_t k1)
{
    for (size_t k = k0; k < k1; k += TILE_ROWS) {
        size_t v = first * PANEL_VECS, end = count * PANEL_VECS;
        for (; v + TILE_VECS <= end; v += TILE_VECS)
            gradient_tile(a, k, v, TILE_VECS);
        if (v + 2 == end)
            gradient_tile(a, k, v, 2);
        else if (v < end)
            gradient_tile(a, k, v, 1);
    }
}

/* dw (FLOW_PAD) = 0 but for elements from .. to - 1. */
FLOW_INLINE void keep(real *dw, size_t from, size_t to)
{
    for (size_t i = 0; i < FLOW_PAD; i++)
        dw[i] = i >= from && i < to ? dw[i] : 0;
}

/* Zeroes what the panel product put above the stairs and into padding. */
static void mask_panel(const stair *self, real *dw, const stair_panel *panel)
{
    size_t live = self->rows - panel->row, depth = stair_stored_depth(panel);
    if (live < FLOW_PAD)
        for (size_t k = 0; k < depth; k++)
            keep(dw + k * FLOW_PAD, 0, live);
    for (size_t k = self->limit[panel->row]; k < depth; k++)
        keep(dw + k * FLOW_PAD, k < self->cols ? self->first_row[k] - panel->row : FLOW_PAD,
             FLOW_PAD);
}

/* db + or = sum_j dyt[j] for the live ones of dyt's (ld, width) columns, 0 for the others. */
static void bias_gradient(real *db, int add, const real *dyt, size_t live, size_t width, size_t ld)
{
    vec sum[GROUP * PANEL_VECS] = {{0}};
    size_t count = width / FLOW_VEC;
    for (size_t j = 0; j < ld; j++)
        for (size_t v = 0; v < GROUP * PANEL_VECS; v++)
            sum[v] += *(const vec *)(dyt + j * width + (v < count ? v * FLOW_VEC : 0));
    for (size_t m = 0; m < width; m++)
        db[m] = (add ? db[m] : 0) + (m < live ? sum[m / FLOW_VEC][m % FLOW_VEC] : 0);
}

/* Panels next to one another, each as far down as it goes. work (ld, their rows). */
static void gradient_group(const stair *self, real *dtheta, int add, const real *dy, const real *x,
                           const stair_panel *panel, size_t count, size_t ld, real *work)
{
    size_t row = panel->row, width = count * FLOW_PAD, left = self->rows - row;
    gradient_args a = {.x = x, .dyt = work, .width = width, .ld = ld, .add = add};
    transpose(work, dy + row * ld, width, ld);
    for (size_t p = 0; p < count; p++)
        a.dw[p] = dtheta + panel[p].offset;
    for (size_t p = 0, k = 0; p < count; p++) {
        gradient_columns(&a, p, count, k, stair_stored_depth(&panel[p]));
        k = stair_stored_depth(&panel[p]);
    }
    for (size_t p = 0; p < count; p++)
        mask_panel(self, a.dw[p], &panel[p]);
    bias_gradient(dtheta + self->bias + row, add, work, left < width ? left : width, width, ld);
}

size_t stair_groups(const stair *self)
{
    return (self->n_panels + GROUP - 1) / GROUP;
}

void stair_gradient(const stair *self, real *dtheta, int add, const real *dy, const real *x,
                    size_t group, size_t ld)
{
    _Alignas(64) real work[GROUP * FLOW_PAD * FLOW_SHARD];
    size_t first = group * GROUP, left = self->n_panels - first;
    assert(ld <= FLOW_SHARD);
    gradient_group(self, dtheta, add, dy, x, &self->panels[first], left < GROUP ? left : GROUP, ld,
                   work);
}
