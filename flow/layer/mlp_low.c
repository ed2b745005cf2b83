#include "flow/layer/mlp_low.h"
#include "flow/layer/moments_low.h"
#include "flow/layer/stair_int8_lanes.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* Rows of numbers of a buffer while it watches, and what they become. */
enum { LEAST, MOST, SUM, N_RANGES, INVERSE = MOST, MEAN = SUM };

/* The largest of the levels of a byte, and of two. */
enum { LEVELS = INT8_TOP, WIDE_LEVELS = INT8_WIDE_TOP };

/* By how many widths of what was seen an end of the range is further out, unless it is 0, where rectifiers end: of one
 * byte, and of two. */
#define ROOM (real)0.125
#define WIDE_ROOM (real)1.5

/* What moves within less does not move: levels a unit would be infinite. */
#define STILL (real)1e-30

/* Variance in levels that a unit is said to have besides what the others tell of it: a level, which is about what rounding
 * adds, and a thousandth of the range. Less, and errors are passed on to units that take them back again; ten times as
 * much costs little. */
#define OWN 1.0
#define WIDE_OWN 4096.0

/* ---- making one */

static size_t take_params(mlp *net, size_t n)
{
    size_t at = net->base.n_params;
    net->base.n_params += flow_pad(n);
    return at;
}

/* So many words has a double. */
enum { DOUBLE = sizeof(double) / sizeof(real) };

static size_t take_rows(mlp *net, size_t n)
{
    size_t at = net->base.value_rows;
    net->base.value_rows += flow_pad(n);
    return at;
}

/* Two bytes a number. */
static int is_wide(const mlp *net, size_t buffer)
{
    return buffer == 0 || net->base.shape.low == FLOW_NETWORK_INT16;
}

/* A map that reads this buffer wants it in bytes. */
static void take_buffer(mlp *net, mlp_low *low, size_t buffer)
{
    size_t rows = net->buffers[buffer].rows;
    if (low->ranges[buffer])
        return;
    low->ranges[buffer] = take_params(net, N_RANGES * flow_pad(rows));
    if (rows <= MOMENTS_LOW_MOST)
        low->moments[buffer] = take_params(net, DOUBLE * rows * rows);
    low->words[buffer] = take_rows(net, int8_quads(rows));
    if (is_wide(net, buffer))
        take_rows(net, int8_quads(rows)); /* the upper bytes */
}

static void take_bytes(mlp *net, mlp_low *low)
{
    size_t most = 0;
    low->spoilt = take_rows(net, 1);
    for (size_t s = 0; s < net->n_steps; s++) {
        const mlp_step *step = &net->steps[s];
        if (step->map < 0)
            continue;
        take_buffer(net, low, step->src);
        low->maps[step->map] = stair_int8_of(&net->maps[step->map]);
        low->blocks[step->map] = take_params(net, low->maps[step->map].n_words);
        most = net->maps[step->map].cols > most ? net->maps[step->map].cols : most;
    }
    low->scratch = take_params(net, DOUBLE * most);
}

static void take_bf16(mlp *net, mlp_low *low)
{
    low->copy = take_params(net, net->base.n_params);
    for (size_t s = 0; s < net->n_steps; s++)
        if (net->steps[s].map >= 0 && net->steps[s].src > 0)
            low->read[net->steps[s].src] = 1;
}

mlp_low *mlp_low_create(mlp *net)
{
    mlp_low *low = calloc(1, sizeof *low);
    if (!low)
        return NULL;
    (mlp_low_in_bytes(net) ? take_bytes : take_bf16)(net, low);
    low->rounded = take_params(net, 1);
    return low;
}

/* ---- watching, and rounding */

int mlp_low_is_rounded(const mlp *net, const real *theta)
{
    return theta[net->low->rounded] != 0;
}

int mlp_low_activates(const mlp *net, const real *theta)
{
    return net->activation->rectifier && mlp_low_in_bytes(net) && mlp_low_is_rounded(net, theta);
}

static real *range(const mlp *net, const real *theta, size_t buffer, size_t which)
{
    size_t at = net->low->ranges[buffer] + which * flow_pad(net->buffers[buffer].rows);
    return (real *)(uintptr_t)(theta + at); /* written only while it watches */
}

