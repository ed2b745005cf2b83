/* flow/layer/stair_int8_tile.h -- the micro-kernel of products of bytes, for the includer's instruction set, which
 * defines
 *
 *   INT8_PLANES     1: words of four bytes at a time; 2: pairs of two bytes
 *   take(x, p)      what plane p of the weights is multiplied by, of words of inputs
 *   dot(sum, x, w)  sum + what each lane of x and w make */
#include "flow/layer/stair_int8_lanes.h"

typedef lanes int8_sums[TILE_ROWS][4];

/* acc += one word of every row of weights times one vector of words for each of nr. */
FLOW_INLINE void int8_step(int8_sums acc, const word *w, const word *q, size_t p, size_t mr,
                           size_t nr)
{
    lanes x[4];
    for (size_t v = 0; v < nr; v++)
        x[v] = take(load(q + v * FLOW_VEC), p);
    for (size_t i = 0; i < mr; i++) {
        lanes wi = splat(w[i]);
        for (size_t v = 0; v < nr; v++)
            acc[i][v] = dot(acc[i][v], x[v], wi);
    }
}

FLOW_INLINE vec int8_result(const int8_args *a, lanes sum, size_t row, size_t col)
{
    vec y = to_real(sum) * a->scale[row] + a->bias[row];
    if (a->add)
        y += *(const vec *)(a->add + row * a->ld + col);
    return y;
}

/* Four rows from m on. */
FLOW_INLINE void int8_store_quad(const int8_args *a, lanes acc[][4], size_t v, size_t m, size_t at)
{
    const int8_levels *to = &a->levels;
    size_t quad = m / 4 * a->ld + at;
    vec rows[4];
    for (size_t k = 0; k < 4; k++)
        rows[k] = int8_result(a, acc[k][v], m + k, at);
    store_quads(to->to + quad, to->upper ? to->upper + quad : NULL, rows, to->least + m,
                to->inverse + m);
}

FLOW_INLINE void int8_store_levels(const int8_args *a, int8_sums acc, size_t row, size_t col,
                                   size_t mr, size_t nr)
{
    for (size_t i = 0; i < mr; i += 4)
        for (size_t v = 0; v < nr; v++)
            int8_store_quad(a, acc + i, v, row + i, col + v * FLOW_VEC);
}

/* Rows row .. row + mr - 1 of the strip. */
FLOW_INLINE void int8_tile(const int8_args *a, size_t row, size_t col, size_t mr, size_t nr)
{
    int8_sums acc;
    for (size_t i = 0; i < mr; i++)
        for (size_t v = 0; v < nr; v++)
            acc[i][v] = (lanes){0};
    const word *w = a->w + row, *q = a->q + col;
    for (size_t k = 0; k < a->quads; k++) {
        int8_step(acc, w, q, 0, mr, nr);
        if (INT8_PLANES == 2)
            int8_step(acc, w + FLOW_PAD, q, 1, mr, nr);
        w += INT8_PLANES * FLOW_PAD;
        q += a->ld;
    }
    if (a->levels.to && mr % 4 == 0)
        int8_store_levels(a, acc, row, col, mr, nr);
    else
        for (size_t i = 0; i < mr; i++)
            for (size_t v = 0; v < nr; v++)
                *(vec *)(a->y + (row + i) * a->ld + col + v * FLOW_VEC) =
                    int8_result(a, acc[i][v], row + i, col + v * FLOW_VEC);
}

STRIPS(int8)

/* ---- a single column */

/* sums += quads from .. to - 1 of n panels. */
FLOW_INLINE void int8_columns(lanes sums[][PANEL_VECS], const int8_panels *panels, size_t from,
                              size_t to, size_t n)
{
    for (size_t k = from * INT8_PLANES; k < to * INT8_PLANES; k++) {
        lanes x = take(splat(panels->q[k / INT8_PLANES]), k % INT8_PLANES);
        for (size_t p = 0; p < n; p++)
            for (size_t v = 0; v < PANEL_VECS; v++)
                sums[p][v] = dot(sums[p][v], x, load(panels->w[p] + k * FLOW_PAD + v * FLOW_VEC));
    }
}

FLOW_INLINE void int8_single_of(word *to, const int8_panels *panels, size_t n)
{
    lanes sums[INT8_AT_ONCE][PANEL_VECS];
    for (size_t p = 0; p < n; p++)
        for (size_t v = 0; v < PANEL_VECS; v++)
            sums[p][v] = (lanes){0};
    int8_columns(sums, panels, 0, panels->quads[0], n);
    for (size_t p = 0; p < n; p++) {
        const int8_panels one = {.w = {panels->w[p]}, .q = panels->q};
        int8_columns(sums + p, &one, panels->quads[0], panels->quads[p], 1);
        for (size_t v = 0; v < PANEL_VECS; v++)
            *(lanes *)(to + p * FLOW_PAD + v * FLOW_VEC) = sums[p][v];
    }
}

static void int8_single(word *to, const int8_panels *panels, size_t n)
{
    if (n == INT8_AT_ONCE) {
        int8_single_of(to, panels, INT8_AT_ONCE);
        return;
    }
    for (size_t p = 0; p < n; p++) {
        const int8_panels one = {.w = {panels->w[p]}, .quads = {panels->quads[p]}, .q = panels->q};
        int8_single_of(to + p * FLOW_PAD, &one, 1);
    }
}
