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

/* ---- the micro-kernel: acc (mr rows, nr vectors) += sum_k w[k] (x) b[k] */

/* So many rows of three vectors fill the registers: 24 sums where there are 32, 12 where 16. */
enum { TILE_ROWS = FLOW_VEC_BYTES == 64 ? 8 : 4, TILE_VECS = 3, AHEAD = 16 };

typedef vec tile[TILE_ROWS][4];

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
        size_t col = 0, left = a->ld / FLOW_LANES;                                                 \
        for (; left >= (NR) && left != (NR) + 1; left -= (NR), col += (NR)*FLOW_LANES)             \
            WHAT##_rows(a, col, MR, NR);                                                           \
        for (; left >= 2; left -= 2, col += 2 * FLOW_LANES)                                        \
            WHAT##_rows(a, col, MR, 2);                                                            \
        if (left)                                                                                  \
            WHAT##_rows(a, col, MR, 1);                                                            \
    }

/* Strips of 1 to CHUNK rows, those with too many for one tile in two. */
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

/* ---- y = W x + b */

typedef struct product_args {
    real *y;
    const real *w, *bias, *x, *add; /* bias NULL: goes on from y */
    size_t depth, ld;
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
                acc[i][v] += *(const vec *)(a->add + (row + i) * a->ld + col + v * FLOW_LANES);
    tile_store(y, acc, a->ld, mr, nr);
}

STRIPS(product)

/* ---- the same for one column: vectors run along the rows of a panel */

enum {
    PANEL_VECS = FLOW_PAD * sizeof(real) / FLOW_VEC_BYTES, /* vectors across a panel */
    AT_ONCE = 4 / (PANEL_VECS < 4 ? PANEL_VECS : 4)        /* panels, for four sums or more */
};

/* sum (count, PANEL_VECS) = bias */
FLOW_INLINE void single_begin(vec *sum, const real *bias, size_t count)
{
    for (size_t v = 0; v < count * PANEL_VECS; v++)
        sum[v] = *(const vec *)(bias + v * FLOW_LANES);
}

/* sum += columns from .. to - 1 of `count` panels that begin at w[0], w[1] .. */
FLOW_INLINE void single_columns(vec *sum, const real *const *w, const real *x, size_t from,
                                size_t to, size_t count)
{
    for (size_t k = from; k < to; k++)
        for (size_t v = 0; v < count * PANEL_VECS; v++)
            sum[v] +=
                *(const vec *)(w[v / PANEL_VECS] + k * FLOW_PAD + v % PANEL_VECS * FLOW_LANES) *
                x[k];
}

FLOW_INLINE void single_end(real *y, const vec *sum, size_t count)
{
    for (size_t v = 0; v < count * PANEL_VECS; v++)
        *(vec *)(y + v * FLOW_LANES) = sum[v];
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

/* acc += the rows first .. last - 1 of dy, through columns col0 .. col0 + mr - 1. */
FLOW_INLINE void transposed_range(const transposed_args *a, tile acc, size_t first, size_t last,
                                  size_t col0, size_t col, size_t mr, size_t nr)
{
    while (first < last) {
        const stair_panel *panel = &a->self->panels[first / FLOW_PAD];
        size_t end = panel->row + FLOW_PAD < last ? panel->row + FLOW_PAD : last;
        const real *w = a->theta + panel->offset + col0 * FLOW_PAD + (first - panel->row);
        tile_multiply(acc, w, FLOW_PAD, 1, a->dy + first * a->ld + col, a->ld, end - first, mr, nr);
        first = end;
    }
}

/* Rows row .. row + mr - 1 of the strip. */
FLOW_INLINE void transposed_tile(const transposed_args *a, size_t row, size_t col, size_t mr,
                                 size_t nr)
{
    tile acc;
    real *dx = a->dx + row * a->ld + col;
    if (a->resume)
        tile_load(acc, dx, a->ld, mr, nr);
    else
        for (size_t i = 0; i < mr; i++)
            for (size_t v = 0; v < nr; v++)
                acc[i][v] = (vec){0};
    transposed_range(a, acc, a->upper, a->end, a->col0 + row, col, mr, nr);
    transposed_range(a, acc, a->lower, a->upper, a->col0 + row, col, mr, nr);
    tile_store(dx, acc, a->ld, mr, nr);
}

STRIPS(transposed)

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

enum { GROUP = TILE_VECS }; /* panels, so that tiles come out even */

/* in (rows, ld) transposed: out (ld, rows). */
static void transpose(real *out, const real *in, size_t rows, size_t ld)
{
    for (size_t m = 0; m < rows; m += SIDE)
        for (size_t j = 0; j < ld; j += SIDE)
            transpose_block(out + j * rows + m, rows, in + m * ld + j, ld);
}

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
        dw[n] = a->dw[(v + n) / PANEL_VECS] + k * FLOW_PAD + (v + n) % PANEL_VECS * FLOW_LANES;
        for (size_t i = 0; i < TILE_ROWS; i++)
            acc[i][n] = a->add ? *(vec *)(dw[n] + i * FLOW_PAD) : (vec){0};
    }
    tile_multiply(acc, a->x + k * a->ld, a->ld, 1, a->dyt + v * FLOW_LANES, a->width, a->ld,
                  TILE_ROWS, nr);
    for (size_t n = 0; n < nr; n++)
        for (size_t i = 0; i < TILE_ROWS; i++)
            *(vec *)(dw[n] + i * FLOW_PAD) = acc[i][n];
}

/* Columns k0 .. k1 - 1 (in steps of CHUNK) of the panels first .. count - 1. */
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
    size_t live = self->rows - panel->row, depth = round8(panel->depth);
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
    size_t count = width / FLOW_LANES;
    for (size_t j = 0; j < ld; j++)
        for (size_t v = 0; v < GROUP * PANEL_VECS; v++)
            sum[v] += *(const vec *)(dyt + j * width + (v < count ? v * FLOW_LANES : 0));
    for (size_t m = 0; m < width; m++)
        db[m] = (add ? db[m] : 0) + (m < live ? sum[m / FLOW_LANES][m % FLOW_LANES] : 0);
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
        gradient_columns(&a, p, count, k, round8(panel[p].depth));
        k = round8(panel[p].depth);
    }
    for (size_t p = 0; p < count; p++)
        mask_panel(self, a.dw[p], &panel[p]);
    bias_gradient(dtheta + self->bias + row, add, work, left < width ? left : width, width, ld);
}

void stair_gradient(const stair *self, real *dtheta, int add, const real *dy, const real *x,
                    size_t ld, real *work)
{
    for (size_t p = 0; p < self->n_panels; p += GROUP) {
        size_t left = self->n_panels - p, count = left < GROUP ? left : GROUP;
        gradient_group(self, dtheta, add, dy, x, &self->panels[p], count, ld, work);
    }
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
