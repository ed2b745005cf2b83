#include "flow/layer/stair.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { CHUNK = 8 }; /* rows of one tile */

/* ---- shape */

static size_t round8(size_t n)
{
    return (n + 7) / 8 * 8;
}

static size_t lay_out_panels(stair *self)
{
    size_t offset = 0;
    for (size_t p = 0; p < self->n_panels; p++) {
        size_t row = p * FLOW_PAD;
        size_t last = row + FLOW_PAD < self->rows ? row + FLOW_PAD - 1 : self->rows - 1;
        self->panels[p] = (stair_panel){.row = row, .depth = self->limit[last], .offset = offset};
        offset += round8(self->limit[last]) * FLOW_PAD;
    }
    return offset;
}

static void count_rows_above(stair *self)
{
    size_t row = 0;
    for (size_t k = 0; k <= self->cols; k++) {
        while (row < self->rows && self->limit[row] <= k)
            row++;
        self->first_row[k] = row;
    }
}

int stair_create(stair *self, const size_t *limit, size_t rows, size_t cols)
{
    assert(rows > 0);
    *self = (stair){.rows = rows, .cols = cols, .n_panels = flow_pad(rows) / FLOW_PAD};
    self->limit = malloc(rows * sizeof *limit);
    self->first_row = malloc((cols + 1) * sizeof *self->first_row);
    self->panels = malloc(self->n_panels * sizeof *self->panels);
    if (!self->limit || !self->first_row || !self->panels) {
        stair_release(self);
        return -1;
    }
    memcpy(self->limit, limit, rows * sizeof *limit);
    self->n_live = rows;
    for (size_t m = 0; m < rows; m++) {
        assert(limit[m] <= cols && (m == 0 || limit[m - 1] <= limit[m]));
        self->n_live += limit[m];
    }
    self->bias = lay_out_panels(self);
    self->n_params = self->bias + flow_pad(rows);
    count_rows_above(self);
    return 0;
}

void stair_release(stair *self)
{
    free(self->limit);
    free(self->first_row);
    free(self->panels);
    *self = (stair){0};
}

/* Sixteen numbers, whatever the width of the registers. */
typedef real row16
    __attribute__((vector_size(FLOW_PAD * sizeof(real)), aligned(FLOW_VEC_BYTES), may_alias));

/* ---- the micro-kernel: acc (MR rows, NR vectors) += sum_k w[k] (x) b[k] */

typedef vec tile[CHUNK][4];

FLOW_INLINE void tile_load(tile acc, const real *src, size_t ld, size_t mr, size_t nr)
{
    for (size_t i = 0; i < mr; i++)
        for (size_t v = 0; v < nr; v++)
            acc[i][v] = *(const vec *)(src + i * ld + v * FLOW_LANES);
}

FLOW_INLINE void tile_store(real *dst, tile acc, size_t ld, size_t mr, size_t nr)
{
    for (size_t i = 0; i < mr; i++)
        for (size_t v = 0; v < nr; v++)
            *(vec *)(dst + i * ld + v * FLOW_LANES) = acc[i][v];
}

/* w: element i of step k at w[i * wi + k * wk]; b: step k at b + k * ld. */
FLOW_INLINE void tile_multiply(tile acc, const real *w, size_t wi, size_t wk, const real *b,
                               size_t ld, size_t steps, size_t mr, size_t nr)
{
    for (size_t k = 0; k < steps; k++) {
        vec bv[4];
        for (size_t v = 0; v < nr; v++)
            bv[v] = *(const vec *)(b + v * FLOW_LANES);
        for (size_t i = 0; i < mr; i++) {
            real wi_k = w[i * wi];
            for (size_t v = 0; v < nr; v++)
                acc[i][v] += wi_k * bv[v];
        }
        w += wk;
        b += ld;
    }
}

/* ---- y = W x + b */

typedef struct product_args {
    real *y;
    const real *w, *bias, *x, *add; /* bias NULL: goes on from y */
    size_t depth, ld;
} product_args;

FLOW_INLINE void product_tile(const product_args *a, size_t col, size_t mr, size_t nr)
{
    tile acc;
    if (a->bias)
        for (size_t i = 0; i < mr; i++)
            for (size_t v = 0; v < nr; v++)
                acc[i][v] = (vec){0} + a->bias[i];
    else
        tile_load(acc, a->y + col, a->ld, mr, nr);
    tile_multiply(acc, a->w, 1, FLOW_PAD, a->x + col, a->ld, a->depth, mr, nr);
    if (a->add)
        for (size_t i = 0; i < mr; i++)
            for (size_t v = 0; v < nr; v++)
                acc[i][v] += *(const vec *)(a->add + i * a->ld + col + v * FLOW_LANES);
    tile_store(a->y + col, acc, a->ld, mr, nr);
}

