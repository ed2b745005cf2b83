/* student/psis.h -- the Pareto k-hat of a set of importance weights.
 *
 * k-hat estimates the tail index of the weights: they have moments of order below 1/k. It says how
 * far the effective sample size and log Z can be trusted: k < 0.5 a finite variance, k > 1 not even
 * a mean. Like every figure computed from the student's own samples it cannot see a mode that the
 * student never visits.
 *
 * Vehtari, Simpson, Gelman, Yao, Gabry 2024, "Pareto smoothed importance sampling", section 3;
 * fit: Zhang, Stephens 2009, "A new and efficient estimation method for the generalized Pareto
 * distribution", with the prior of Vehtari et al., appendix C. */
#ifndef STUDENT_PSIS_H
#define STUDENT_PSIS_H

#include "flow/err.h"

#include <stddef.h>

typedef struct psis_fit {
    double khat;
    double threshold; /* good when khat < threshold = psis_threshold(S) */
    size_t tail;      /* weights that the fit used */
} psis_fit;

/* log_w (n): log weights in any order, up to a constant. -inf is a weight of zero: it counts in S = n.
 * khat is
 *   NaN   when the tail of n weights has fewer than PSIS_MIN_TAIL members (n < 25): no estimate;
 *   +inf  when the fit would rest on underflow or on fewer than PSIS_MIN_TAIL positive weights: a few
 *         rows carry everything, as far from equal weights as can be;
 *   -inf  when the whole tail is equal, as with constant weights: bounded weights, nothing to fit.
 * Errors: FLOW_EDIVERGED names the first row that is NaN or +inf; FLOW_ENOMEM. */
enum { PSIS_MIN_TAIL = 5 };
int psis_khat(psis_fit *fit, const double *log_w, size_t n, flow_err *err);

/* How many of n weights are the tail that is fitted: floor(3 sqrt n), or floor(n / 5) for n up to 225. */
size_t psis_tail(size_t n);

/* min(1 - 1 / log10 n, 0.7): below it averages of n weights converge at a rate that can be used. */
double psis_threshold(size_t n);

/* The fit itself: shape *k and scale *sigma of a generalised Pareto distribution with location 0,
 * F(x) = 1 - (1 - k' x / sigma)^(1/k') with k' = -k, for x (n) ascending, n > 0, all >= 0 and
 * finite, the last one > 0. k is shrunk to 1/2 by ten pseudo-observations. */
void psis_pareto_fit(double *k, double *sigma, const double *x, size_t n);

#endif
