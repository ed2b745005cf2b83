#include "pipeline/stages/ranges.h"

#include <math.h>
#include <stdlib.h>

enum { BLOCK = 256 }; /* rows at a time */

/* ranges (dim, 2) reach to the rows x (n, dim). */
static void widen(double *ranges, const double *x, size_t n, size_t dim)
{
    for (size_t i = 0; i < n * dim; i++) {
        double *range = ranges + i % dim * 2;
        range[0] = fmin(range[0], x[i]);
        range[1] = fmax(range[1], x[i]);
    }
}

double *ranges_of(const flow_units *units, const double *u, size_t n)
{
    size_t dim = units->dim;
    double *out = malloc(2 * dim * sizeof *out), *x = malloc(BLOCK * dim * sizeof *x);
    for (size_t i = 0; out && i < 2 * dim; i++)
        out[i] = i % 2 ? -INFINITY : INFINITY;
    for (size_t at = 0; out && x && at < n; at += BLOCK) {
        size_t rows = n - at < BLOCK ? n - at : BLOCK;
        flow_units_to_user(units, x, NULL, u + at * dim, rows);
        widen(out, x, rows, dim);
    }
    if (!x) {
        free(out);
        out = NULL;
    }
    free(x);
    return out;
}
