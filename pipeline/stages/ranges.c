#include "pipeline/stages/ranges.h"

#include <stdlib.h>

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
double *ranges_of(const flow_units *units, const data_range *ends)
{
    size_t dim = units->dim;
    double *rows = calloc(2 * dim, sizeof *rows), *out = calloc(2 * dim, sizeof *out);
    if (rows && out) {
        for (size_t i = 0; i < 2 * dim; i++)
            rows[i] = i < dim ? ends[i].low : ends[i - dim].high;
        flow_units_to_user(units, rows, NULL, rows, 2);
        for (size_t i = 0; i < 2 * dim; i++)
            out[i] = rows[i % 2 * dim + i / 2];
        close_circles(out, units);
    } else {
        free(out);
        out = NULL;
    }
    free(rows);
    return out;
}