/* A strip of mr rows over all columns: tiles of nr vectors, then single vectors. */
#define PRODUCT_STRIP(MR, NR)                                                                      \
    static void product_strip_##MR(const product_args *a)                                          \
    {                                                                                              \
        size_t col = 0;                                                                            \
        for (; col + (NR)*FLOW_LANES <= a->ld; col += (NR)*FLOW_LANES)                             \
            product_tile(a, col, MR, NR);                                                          \
        for (; col < a->ld; col += FLOW_LANES)                                                     \
            product_tile(a, col, MR, 1);                                                           \
    }
PRODUCT_STRIP(1, 4)
PRODUCT_STRIP(2, 4)
PRODUCT_STRIP(3, 4)
PRODUCT_STRIP(4, 4)
PRODUCT_STRIP(5, 2)
PRODUCT_STRIP(6, 2)
PRODUCT_STRIP(7, 2)
PRODUCT_STRIP(8, 2)

static void (*const product_strips[CHUNK + 1])(const product_args *) = {
    NULL,
    product_strip_1,
    product_strip_2,
    product_strip_3,
    product_strip_4,
    product_strip_5,
    product_strip_6,
    product_strip_7,
    product_strip_8,
};

/* ---- the same for one column: vectors run along the rows of a panel */

enum { AT_ONCE = 4 }; /* panels, or an addition would wait for the one before */

/* y (FLOW_PAD) = *start + columns from .. to - 1. */
FLOW_INLINE void single_chain(real *y, const row16 *start, const real *w, const real *x,
                              size_t from, size_t to)
{
    row16 sum = *start;
    for (size_t k = from; k < to; k++)
        sum += *(const row16 *)(w + k * FLOW_PAD) * x[k];
    *(row16 *)y = sum;
}

static void single_panels(const stair *self, real *y, const real *theta, const real *x,
                          const stair_panel *panel)
{
    row16 sum[AT_ONCE];
    const real *w[AT_ONCE];
    for (size_t p = 0; p < AT_ONCE; p++) {
        sum[p] = *(const row16 *)(theta + self->bias + panel[p].row);
        w[p] = theta + panel[p].offset;
    }
    for (size_t k = 0; k < panel[0].depth; k++)
        for (size_t p = 0; p < AT_ONCE; p++)
            sum[p] += *(const row16 *)(w[p] + k * FLOW_PAD) * x[k];
    for (size_t p = 0; p < AT_ONCE; p++)
        single_chain(y + panel[p].row, &sum[p], w[p], x, panel[0].depth, panel[p].depth);
}

