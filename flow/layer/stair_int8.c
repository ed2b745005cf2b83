#include "flow/layer/stair_int8.h"
#include "flow/backend.h"
#include "flow/layer/tile.h"

#include <assert.h>
#include <math.h>
#include <string.h>

const int8_kernel *int8_kernel_find(void)
{
    const int8_kernel *vnni = &int8_kernel_vnni;
    return vnni->isa && flow_isa_wanted(vnni->isa) && vnni->supported() ? vnni : &int8_kernel_plain;
}

/* ---- the block. Numbers for the upper bytes lie UPPER of its rows behind those for the lower. */

enum { UPPER = 2 };

static size_t bias_at(const stair_int8 *self)
{
    return flow_pad(self->map->rows);
}

static size_t weights_at(const stair_int8 *self)
{
    return 2 * UPPER * flow_pad(self->map->rows);
}

/* Words of the panels before p; stair.h counts FLOW_PAD numbers a column, rounded up to eight columns. */
static size_t panel_at(const stair_int8 *self, size_t p)
{
    size_t whole = p < self->map->n_panels ? self->map->panels[p].offset : self->map->bias;
    return weights_at(self) + whole / 4 * self->kernel->planes;
}

stair_int8 stair_int8_of(const stair *map)
{
    stair_int8 self = {.map = map, .kernel = int8_kernel_find()};
    assert(map->cols <= INT8_MOST_COLUMNS);
    self.n_words = panel_at(&self, map->n_panels);
    return self;
}

/* w as one byte of a word, or as two bytes of a word of one plane or the other. */
static void put(const stair_int8 *self, word *panel, size_t row, size_t k, int w)
{
    size_t planes = self->kernel->planes, quad = k / 4, at = k % 4;
    word *to = panel + (quad * planes + at % planes) * FLOW_PAD + row;
    uint32_t bits =
        planes == 1 ? (uint32_t)(w & 255) << 8 * at : (uint32_t)(w & 65535) << 8 * (at & 2);
    *to = (word)((uint32_t)*to | bits);
}

/* 0: the unit never moved. */
static double step_of(real inverse)
{
    return inverse > 0 ? 1 / (double)inverse : 0;
}

/* What stair_int8_round is told of the inputs. */
typedef struct input_numbers {
    const real *lo, *inverse, *mean;
    const double *predict;
} input_numbers;

/* What the weights of row m see an average input as, before and after. */
typedef struct averages {
    double before, after;
} averages;

/* The weights of row m in units of *scale, as reals. */
static void weigh_units(const stair_int8 *self, double *units, real *scale, const real *w,
                        const real *inverse, size_t m)
{
    size_t limit = self->map->limit[m];
    double most = 0;
    for (size_t k = 0; k < limit; k++) {
        units[k] = (double)w[k * FLOW_PAD] * step_of(inverse[k]);
        most = fmax(most, fabs(units[k]));
    }
    *scale = (real)(most / 127);
    if (*scale > 0)
        for (size_t k = 0; k < limit; k++)
            units[k] /= (double)*scale;
}

/* What unit k loses by becoming this whole number is made good by those before it. */
static void pass_on(double *units, const double *predict, size_t k, size_t cols, int rounded)
{
    const double lost = units[k] - rounded;
    for (size_t i = 0; i < k; i++)
        units[i] += lost * predict[k * cols + i];
}

static averages round_row(const stair_int8 *self, word *panel, real *scale, const real *w,
                          const input_numbers *in, double *units, size_t m)
{
    averages sum = {0, 0};
    weigh_units(self, units, scale, w, in->inverse, m);
    for (size_t k = self->map->limit[m]; k-- > 0;) {
        int rounded = *scale > 0 ? (int)fmax(-127, fmin(127, nearbyint(units[k]))) : 0;
        if (in->predict)
            pass_on(units, in->predict, k, self->map->cols, rounded);
        put(self, panel, m % FLOW_PAD, k, rounded);
        sum.before += (double)w[k * FLOW_PAD] * (double)in->mean[k];
        sum.after += rounded * ((double)in->mean[k] - (double)in->lo[k]) * (double)in->inverse[k];
    }
    sum.after *= (double)*scale;
    return sum;
}

void stair_int8_round(const stair_int8 *self, real *block, const real *theta, const real *lo,
                      const real *inverse, const real *mean, const double *predict, double *scratch)
{
    const stair *map = self->map;
    const input_numbers in = {lo, inverse, mean, predict};
    memset(block, 0, self->n_words * sizeof *block);
    for (size_t m = 0; m < map->rows; m++) {
        word *panel = (word *)(void *)(block + panel_at(self, m / FLOW_PAD));
        averages sum =
            round_row(self, panel, block + m, theta + stair_row(map, m), &in, scratch, m);
        block[UPPER * flow_pad(map->rows) + m] = 256 * block[m];
        block[bias_at(self) + m] = (real)((double)theta[map->bias + m] + (sum.before - sum.after));
    }
}

