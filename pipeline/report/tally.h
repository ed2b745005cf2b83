/* pipeline/report/tally.h -- rows counted in bins that are equally long on an axis. */
#ifndef PIPELINE_REPORT_TALLY_H
#define PIPELINE_REPORT_TALLY_H

#include "pipeline/plot/panel.h"

enum { TALLY_BINS = 60 }; /* at most */

typedef struct tally {
    double count[TALLY_BINS], square[TALLY_BINS]; /* sums of weights, and of their squares */
    double total;                                 /* of all rows, those outside of the axis, too */
} tally;

/* bins: from the lower to the upper end of the axis, whose ends count. */
void tally_add(tally *self, const plot_axis *axis, size_t bins, double x, double weight);

/* Rows per row and unit of x in each bin; NaN in place of 0 for a logarithm. */
void tally_density(double *out, const tally *self, const plot_axis *axis, size_t bins,
                   bool no_zeros);

/* An axis from the least to the largest of n values that rise, bent if they reach more than four times as far as their central
 * 99 %: then equal steps are of asinh of the distance from the median, in quartile ranges. */
plot_axis tally_axis(const double *sorted, size_t n, double lo, double hi);

#endif
