/* student/column_spread.h -- the mean and the standard deviation of a column of rows. */
#ifndef STUDENT_COLUMN_SPREAD_H
#define STUDENT_COLUMN_SPREAD_H

#include <math.h>
#include <stddef.h>

typedef struct column_spread {
    double mean, sd; /* sd: of a sample; NaN of fewer than two rows */
} column_spread;

/* Of x (n, D), in one pass (Welford 1962). */
static inline column_spread column_spread_of(const double *x, size_t n, size_t dim, size_t column)
{
    double mean = 0, squares = 0;
    for (size_t r = 0; r < n; r++) {
        double value = x[r * dim + column], off = value - mean;
        mean += off / (double)(r + 1);
        squares += off * (value - mean);
    }
    return (column_spread){mean, n > 1 ? sqrt(squares / (double)(n - 1)) : NAN};
}

#endif
