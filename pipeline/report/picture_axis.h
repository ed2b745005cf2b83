/* pipeline/report/picture_axis.h -- the range of an axis and where its numbers stand. */
#ifndef PIPELINE_REPORT_PICTURE_AXIS_H
#define PIPELINE_REPORT_PICTURE_AXIS_H

#include "flow/err.h"
#include "pipeline/report/picture_text.h"

#include <stddef.h>

enum { PICTURE_TICKS = 8 };

typedef struct picture_axis {
    double lo, hi;            /* lo < hi, both far from overflow */
    size_t n;                 /* of the ticks, rising */
    double at[PICTURE_TICKS]; /* round numbers in lo .. hi */
    char label[PICTURE_TICKS][32];
} picture_axis;

/* The range that holds the central 99.5 % of the finite numbers in one column of x (n, dim), and 6
 * % of its length more at both ends. A range that would be too short to number is widened; 0 .. 1
 * without numbers. FLOW_ENOMEM. */
int picture_axis_range(picture_axis *self, const double *x, size_t n, size_t dim, size_t column,
                       flow_err *err);

/* Sets the ticks: steps of 1, 2 or 5 times a power of ten, the smallest for which the labels,
 * written side by side, have room on an axis of `pixels`. */
void picture_axis_ticks(picture_axis *self, double pixels, picture_pen pen);

/* Where x is on the axis: 0 at lo, 1 at hi; NaN for NaN. */
double picture_axis_share(const picture_axis *self, double x);

#endif