static void watch_row(real *least, real *most, real *sum, const real *a, size_t ld)
{
    double total = 0;
    for (size_t j = 0; j < ld; j++) {
        *least = a[j] < *least ? a[j] : *least;
        *most = a[j] > *most ? a[j] : *most;
        total += (double)a[j];
    }
    *sum = (real)((double)*sum + total);
}

/* NULL: there are none. */
static double *moments_of(const mlp *net, const real *theta, size_t buffer)
{
    size_t at = net->low->moments[buffer];
    return at ? (double *)(void *)(uintptr_t)(theta + at) : NULL;
}

static void watch(const mlp *net, size_t buffer, const real *values, const real *theta, size_t row0,
                  size_t row1, size_t ld)
{
    real *least = range(net, theta, buffer, LEAST), *most = range(net, theta, buffer, MOST);
    real *sum = range(net, theta, buffer, SUM);
    const real *a = values + net->buffers[buffer].offset * ld;
    for (size_t row = row0; row < row1; row++)
        watch_row(least + row, most + row, sum + row, a + row * ld, ld);
    double *moments = moments_of(net, theta, buffer);
    if (moments)
        moments_low_add(moments, a, net->buffers[buffer].rows, row0, row1, ld);
}

/* What n rows were seen to be becomes where bytes begin, levels a unit, and the mean. */
static void settle_range(const mlp *net, const real *theta, size_t buffer, size_t n)
{
    real *least = range(net, theta, buffer, LEAST), *most = range(net, theta, buffer, MOST);
    real *sum = range(net, theta, buffer, SUM);
    const real room = is_wide(net, buffer) ? WIDE_ROOM : ROOM;
    const real levels = is_wide(net, buffer) ? WIDE_LEVELS : LEVELS;
    for (size_t row = 0; row < net->buffers[buffer].rows; row++) {
        real out = room * (most[row] - least[row]);
        least[row] -= least[row] < 0 ? out : 0;
        real width = most[row] + (most[row] > 0 ? out : 0) - least[row];
        most[row] = width > STILL ? levels / width : 0;  /* INVERSE */
        sum[row] = (real)((double)sum[row] / (double)n); /* MEAN */
    }
}

static void settle_moments(const mlp *net, const real *theta, size_t buffer, size_t n)
{
    double *moments = moments_of(net, theta, buffer);
    if (moments)
        moments_low_predict(moments, range(net, theta, buffer, MEAN),
                            range(net, theta, buffer, INVERSE), net->buffers[buffer].rows, n,
                            is_wide(net, buffer) ? WIDE_OWN : OWN);
}

static void round_to_bytes(const mlp *net, real *theta, size_t n)
{
    const mlp_low *low = net->low;
    for (size_t b = 0; b < net->n_buffers; b++)
        if (low->ranges[b]) {
            settle_range(net, theta, b, n);
            settle_moments(net, theta, b, n);
        }
    for (size_t s = 0; s < net->n_steps; s++) {
        const mlp_step *step = &net->steps[s];
        if (step->map >= 0)
            stair_int8_round(&low->maps[step->map], theta + low->blocks[step->map],
                             theta + step->offset, range(net, theta, step->src, LEAST),
                             range(net, theta, step->src, INVERSE),
                             range(net, theta, step->src, MEAN), moments_of(net, theta, step->src),
                             (double *)(void *)(theta + low->scratch));
    }
}

/* The nearest bf16, ties to even; NaN stays. */
FLOW_INLINE real bf16(real x)
{
    uint32_t at = (uint32_t)vm_bits(x);
    real rounded = vm_from_bits((real_int)((at + 0x7fff + (at >> 16 & 1)) & 0xffff0000));
    return x == x ? rounded : x;
}

static void round_block(real *to, const real *from, size_t n)
{
    for (size_t i = 0; i < n; i++)
        to[i] = bf16(from[i]);
}