/* ---- products */

static const word *weights_of(const stair_int8 *self, const real *block, size_t panel)
{
    return (const word *)(const void *)(block + panel_at(self, panel));
}

/* numbers: of the block, or those for the upper bytes. */
static int8_args args_of(const stair_int8 *self, real *y, const real *block, const real *numbers,
                         const word *q, const real *add, size_t row, size_t depth, size_t ld)
{
    return (int8_args){.w = weights_of(self, block, row / FLOW_PAD) + row % FLOW_PAD,
                       .q = q,
                       .y = y + row * ld,
                       .scale = numbers + row,
                       .bias = numbers + bias_at(self) + row,
                       .add = add ? add + row * ld : NULL,
                       .quads = int8_quads(depth),
                       .ld = ld};
}

/* Sums of n panels from the first on, up to the limits of rows before `end`. */
static void single_sums(const stair_int8 *self, word *sums, const real *block, const word *q,
                        size_t first, size_t n, size_t end)
{
    int8_panels panels = {.q = q};
    for (size_t p = 0; p < n; p++) {
        size_t behind = (first + p + 1) * FLOW_PAD, last = (behind < end ? behind : end) - 1;
        panels.w[p] = weights_of(self, block, first + p);
        panels.quads[p] = int8_quads(self->map->limit[last]);
    }
    self->kernel->single(sums, &panels, n);
}

/* Whole panels, some of whose rows may not be wanted yet. */
static void single_product(const stair_int8 *self, real *y, const real *block, const real *numbers,
                           const word *q, const real *add, size_t row0, size_t row1)
{
    const real *bias = numbers + bias_at(self);
    word sums[INT8_AT_ONCE * FLOW_PAD] __attribute__((aligned(64)));
    size_t end = flow_pad(row1) / FLOW_PAD;
    for (size_t p = row0 / FLOW_PAD, n; p < end; p += n) {
        n = end - p < INT8_AT_ONCE ? end - p : INT8_AT_ONCE;
        single_sums(self, sums, block, q, p, n, row1);
        size_t from = p * FLOW_PAD > row0 ? p * FLOW_PAD : row0;
        size_t to = (p + n) * FLOW_PAD < row1 ? (p + n) * FLOW_PAD : row1;
        for (size_t row = from; row < to; row++) {
            real sum = (real)sums[row - p * FLOW_PAD] * numbers[row] + bias[row];
            y[row] = add ? sum + add[row] : sum;
        }
    }
}

/* levels NULL: as reals. */
static void product(const stair_int8 *self, const int8_levels *levels, real *y, const real *block,
                    const real *numbers, const word *q, const real *add, size_t row0, size_t row1,
                    size_t ld)
{
    if (ld == 1) {
        single_product(self, y, block, numbers, q, add, row0, row1);
        return;
    }
    const size_t rows = self->map->rows;
    size_t end = row1 == rows ? (row1 + CHUNK - 1) / CHUNK * CHUNK : row1;
    for (size_t row = row0, count; row < end; row += count) {
        count = CHUNK - row % CHUNK < end - row ? CHUNK - row % CHUNK : end - row;
        size_t last = row + count <= rows ? row + count - 1 : rows - 1;
        int8_args a = args_of(self, y, block, numbers, q, add, row, self->map->limit[last], ld);
        if (levels)
            a.levels = (int8_levels){.to = levels->to + row / 4 * ld,
                                     .upper = levels->upper ? levels->upper + row / 4 * ld : NULL,
                                     .least = levels->least + row,
                                     .inverse = levels->inverse + row};
        self->kernel->strips[count](&a);
    }
}

void stair_int8_levels(const stair_int8 *self, const int8_levels *levels, real *y,
                       const real *block, const word *lower, const word *upper, size_t row0,
                       size_t row1, size_t ld)
{
    const real *more = block + UPPER * flow_pad(self->map->rows);
    if (upper)
        product(self, NULL, y, block, block, lower, NULL, row0, row1, ld);
    product(self, levels, y, block, upper ? more : block, upper ? upper : lower, upper ? y : NULL,
            row0, row1, ld);
}

void stair_int8_product(const stair_int8 *self, real *y, const real *block, const word *q,
                        const real *add, size_t row0, size_t row1, size_t ld)
{
    product(self, NULL, y, block, block, q, add, row0, row1, ld);
}

void stair_int8_product_wide(const stair_int8 *self, real *y, const real *block, const word *lower,
                             const word *upper, const real *add, size_t row0, size_t row1,
                             size_t ld)
{
    const real *more = block + UPPER * flow_pad(self->map->rows);
    product(self, NULL, y, block, block, lower, add, row0, row1, ld);
    product(self, NULL, y, block, more, upper, y, row0, row1, ld);
}
