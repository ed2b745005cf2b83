/* student/unweighting.h -- what is left of a student's samples when some are rejected so that the others are its
 * target's, all of weight 1: what makers of event generators ask of a sampler. From weights w = p~ / q at draws of q.
 *
 *   efficiency   mean w / max w: the share that rejection keeps (exact.h), if the largest weight is its bound
 *   madnis       as MadNIS codes it (Heimel et al. 2022, arXiv:2212.06172, after Gao et al. 2020, arXiv:2001.10028): of the
 *                rows of weight above 0 ("after cuts"), mean w / t, t the median of the largest weights of 1000 bootstrap
 *                samples of n draws each. Here of infinitely many, without random numbers: the largest of m draws from k
 *                weights is at most the j-th smallest with chance (j / k)^m, so t is the one of j = ceil(k 2^(-1/m)). For
 *                m >= k that is the largest weight itself: it is mean w / max w of the rows that are not cut, and the rate of
 *                weights above t, which MadNIS gives as well, is 0 by construction
 *   over_weight  the share of the weight that lies above the bound, sum max(w - t, 0) / sum w, where t is the largest weight of
 *                other rows: of two halves of the rows each has the other's, the mean of both. So much of the target is
 *                missing in what rejection keeps. It does see what the first two do not: that the largest weight has not been
 *                drawn yet
 *
 * All are as blind as the reverse ESS to what the student misses, and the first two fall as n grows. */
#ifndef STUDENT_UNWEIGHTING_H
#define STUDENT_UNWEIGHTING_H

#include "flow/err.h"

#include <stddef.h>

typedef struct student_unweighting {
    double efficiency, madnis, over_weight;
    double kept; /* share of the rows of weight above 0: the "cut efficiency" */
} student_unweighting;

/* l (n): log weights, no NaN and no +inf. NaN: no row has a weight, or (over_weight) fewer than two rows. FLOW_ENOMEM. */
int student_unweighting_of(student_unweighting *out, const double *l, size_t n, flow_err *err);

/* Which of k sorted weights, from 1, is the median of the largest of m draws from them. k, m > 0. */
size_t student_bootstrap_rank(size_t k, size_t m);

/* Share of the weight of l (n) above a bound, finite or -inf (all of it); NaN without weight. */
double student_over_weight(const double *l, size_t n, double log_bound);

#endif