/* Weights but for the first map's, no biases. */
static void round_to_bf16(const mlp *net, real *theta)
{
    real *copy = theta + net->low->copy;
    memcpy(copy, theta, net->low->copy * sizeof *copy);
    for (size_t s = 0; s < net->n_steps; s++) {
        const mlp_step *step = &net->steps[s];
        if (step->map >= 0 && step->src > 0)
            round_block(copy + step->offset, theta + step->offset, net->maps[step->map].bias);
    }
}

void mlp_low_round(const conditioner *base, real *theta, size_t n)
{
    const mlp *net = (const mlp *)base;
    assert(!mlp_low_is_rounded(net, theta));
    if (mlp_low_in_bytes(net))
        round_to_bytes(net, theta, n);
    else
        round_to_bf16(net, theta);
    theta[net->low->rounded] = 1;
}

/* ---- steps */

static word *words_of(const mlp *net, real *values, size_t buffer, size_t ld)
{
    return (word *)(void *)(values + net->low->words[buffer] * ld);
}

/* NULL: there are none. */
static word *upper_of(const mlp *net, real *values, size_t buffer, size_t ld)
{
    size_t rows = flow_pad(int8_quads(net->buffers[buffer].rows));
    return is_wide(net, buffer) ? words_of(net, values, buffer, ld) + rows * ld : NULL;
}

void mlp_low_map(const mlp *net, const mlp_step *step, real *values, const real *theta, size_t row0,
                 size_t row1, size_t ld)
{
    const mlp_low *low = net->low;
    const stair_int8 *map = &low->maps[step->map];
    const real *block = theta + low->blocks[step->map];
    real *dst = mlp_rows(net, values, step->dst, 0, ld);
    const word *words = words_of(net, values, step->src, ld);
    const real *add = step->add == SIZE_MAX ? NULL : mlp_rows(net, values, step->add, 0, ld);
    const word *upper = upper_of(net, values, step->src, ld);
    if (upper)
        stair_int8_product_wide(map, dst, block, words, upper, add, row0, row1, ld);
    else
        stair_int8_product(map, dst, block, words, add, row0, row1, ld);
}

void mlp_low_map_rectified(const mlp *net, const mlp_step *step, real *values, const real *theta,
                           size_t row0, size_t row1, size_t ld)
{
    const int8_levels levels = {.to = words_of(net, values, step->dst, ld),
                                .upper = upper_of(net, values, step->dst, ld),
                                .least = range(net, theta, step->dst, LEAST),
                                .inverse = range(net, theta, step->dst, INVERSE)};
    stair_int8_levels(&net->low->maps[step->map], &levels, mlp_rows(net, values, step->dst, 0, ld),
                      theta + net->low->blocks[step->map], words_of(net, values, step->src, ld),
                      upper_of(net, values, step->src, ld), row0, row1, ld);
}

/* Whole words; upper NULL, here and below: in one byte. */
static void round_quad(word *lower, word *upper, const real *a, const real *least,
                       const real *inverse, size_t ld)
{
    for (size_t j = 0; j < ld; j += FLOW_VEC) {
        vec rows[4];
        for (size_t k = 0; k < 4; k++)
            rows[k] = *(const vec *)(a + k * ld + j);
        store_quads(lower + j, upper ? upper + j : NULL, rows, least, inverse);
    }
}

/* A row by itself. */
static void round_row(byte *low, byte *high, const real *a, real least, real inverse, size_t row,
                      size_t ld)
{
    for (size_t j = 0; j < ld; j++) {
        word both = level_of(a[j], least, inverse, high ? WIDE_LEVELS : LEVELS);
        low[int8_at(row, j, ld)] = (byte)(both & 255);
        if (high)
            high[int8_at(row, j, ld)] = (byte)(both >> 8);
    }
}

/* Rows of a single column lie side by side. */
FLOW_INLINE void round_column(byte *restrict low, byte *restrict high, const real *restrict a,
                              const real *restrict least, const real *restrict inverse, size_t rows)
{
    for (size_t r = 0; r < rows; r++) {
        word both = level_of(a[r], least[r], inverse[r], high ? WIDE_LEVELS : LEVELS);
        low[r] = (byte)(both & 255);
        if (high)
            high[r] = (byte)(both >> 8);
    }
}

