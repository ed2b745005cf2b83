#include "pipeline/stages/ranges.h"

#include <math.h>
#include <stdlib.h>

/* low and high (dim), in the units of x. */
static void find_ends(double *low, double *high, const double *x, size_t n, size_t dim)
{
    for (size_t col = 0; col < dim; col++) {
        low[col] = INFINITY;
        high[col] = -INFINITY;
    }
    for (size_t i = 0; i < n * dim; i++) {
        low[i % dim] = fmin(low[i % dim], x[i]);
        high[i % dim] = fmax(high[i % dim], x[i]);
    }
}

/* A circle has no ends: its range is that of one turn. */
static void close_circles(double *ranges, const flow_units *units)
{
    for (size_t col = 0; col < units->dim; col++) {
        const flow_unit *unit = &units->column[col];
        if (!(unit->period > 0))
            continue;
        ranges[2 * col] = unit->start;
        ranges[2 * col + 1] = unit->start + unit->period;
    }
}

/* The maps of the columns grow, so that ends stay ends. */
double *ranges_of(const flow_units *units, const double *x, size_t n)
{
    size_t dim = units->dim;
    double *ends = calloc(2 * dim, sizeof *ends), *out = calloc(2 * dim, sizeof *out);
    if (ends && out) {
        find_ends(ends, ends + dim, x, n, dim);
        flow_units_to_user(units, ends, NULL, ends, 2);
        for (size_t i = 0; i < 2 * dim; i++)
            out[i] = ends[i % 2 * dim + i / 2];
        close_circles(out, units);
    } else {
        free(out);
        out = NULL;
    }
    free(ends);
    return out;
}
