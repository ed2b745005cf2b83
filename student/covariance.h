/* student/covariance.h -- mean and covariance of rows, and its Cholesky factor. */
#ifndef STUDENT_COVARIANCE_H
#define STUDENT_COVARIANCE_H

#include <stddef.h>

/* mean (D) of x (n, D). */
void covariance_mean(double *mean, const double *x, size_t n, size_t dim);

/* The lower half of a (D, D), the rest 0; what is off the diagonal times keep. */
void covariance_of(double *a, const double *mean, const double *x, size_t n, size_t dim,
                   double keep);

/* a = L L^T becomes L in place. 0, or -1 for rows that lie in a plane. */
int covariance_factor(double *a, size_t dim);

/* L^-1 in place of a lower triangular L (D, D). */
void covariance_invert(double *lower, size_t dim);

/* |L^-1 (x - mean)|^2 of one row; work (D). */
double covariance_square(const double *lower, const double *mean, const double *x, size_t dim,
                         double *work);

#endif
