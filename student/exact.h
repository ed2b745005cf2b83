/* student/exact.h -- draws from the teacher out of draws from an inexact student.
 *
 * Input: n draws of the student with log weights log_w = log p~ - log q, in nats, up to a constant.
 * Output: indices of draws; the caller picks the rows. -inf is a weight of zero and never chosen.
 *
 *   resampling   sampling-importance-resampling (Rubin 1988): exact as n grows, cheap, repeats rows
 *   Metropolis   independence sampler (Tierney 1994): a Markov chain whose law is exactly p in the
 *                limit, whatever the student; repeats rows where it rejects
 *   rejection    independent and exact, if the bound on log_w is true
 *
 * Deterministic in the stream, which a call uses up.
 * Errors: FLOW_EDIVERGED when a weight is NaN or +inf, or none is positive; FLOW_ENOMEM. */
#ifndef STUDENT_EXACT_H
#define STUDENT_EXACT_H

#include "flow/err.h"
#include "flow/pcg.h"

#include <stddef.h>

typedef enum student_resampling {
    STUDENT_MULTINOMIAL, /* independent choices, in random order */
    STUDENT_SYSTEMATIC /* one uniform for all (Kitagawa 1996): less noise; indices ascend and row i
                          appears floor(k w_i) or ceil(k w_i) times, w normalised */
} student_resampling;

/* index (k): choices with chance proportional to the weights. *distinct = the share of k that are
 * different rows (NaN if k = 0). */
int student_resample(size_t *index, double *distinct, size_t k, student_resampling method,
                     const double *log_w, size_t n, pcg_stream stream, flow_err *err);

/* index (n): the chain's state after each proposal, which are taken in order. It starts at the
 * first row of positive weight; earlier entries hold that row too. *acceptance = accepted share of
 * the proposals after the start (NaN if there are none). n = 0 is no error. */
int student_metropolis(size_t *index, double *acceptance, const double *log_w, size_t n,
                       pcg_stream stream, flow_err *err);

/* index (at most n), ascending: row i is kept with chance exp(log_w_i - log_bound). *kept = how
 * many. *above = rows whose weight exceeds the bound; they are kept, and if there are any the
 * result is not exact. Acceptance is *kept / n. n = 0 is no error. */
int student_reject(size_t *index, size_t *kept, size_t *above, double log_bound,
                   const double *log_w, size_t n, pcg_stream stream, flow_err *err);

/* How many independent draws a chain is worth, by the autocorrelation of a figure of its states, series (n): n over
 * 1 + 2 sum rho_k, over the pairs of lags whose sums are positive and falling (Geyer 1992). At most n; n where the
 * series is constant. */
double student_chain_size(const double *series, size_t n);

#endif
