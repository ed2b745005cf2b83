/* student/weigh.h -- importance weights made fit to learn from. log_w (n): logs of weights, up to a constant; -inf is
 * a weight of 0, and not all are. */
#ifndef STUDENT_WEIGH_H
#define STUDENT_WEIGH_H

#include "flow/err.h"

#include <stddef.h>

/* (sum w^b)^2 / (n sum w^2b): the effective share of the rows. */
double weigh_ess(const double *log_w, double b, size_t n);

/* The largest b <= 1 with weigh_ess at least `share`; b < 1 says that the weights w^b are those of another
 * target. A share above that of the rows with a weight gives 0. */
double weigh_temper(const double *log_w, double share, size_t n);

/* Each at most sqrt(n) times their mean (Ionides 2008). Returns how many are held. */
size_t weigh_truncate(double *log_w, size_t n);

/* The largest of them, as many as psis.h fits a tail to, become what that tail expects in their order, none more than
 * the largest was (Vehtari et al. 2024). *k is k-hat; NaN, and nothing changed, where there is nothing to fit.
 * FLOW_ENOMEM. */
int weigh_pareto(double *k, double *log_w, size_t n, flow_err *err);

/* weight (n) = w / sum w. weight may be log_w. */
void weigh_normalise(double *weight, const double *log_w, size_t n);

/* Systematic resampling: the row in which the sum of the weights passes `to`, rising from call to call. k and sum, 0 at first, are where it
 * has come. */
size_t weigh_pass(size_t *k, double *sum, const double *weight, size_t n, double to);

#endif
