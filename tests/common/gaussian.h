/* tests/common/gaussian.h -- a Gaussian as a target, with all that a target can do to a student.
 *
 * x = mean + gain c + lower z, lower (D, D) lower triangular, D <= 3; c: the context column, if
 * there is one. */
#ifndef TESTS_COMMON_GAUSSIAN_H
#define TESTS_COMMON_GAUSSIAN_H

#include "teacher/target.h"

#include <stdatomic.h>

typedef enum broken_as { BROKEN_NAN, BROKEN_INFINITE, BROKEN_GRADIENT } broken_as;

typedef struct gaussian {
    target base; /* log_z is added to the log-density, which is then not normalised */
    double lower[9], mean[3], gain;
    double wall;             /* no density where x_0 < wall; -inf at first */
    double no_density_above; /* nor where x_0 is above this; +inf at first */
    size_t fail_after; /* calls of log_density; then it breaks with FLOW_EDATA; SIZE_MAX at first */
    int silent;        /* what it then returns without a word; 0: it says why */
    double broken_above; /* rows where x_0 is above break; +inf at first */
    broken_as broken_as; /* in this way */
    atomic_size_t calls;
    atomic_int works; /* pieces of scratch that are not freed */
} gaussian;

/* Awkward ones in two and three dimensions. */
extern const double lower2[4], mean2[2], lower3[9], mean3[3];

/* Normalised, without context, with a sampler. */
void gaussian_init(gaussian *self, size_t dim, const double *lower, const double *mean);

/* The same without a sampler. */
void gaussian_take_sampler_away(gaussian *self);

/* Row by row, x (n, D). */
void gaussian_log_density(const gaussian *self, double *logp, const double *x,
                          const double *context, size_t n);
void gaussian_sample(const gaussian *self, double *x, const double *z, const double *context,
                     size_t n);

/* Entropy in nats. */
double gaussian_entropy(const gaussian *self);

#endif
