/* flow/layer/stair_product.c -- y = W x + b, all rows or the next ones, many columns or one. */
#include "flow/layer/stair.h"
#include "flow/layer/tile.h"

#include <assert.h>

/* ---- strips of rows */

typedef struct product_args {
    real *y;
    const real *w, *bias, *x, *add; /* bias NULL: goes on from y */
    size_t depth, ld;
    int rectify;
} product_args;

/* Rows row .. row + mr - 1 of the strip. */
FLOW_INLINE void product_tile(const product_args *a, size_t row, size_t col, size_t mr, size_t nr)
{
    tile acc;
    real *y = a->y + row * a->ld + col;
    if (a->bias)
        for (size_t i = 0; i < mr; i++)
            for (size_t v = 0; v < nr; v++)
                acc[i][v] = (vec){0} + a->bias[row + i];
    else
        tile_load(acc, y, a->ld, mr, nr);
    tile_multiply(acc, a->w + row, 1, FLOW_PAD, a->x + col, a->ld, a->depth, mr, nr);
    if (a->add)
        for (size_t i = 0; i < mr; i++)
            for (size_t v = 0; v < nr; v++)
                acc[i][v] += *(const vec *)(a->add + (row + i) * a->ld + col + v * FLOW_VEC);
    if (a->rectify)
        tile_rectify(acc, mr, nr);
    tile_store(y, acc, a->ld, mr, nr);
}

STRIPS(product)

/* ---- the same for one column: vectors run along the rows of a panel */

enum { AT_ONCE = 4 / (PANEL_VECS < 4 ? PANEL_VECS : 4) }; /* panels, for four sums or more */

/* sum (count, PANEL_VECS) = bias */
FLOW_INLINE void single_begin(vec *sum, const real *bias, size_t count)
{
    for (size_t v = 0; v < count * PANEL_VECS; v++)
        sum[v] = *(const vec *)(bias + v * FLOW_VEC);
}

/* sum += columns from .. to - 1 of `count` panels that begin at w[0], w[1] .. */
FLOW_INLINE void single_columns(vec *sum, const real *const *w, const real *x, size_t from,
                                size_t to, size_t count)
{
    for (size_t k = from; k < to; k++)
        for (size_t v = 0; v < count * PANEL_VECS; v++)
            sum[v] +=
                *(const vec *)(w[v / PANEL_VECS] + k * FLOW_PAD + v % PANEL_VECS * FLOW_VEC) * x[k];
}

FLOW_INLINE void single_end(real *y, const vec *sum, size_t count)
{
    for (size_t v = 0; v < count * PANEL_VECS; v++)
        *(vec *)(y + v * FLOW_VEC) = sum[v];
}

/* Panels next to one another: together as far as the first goes, then each by itself. */
static void single_panels(const stair *self, real *y, const real *theta, const real *x,
                          const stair_panel *panel)
{
    vec sum[AT_ONCE * PANEL_VECS];
    const real *w[AT_ONCE];
    for (size_t p = 0; p < AT_ONCE; p++)
        w[p] = theta + panel[p].offset;
    single_begin(sum, theta + self->bias + panel->row, AT_ONCE);
    single_columns(sum, w, x, 0, panel->depth, AT_ONCE);
    for (size_t p = 1; p < AT_ONCE; p++)
        single_columns(sum + p * PANEL_VECS, w + p, x, panel->depth, panel[p].depth, 1);
    single_end(y + panel->row, sum, AT_ONCE);
}

/* Bias and columns 0 .. k - 1 of one panel. */
static void single_panel(const stair *self, real *y, const real *theta, const real *x,
                         const stair_panel *panel, size_t k)
{
    vec sum[PANEL_VECS];
    const real *w = theta + panel->offset;
    single_begin(sum, theta + self->bias + panel->row, 1);
    single_columns(sum, &w, x, 0, k, 1);
    single_end(y + panel->row, sum, 1);
}

static void single_product(const stair *self, real *y, const real *theta, const real *x,
                           const real *add, size_t row0, size_t row1)
{
    size_t p = row0 / FLOW_PAD, end = flow_pad(row1) / FLOW_PAD;
    assert(row0 % FLOW_PAD == 0 && (row1 % FLOW_PAD == 0 || row1 == self->rows));
    for (; p + AT_ONCE <= end; p += AT_ONCE)
        single_panels(self, y, theta, x, &self->panels[p]);
    for (; p < end; p++)
        single_panel(self, y, theta, x, &self->panels[p], self->panels[p].depth);
    for (size_t row = row0; add && row < row1; row++)
        y[row] += add[row];
}

/* x itself, which the compiler cannot see through. A long chain would otherwise become vectors of products and a
 * sum of them, which are not the bits of multiply-adds. */
