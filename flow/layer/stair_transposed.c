/* flow/layer/stair_transposed.c -- dx = W^T dy, all rows or the next ones from the last on down. */
#include "flow/layer/stair.h"
#include "flow/layer/tile.h"

#include <assert.h>

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
