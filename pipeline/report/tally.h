/* pipeline/report/tally.h -- rows counted in bins along an axis. */
#ifndef PIPELINE_REPORT_TALLY_H
#define PIPELINE_REPORT_TALLY_H

#include "pipeline/plot/panel.h"

enum { TALLY_BINS = 60 }; /* at most */

typedef struct tally {
    double count[TALLY_BINS], square[TALLY_BINS]; /* sums of weights, and of their squares */
    double total;                                 /* of all rows, those outside of the axis, too */
} tally;

/* Edges rise; the lower one of a bin is its own, and the last bin has both. */
typedef struct tally_bins {
    double edge[TALLY_BINS + 1];
    size_t n;
} tally_bins;

/* So many bins from the lower to the upper end of an axis, equally long on it. */
tally_bins tally_even(const plot_axis *axis, size_t n);
/* Likewise, but of whole steps of a grid: the axis begins and ends half a step beyond values of it. Where bins would be shorter than a
 * step there are fewer, of a step each. */
tally_bins tally_whole(const plot_axis *axis, double step);

void tally_add(tally *self, const tally_bins *bins, double x, double weight);

/* Rows per row and unit of x in each bin; NaN in place of 0 for a logarithm. */
void tally_density(double *out, const tally *self, const tally_bins *bins, bool no_zeros);

/* An axis from the least to the largest of n values that rise, bent if they reach more than four times as far as their central
 * 99 %: then equal steps are of asinh of the distance from the median, in quartile ranges. step: of the grid that they are on, which
 * no such range is shorter than, or 0. */
plot_axis tally_axis(const double *sorted, size_t n, double lo, double hi, double step);

#endif
