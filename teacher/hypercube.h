/* teacher/hypercube.h -- a point of the unit hypercube for each of R^D: u = Phi(y), Phi the distribution function of a normal.
 *
 * What is even over the hypercube is a standard normal in y, and what has edges there has a normal's tails: a flow on
 * normal noise has nothing to learn of the one and no tail to miss of the other. (A logit would leave exponential ones.) */
#ifndef TEACHER_HYPERCUBE_H
#define TEACHER_HYPERCUBE_H

#include <math.h>
#include <stddef.h>

/* u (dim) from y (dim); returns log|det du/dy|, the log-density of a standard normal. */
static inline double hypercube_of(double *u, const double *y, size_t dim)
{
    double sum = 0;
    for (size_t j = 0; j < dim; j++) {
        u[j] = 0.5 * erfc(-y[j] * 0.70710678118654752);
        sum -= 0.5 * y[j] * y[j] + 0.91893853320467274; /* log(2 pi) / 2 */
    }
    return sum;
}

#endif