/* Bias and columns 0 .. k - 1 of one panel. */
static void single_panel(const stair *self, real *y, const real *theta, const real *x,
                         const stair_panel *panel, size_t k)
{
    const row16 *bias = (const row16 *)(theta + self->bias + panel->row);
    single_chain(y + panel->row, bias, theta + panel->offset, x, 0, k);
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

/* Columns k .. of rows of one panel, whose y has those before. */
static void single_finish(const stair *self, real *y, const real *theta, const real *x,
                          const real *add, const stair_panel *panel, size_t row0, size_t row1)
{
    for (size_t row = row0; row < row1; row++) {
        const real *w = theta + panel->offset + (row - panel->row);
        real sum = y[row];
        for (size_t k = self->limit[panel->row]; k < self->limit[row]; k++)
            sum += w[k * FLOW_PAD] * x[k];
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

void stair_product(const stair *self, real *y, const real *theta, const real *x, const real *add,
                   size_t row0, size_t row1, size_t ld)
{
    if (ld == 1) {
        single_product(self, y, theta, x, add, row0, row1);
        return;
    }
    size_t end = row1 == self->rows ? round8(row1) : row1;
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
                          .ld = ld};
        product_strips[count](&a);
        row += count;
    }
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

/* ---- dx = W^T dy */

/* Columns col0 .. of dx, from the rows of dy in two ranges: upper .. end - 1, then lower .. upper - 1.
 * In that order the score's sweep gets to know them; it is kept everywhere, for equal bits. */
typedef struct transposed_args {
    const stair *self;
    real *dx;
    const real *theta, *dy;
    size_t col0, lower, upper, end, ld;
    int resume; /* goes on from dx */
} transposed_args;

FLOW_INLINE void transposed_rows(const transposed_args *a, tile acc, size_t row, size_t last,
                                 size_t col, size_t mr, size_t nr)
{
    while (row < last) {
        const stair_panel *panel = &a->self->panels[row / FLOW_PAD];
        size_t end = panel->row + FLOW_PAD < last ? panel->row + FLOW_PAD : last;
        const real *w = a->theta + panel->offset + a->col0 * FLOW_PAD + (row - panel->row);
        tile_multiply(acc, w, FLOW_PAD, 1, a->dy + row * a->ld + col, a->ld, end - row, mr, nr);
        row = end;
    }
}

FLOW_INLINE void transposed_tile(const transposed_args *a, size_t col, size_t mr, size_t nr)
{
    tile acc;
    if (a->resume)
        tile_load(acc, a->dx + col, a->ld, mr, nr);
    else
        for (size_t i = 0; i < mr; i++)
            for (size_t v = 0; v < nr; v++)
                acc[i][v] = (vec){0};
    transposed_rows(a, acc, a->upper, a->end, col, mr, nr);
    transposed_rows(a, acc, a->lower, a->upper, col, mr, nr);
    tile_store(a->dx + col, acc, a->ld, mr, nr);
}

#define TRANSPOSED_STRIP(MR, NR)                                                                   \
    static void transposed_strip_##MR(const transposed_args *a)                                    \
    {                                                                                              \
        size_t col = 0;                                                                            \
        for (; col + (NR)*FLOW_LANES <= a->ld; col += (NR)*FLOW_LANES)                             \
            transposed_tile(a, col, MR, NR);                                                       \
        for (; col < a->ld; col += FLOW_LANES)                                                     \
            transposed_tile(a, col, MR, 1);                                                        \
    }
TRANSPOSED_STRIP(1, 4)
TRANSPOSED_STRIP(2, 4)
TRANSPOSED_STRIP(3, 4)
TRANSPOSED_STRIP(4, 4)
TRANSPOSED_STRIP(5, 2)
TRANSPOSED_STRIP(6, 2)
TRANSPOSED_STRIP(7, 2)
TRANSPOSED_STRIP(8, 2)

static void (*const transposed_strips[CHUNK + 1])(const transposed_args *) = {
    NULL,
    transposed_strip_1,
    transposed_strip_2,
    transposed_strip_3,
    transposed_strip_4,
    transposed_strip_5,
    transposed_strip_6,
    transposed_strip_7,
    transposed_strip_8,
};

/* The first row that sees all columns of the chunk of column col. */
static size_t row_of_chunk(const stair *self, size_t col)
{
    size_t last = col / CHUNK * CHUNK + CHUNK - 1;
    return self->first_row[last < self->cols ? last : self->cols - 1];
}

void stair_product_t(const stair *self, real *dx, const real *theta, const real *dy, size_t col0,
                     size_t col1, size_t ld)
{
    assert(col0 % CHUNK == 0);
    for (size_t col = col0; col < col1; col += CHUNK) {
        transposed_args a = {.self = self,
                             .dx = dx + col * ld,
                             .theta = theta,
                             .dy = dy,
                             .col0 = col,
                             .lower = self->first_row[col],
                             .upper = row_of_chunk(self, col),
                             .end = self->rows,
                             .ld = ld};
        transposed_strips[CHUNK](&a);
    }
}

/* Columns of one chunk; with the last of them, what all the chunk's columns have in common. */
static void next_in_chunk(const transposed_args *whole, size_t col0, size_t col1)
{
    const stair *self = whole->self;
    transposed_args a = *whole;
    a.col0 = col0 / CHUNK * CHUNK;
    a.dx = whole->dx + a.col0 * a.ld;
    a.lower = a.upper = row_of_chunk(self, col0);
    a.end = self->rows;
    if (col1 == self->cols || col1 % CHUNK == 0)
        transposed_strips[CHUNK](&a);
    a.col0 = col0;
    a.dx = whole->dx + col0 * a.ld;
    a.lower = self->first_row[col0];
    a.end = a.upper;
    a.resume = 1;
    if (a.lower < a.upper)
        transposed_strips[col1 - col0](&a);
}

void stair_product_t_next(const stair *self, real *dx, const real *theta, const real *dy,
                          size_t col0, size_t col1, size_t ld)
{
    transposed_args whole = {.self = self, .dx = dx, .theta = theta, .dy = dy, .ld = ld};
    while (col0 < col1) {
        size_t chunk = (col1 - 1) / CHUNK * CHUNK, first = chunk > col0 ? chunk : col0;
        next_in_chunk(&whole, first, col1);
        col1 = first;
    }
}

/* ---- dW += dy x^T */

#define SWAP_STEP(A, B, LOW, HIGH)                                                                 \
    {                                                                                              \
        row16 low = __builtin_shufflevector(A, B, LOW),                                            \
              high = __builtin_shufflevector(A, B, HIGH);                                          \
        A = low;                                                                                   \
        B = high;                                                                                  \
    }
#define LOW_8 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23
#define HIGH_8 8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30, 31
#define LOW_4 0, 1, 2, 3, 16, 17, 18, 19, 8, 9, 10, 11, 24, 25, 26, 27
#define HIGH_4 4, 5, 6, 7, 20, 21, 22, 23, 12, 13, 14, 15, 28, 29, 30, 31
#define LOW_2 0, 1, 16, 17, 4, 5, 20, 21, 8, 9, 24, 25, 12, 13, 28, 29
#define HIGH_2 2, 3, 18, 19, 6, 7, 22, 23, 10, 11, 26, 27, 14, 15, 30, 31
#define LOW_1 0, 16, 2, 18, 4, 20, 6, 22, 8, 24, 10, 26, 12, 28, 14, 30
#define HIGH_1 1, 17, 3, 19, 5, 21, 7, 23, 9, 25, 11, 27, 13, 29, 15, 31

/* One block of 16 x 16: blocks of 8, 4, 2 and 1 across the diagonal change places (Eklundh 1972).
 */
FLOW_INLINE void transpose_block(real *out, size_t out_ld, const real *in, size_t in_ld)
{
    row16 r[FLOW_PAD];
    for (size_t i = 0; i < FLOW_PAD; i++)
        r[i] = *(const row16 *)(in + i * in_ld);
    for (size_t i = 0; i < 8; i++)
        SWAP_STEP(r[i], r[i + 8], LOW_8, HIGH_8)
    for (size_t h = 0; h < FLOW_PAD; h += 8)
        for (size_t i = h; i < h + 4; i++)
            SWAP_STEP(r[i], r[i + 4], LOW_4, HIGH_4)
    for (size_t h = 0; h < FLOW_PAD; h += 4)
        for (size_t i = h; i < h + 2; i++)
            SWAP_STEP(r[i], r[i + 2], LOW_2, HIGH_2)
    for (size_t h = 0; h < FLOW_PAD; h += 2)
        SWAP_STEP(r[h], r[h + 1], LOW_1, HIGH_1)
    for (size_t i = 0; i < FLOW_PAD; i++)
        *(row16 *)(out + i * out_ld) = r[i];
}

/* in (rows, ld), each FLOW_PAD rows of it transposed: out is rows / FLOW_PAD panels of (ld,
 * FLOW_PAD). A panel is in one piece, so that none of its lines drives another out of the cache. */
static void transpose(real *out, const real *in, size_t rows, size_t ld)
{
    for (size_t m = 0; m < rows; m += FLOW_PAD)
        for (size_t j = 0; j < ld; j += FLOW_PAD)
            transpose_block(out + m * ld + j * FLOW_PAD, FLOW_PAD, in + m * ld + j, ld);
}

enum { PANEL_VECS = FLOW_PAD * sizeof(real) / FLOW_VEC_BYTES }; /* vectors across a panel */

/* One panel of weights or two, which are as deep as the columns asked for. */
typedef struct gradient_args {
    real *dw[2];
    const real *x, *dyt[2]; /* dyt: panels of (ld, FLOW_PAD) */
    size_t ld;
} gradient_args;

/* dw (kr, FLOW_PAD) += sum_j x[k, j] dyt[j, rows of the panel], for vectors v .. v + nr - 1 counted
 * over both panels. */
FLOW_INLINE void gradient_tile(const gradient_args *a, size_t k, size_t v, size_t kr, size_t nr)
{
    tile acc;
    real *dw[2] = {0};
    const real *dyt[2] = {0}, *x = a->x + k * a->ld;
    for (size_t n = 0; n < nr; n++) {
        size_t panel = (v + n) / PANEL_VECS, at = (v + n) % PANEL_VECS * FLOW_LANES;
        dw[n] = a->dw[panel] + k * FLOW_PAD + at;
        dyt[n] = a->dyt[panel] + at;
        for (size_t i = 0; i < kr; i++)
            acc[i][n] = *(vec *)(dw[n] + i * FLOW_PAD);
    }
    for (size_t j = 0; j < a->ld; j++)
        for (size_t i = 0; i < kr; i++)
            for (size_t n = 0; n < nr; n++)
                acc[i][n] += x[i * a->ld + j] * *(const vec *)(dyt[n] + j * FLOW_PAD);
    for (size_t n = 0; n < nr; n++)
        for (size_t i = 0; i < kr; i++)
            *(vec *)(dw[n] + i * FLOW_PAD) = acc[i][n];
}

/* Columns k0 .. k1 - 1 (in steps of CHUNK) of the first `vectors` vectors of the panels. */
static void gradient_columns(const gradient_args *a, size_t k0, size_t k1, size_t vectors)
{
    for (size_t k = k0; k < k1; k += CHUNK) {
        size_t v = 0;
        for (; v + 2 <= vectors; v += 2)
            gradient_tile(a, k, v, CHUNK, 2);
        for (; v < vectors; v++)
            gradient_tile(a, k, v, CHUNK, 1);
    }
}

/* Zeroes what the panel product put above the stairs and into padding. */
static void mask_panel(const stair *self, real *dw, const stair_panel *panel)
{
    for (size_t i = 0; i < FLOW_PAD; i++) {
        size_t row = panel->row + i;
        size_t first = row < self->rows ? self->limit[row] : 0;
        for (size_t k = first; k < round8(panel->depth); k++)
            dw[k * FLOW_PAD + i] = 0;
    }
}

static void add_bias_gradient(real *db, const real *dyt, size_t live, size_t ld)
{
    for (size_t m = 0; m < live; m += FLOW_PAD) {
        row16 sum = {0};
        for (size_t j = 0; j < ld; j++)
            sum += *(const row16 *)(dyt + m * ld + j * FLOW_PAD);
        for (size_t i = 0; i < FLOW_PAD && m + i < live; i++)
            db[m + i] += sum[i];
    }
}

void stair_gradient(const stair *self, real *dtheta, const real *dy, const real *x, size_t ld,
                    real *work)
{
    size_t rows = flow_pad(self->rows);
    transpose(work, dy, rows, ld);
    for (size_t p = 0; p < self->n_panels; p += 2) {
        const stair_panel *panel = &self->panels[p], *next = panel + 1;
        gradient_args a = {
            .dw = {dtheta + panel->offset}, .x = x, .dyt = {work + panel->row * ld}, .ld = ld};
        size_t depth = round8(panel->depth);
        if (p + 1 == self->n_panels) {
            gradient_columns(&a, 0, depth, PANEL_VECS);
            mask_panel(self, a.dw[0], panel);
            break;
        }
        a.dw[1] = dtheta + next->offset;
        a.dyt[1] = work + next->row * ld;
        gradient_columns(&a, 0, depth, 2 * PANEL_VECS);
        gradient_args rest = {.dw = {a.dw[1]}, .x = x, .dyt = {a.dyt[1]}, .ld = ld};
        gradient_columns(&rest, depth, next->depth, PANEL_VECS);
        mask_panel(self, a.dw[0], panel);
        mask_panel(self, a.dw[1], next);
    }
    add_bias_gradient(dtheta + self->bias, work, self->rows, ld);
}

/* ---- dense copies */

void stair_get_weight(const stair *self, double *weight, const real *theta)
{
    for (size_t m = 0; m < self->rows; m++) {
        const stair_panel *panel = &self->panels[m / FLOW_PAD];
        const real *w = theta + panel->offset + (m - panel->row);
        for (size_t k = 0; k < self->cols; k++)
            weight[m * self->cols + k] = k < self->limit[m] ? (double)w[k * FLOW_PAD] : 0.0;
    }
}

void stair_get_bias(const stair *self, double *bias, const real *theta)
{
    for (size_t m = 0; m < self->rows; m++)
        bias[m] = (double)theta[self->bias + m];
}

void stair_set_weight(const stair *self, real *theta, const double *weight)
{
    memset(theta, 0, self->bias * sizeof *theta);
    for (size_t m = 0; m < self->rows; m++) {
        const stair_panel *panel = &self->panels[m / FLOW_PAD];
        real *w = theta + panel->offset + (m - panel->row);
        for (size_t k = 0; k < self->limit[m]; k++)
            w[k * FLOW_PAD] = (real)weight[m * self->cols + k];
    }
}

void stair_set_bias(const stair *self, real *theta, const double *bias)
{
    for (size_t m = 0; m < self->rows; m++)
        theta[self->bias + m] = (real)bias[m];
}
