/* student/normal_slopes.h -- the normal whose slopes are those of a density: of a normal they are -P (x - m) at any point, so m
 * and P come out of points that need not be drawn from it, nor from anything. By least squares over them
 *
 *   P = -C^-1 D,  C = cov(x, x),  D = cov(x, slope),  made symmetric;  m = mean x + P^-1 mean slope */
#ifndef STUDENT_NORMAL_SLOPES_H
#define STUDENT_NORMAL_SLOPES_H

#include <stddef.h>

/* How many doubles `work` has. */
size_t normal_slopes_work(size_t dim);

/* mean (D) and the lower factor L (D, D) of the covariance P^-1 = L L^T, from x (n, D) and slopes (n, D). 0, or -1 where
 * points lie in a plane or P is no precision (the density is not concave about them): both are left as they were. */
int normal_from_slopes(double *mean, double *lower, const double *x, const double *slopes, size_t n,
                       size_t dim, double *work);

#endif