static void rows_to_bytes(const mlp *net, size_t buffer, real *values, const real *theta,
                          size_t row0, size_t row1, size_t ld)
{
    const real *least = range(net, theta, buffer, LEAST);
    const real *inverse = range(net, theta, buffer, INVERSE);
    const real *a = mlp_rows(net, values, buffer, 0, ld);
    word *lower = words_of(net, values, buffer, ld), *upper = upper_of(net, values, buffer, ld);
    byte *low = (byte *)lower, *high = (byte *)upper;
    if (ld == 1 && high)
        round_column(low + row0, high + row0, a + row0, least + row0, inverse + row0, row1 - row0);
    else if (ld == 1)
        round_column(low + row0, NULL, a + row0, least + row0, inverse + row0, row1 - row0);
    for (size_t row = ld == 1 ? row1 : row0, whole; row < row1; row += whole ? 4 : 1) {
        size_t at = row / 4 * ld;
        whole = row % 4 == 0 && row + 4 <= row1;
        if (whole)
            round_quad(lower + at, upper ? upper + at : NULL, a + row * ld, least + row,
                       inverse + row, ld);
        else
            round_row(low, high, a + row * ld, least[row], inverse[row], row, ld);
    }
}

void mlp_low_leave(const mlp *net, size_t buffer, real *values, const real *theta, size_t row0,
                   size_t row1, size_t ld)
{
    real *a = mlp_rows(net, values, buffer, row0, ld);
    if (net->low->read[buffer])
        round_block(a, a, (row1 - row0) * ld);
    if (!net->low->ranges[buffer])
        return;
    if (mlp_low_is_rounded(net, theta))
        rows_to_bytes(net, buffer, values, theta, row0, row1, ld);
    else
        watch(net, buffer, values, theta, row0, row1, ld);
}

/* ---- products of bf16 */

extern stair_multiply FLOW_CONTRACTED(stair_, product), FLOW_CONTRACTED(stair_, product_next);

const real *mlp_low_theta(const mlp *net, const real *theta)
{
    return theta + net->low->copy;
}

/* Those of the first map are not exact, and so not contracted. */
stair_multiply *mlp_low_multiply(const mlp_step *step, stair_multiply *as_is)
{
    if (step->src == 0)
        return as_is;
    return as_is == stair_product ? FLOW_CONTRACTED(stair_, product)
                                  : FLOW_CONTRACTED(stair_, product_next);
}

/* ---- inputs that are not finite */

void mlp_low_see(const mlp *net, real *values, size_t group, size_t ld)
{
    real *spoilt = values + net->low->spoilt * ld;
    const size_t *begin = net->buffers[0].begin;
    if (group == 0)
        memset(spoilt, 0, ld * sizeof *spoilt);
    for (size_t row = begin[group]; row < begin[group + 1]; row++)
        for (size_t j = 0; j < ld; j++)
            spoilt[j] += 0 * values[row * ld + j];
}

void mlp_low_spoil(const mlp *net, real *values, size_t group, size_t ld)
{
    const mlp_buffer *outputs = &net->buffers[net->n_buffers - 1];
    const real *spoilt = values + net->low->spoilt * ld;
    real *h = values + outputs->offset * ld;
    for (size_t row = outputs->begin[group]; row < outputs->begin[group + 1]; row++)
        for (size_t j = 0; j < ld; j++)
            h[row * ld + j] = spoilt[j] == 0 ? h[row * ld + j] : spoilt[j];
}

static int any_spoilt(const mlp *net, const real *values, size_t ld)
{
    real sum = 0;
    for (size_t j = 0; j < ld; j++)
        sum += values[net->low->spoilt * ld + j];
    return !(sum == 0);
}

void mlp_low_spoil_all(const mlp *net, real *values, size_t ld)
{
    const size_t groups = net->base.shape.groups;
    for (size_t c = 0; c < groups; c++) /* what is in the last is seen by nobody */
        mlp_low_see(net, values, c, ld);
    if (!any_spoilt(net, values, ld))
        return;
    mlp_low_see(net, values, 0, ld);
    for (size_t c = 1; c <= groups; c++) {
        mlp_low_spoil(net, values, c, ld);
        mlp_low_see(net, values, c, ld);
    }
}
