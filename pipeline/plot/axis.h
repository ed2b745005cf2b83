/* pipeline/plot/axis.h -- the range of an axis and where its numbers stand. */
#ifndef PIPELINE_PLOT_AXIS_H
#define PIPELINE_PLOT_AXIS_H

#include "flow/err.h"

#include <stdbool.h>
#include <stddef.h>

enum { PLOT_TICKS = 10 };

typedef struct plot_axis {
    double lo, hi; /* lo < hi, both far from overflow; of a logarithmic one above 0 */
    bool log;      /* equal factors are equally long */
    double middle,
        bend; /* bend > 0: equal steps of asinh((x - middle) / bend) are, so that a few far values do not hide the rest */
    size_t n; /* of the ticks, rising */
    double at[PLOT_TICKS]; /* round numbers in lo .. hi */
    char label[PLOT_TICKS][32];
} plot_axis;

/* From lo to hi and `margin` of that length more at both ends; what would be too short to number is widened, and what is not finite
 * is 0 .. 1. */
plot_axis plot_axis_of(double lo, double hi, double margin);

/* What is finite in one column of x (n, dim), sorted: (*kept), to be freed. NULL: FLOW_ENOMEM. */
double *plot_column_sorted(size_t *kept, const double *x, size_t n, size_t dim, size_t column,
                           flow_err *err);

/* The range that holds the central 99.5 % of the finite numbers in one column of x (n, dim), and 6
 * % of its length more at both ends. FLOW_ENOMEM. */
int plot_axis_central(plot_axis *self, const double *x, size_t n, size_t dim, size_t column,
                      flow_err *err);

/* Sets the ticks: steps of 1, 2 or 5 times a power of ten, the smallest for which the labels, written side by side in letters
 * of a size, have room on so many points. Of a logarithmic axis powers of ten, and 2 and 5 times these where there are few; of one
 * that is bent round numbers near even places. */
void plot_axis_ticks(plot_axis *self, double length, double size);

/* Where x is on the axis: 0 at lo, 1 at hi; NaN for NaN. */
double plot_axis_share(const plot_axis *self, double x);
/* And back. */
double plot_axis_at(const plot_axis *self, double share);

#endif
