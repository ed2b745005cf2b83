/* student/energies.h -- samples of one number, of log p~ mostly, with weights: their distribution, and how far two are apart. */
#ifndef STUDENT_ENERGIES_H
#define STUDENT_ENERGIES_H

#include "flow/err.h"

#include <stddef.h>

enum { ENERGY_QUANTILES = 7, ENERGY_BINS = 48 };
/* .01, .05, .25, .5, .75, .95, .99 */
extern const double energy_shares[ENERGY_QUANTILES];

typedef struct energies {
    size_t n;
    double *value,
        *up_to; /* (n) rising, (n): the share of the weight of this one and those before it */
} energies;

/* Of value (n), which may be infinite but not NaN, with weight (n), >= 0, a sum > 0; NULL: all the same. n > 0.
 * FLOW_ENOMEM. */
int energies_make(energies *self, const double *value, const double *weight, size_t n,
                  flow_err *err);
void energies_close(energies *self); /* accepts one that is zero */

/* The smallest value up to which the share is at least this one; the largest of all, where none is. */
double energies_quantile(const energies *self, double share);

/* Those of the list. */
void energies_quantiles(double quantile[ENERGY_QUANTILES], const energies *self);

/* Shares in ENERGY_BINS bins of one width from lo to hi; a value at hi is in the last one. What is outside is in none. */
void energies_bins(double share[ENERGY_BINS], const energies *self, double lo, double hi);

/* The largest difference of the two shares up to any value (Kolmogorov, Smirnov). */
double energies_apart(const energies *a, const energies *b);

#endif
