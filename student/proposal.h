/* student/proposal.h -- rows in groups as a density to draw from: a mixture of Student's t, one with the mean and the
 * covariance of each group, whose tails are heavier than those of most of what it may be put on.
 *
 *   t(x) = Gamma((v + D) / 2) / (Gamma(v / 2) (v pi)^(D / 2) |L|) (1 + |L^-1 (x - m)|^2 / v)^(-(v + D) / 2),  v = PROPOSAL_DEGREES
 *
 * Source: Owen, Zhou 2000, "Safe and effective importance sampling". */
#ifndef STUDENT_PROPOSAL_H
#define STUDENT_PROPOSAL_H

#include "flow/err.h"
#include "flow/pcg.h"

enum { PROPOSAL_DEGREES = 5 };

typedef struct proposal {
    size_t n, dim;
    double *share;    /* (n), sum 1: half of it even, half by rows */
    double *log_norm; /* (n): log share and all that does not depend on x */
    double *mean;     /* (n, D) */
    double *lower;    /* (n, D, D): factors of the covariances */
} proposal;

/* Of x (rows, D); of (rows): the group of each, 0 .. n - 1, anything else: none. A group has two rows at least. Covariances
 * are shrunk to their diagonals by D / (rows + D), and a column in which a group has no width gets a tiny one.
 * FLOW_ENOMEM. proposal_close also after a failure. */
int proposal_make(proposal *self, const double *x, const size_t *of, size_t rows, size_t dim,
                  size_t n, flow_err *err);
void proposal_close(proposal *self); /* accepts one that was never made, but is zero */

/* x (n, D): rows first .. first + n - 1 of the stream. FLOW_ENOMEM. */
int proposal_draw(const proposal *self, double *x, pcg_stream stream, uint64_t first, size_t n,
                  flow_err *err);

/* log of the density at x (D); part (n): the share of each group in it; work (D). */
double proposal_log_density(const proposal *self, double *part, const double *x, double *work);

#endif