FLOW_INLINE real one_by_one(real x)
{
#if defined(__x86_64__)
    __asm__("" : "+x"(x));
#elif defined(__aarch64__)
    __asm__("" : "+w"(x));
#else
    __asm__("" : "+m"(x));
#endif
    return x;
}

/* Columns k .. of rows of one panel, whose y has those before. */
static void single_finish(const stair *self, real *y, const real *theta, const real *x,
                          const real *add, const stair_panel *panel, size_t row0, size_t row1)
{
    for (size_t row = row0; row < row1; row++) {
        const real *w = theta + panel->offset + (row - panel->row);
        real sum = y[row];
        for (size_t k = self->limit[panel->row]; k < self->limit[row]; k++)
            sum = one_by_one(sum) + w[k * FLOW_PAD] * x[k];
        y[row] = add ? sum + add[row] : sum;
    }
}

static void single_next(const stair *self, real *y, const real *theta, const real *x,
                        const real *add, size_t row0, size_t row1)
{
    for (size_t row = row0, end; row < row1; row = end) {
        const stair_panel *panel = &self->panels[row / FLOW_PAD];
        end = panel->row + FLOW_PAD < row1 ? panel->row + FLOW_PAD : row1;
        if (row == panel->row)
            single_panel(self, y, theta, x, panel, self->limit[row]);
        single_finish(self, y, theta, x, add, panel, row, end);
    }
}

/* ---- products with rows of W */

static void rows_of_product(const stair *self, real *y, const real *theta, const real *x,
                            const real *add, size_t row0, size_t row1, size_t ld, int rectify)
{
    size_t end = row1 == self->rows ? (row1 + CHUNK - 1) / CHUNK * CHUNK : row1;
    for (size_t row = row0; row < end;) {
        const stair_panel *panel = &self->panels[row / FLOW_PAD];
        size_t in_chunk = CHUNK - row % CHUNK, count = end - row < in_chunk ? end - row : in_chunk;
        size_t last = row + count <= self->rows ? row + count - 1 : self->rows - 1;
        product_args a = {.y = y + row * ld,
                          .w = theta + panel->offset + (row - panel->row),
                          .bias = theta + self->bias + row,
                          .x = x,
                          .add = add ? add + row * ld : NULL,
                          .depth = self->limit[last],
                          .ld = ld,
                          .rectify = rectify};
        product_strips[count](&a);
        row += count;
    }
}

void stair_product(const stair *self, real *y, const real *theta, const real *x, const real *add,
                   size_t row0, size_t row1, size_t ld)
{
    if (ld == 1)
        single_product(self, y, theta, x, add, row0, row1);
    else
        rows_of_product(self, y, theta, x, add, row0, row1, ld, 0);
}

void stair_product_rectified(const stair *self, real *y, const real *theta, const real *x,
                             const real *add, size_t row0, size_t row1, size_t ld)
{
    assert(ld > 1);
    rows_of_product(self, y, theta, x, add, row0, row1, ld, 1);
}

/* Rows of a panel: bias and columns 0 .. k - 1, which all of them see. */
static void begin_panel(const stair *self, real *y, const real *theta, const real *x,
                        const stair_panel *panel, size_t k, size_t ld)
{
    for (size_t row = panel->row; row < panel->row + FLOW_PAD; row += CHUNK) {
        product_args a = {.y = y + row * ld,
                          .w = theta + panel->offset + (row - panel->row),
                          .bias = theta + self->bias + row,
                          .x = x,
                          .depth = k,
                          .ld = ld};
        product_strips[CHUNK](&a);
    }
}

void stair_product_next(const stair *self, real *y, const real *theta, const real *x,
                        const real *add, size_t row0, size_t row1, size_t ld)
{
    if (ld == 1) {
        single_next(self, y, theta, x, add, row0, row1);
        return;
    }
    for (size_t row = row0; row < row1;) {
        const stair_panel *panel = &self->panels[row / FLOW_PAD];
        size_t k = self->limit[panel->row];
        if (row == panel->row)
            begin_panel(self, y, theta, x, panel, k, ld);
        size_t in_chunk = CHUNK - row % CHUNK, left = row1 - row;
        size_t count = left < in_chunk ? left : in_chunk;
        product_args a = {.y = y + row * ld,
                          .w = theta + panel->offset + k * FLOW_PAD + (row - panel->row),
                          .x = x + k * ld,
                          .add = add ? add + row * ld : NULL,
                          .depth = self->limit[row + count - 1] - k,
                          .ld = ld};
        if (a.depth > 0 || a.add)
            product_strips[count](&a);
        row += count;
    }
}
