/* student/acceptance.h -- how often a Metropolis chain in its target, whose proposals are independent draws of the
 * student, takes one: E min(1, w' / w), w at x ~ p and w' at x' ~ q.
 *
 * With w = p~ / q at draws of q alone that is E min(w, w') / E w over pairs of rows: 1 less the Gini index of the
 * weights, from one sort. (Albergo, Kanwar, Shanahan 2019 report it as the acceptance rate of their chains.) As blind as
 * the reverse ESS to what the student misses. */
#ifndef STUDENT_ACCEPTANCE_H
#define STUDENT_ACCEPTANCE_H

#include "student/diagnostics.h"

/* l (n): log weights at draws of q, no NaN and no +inf. Value and standard error are NaN for less than two rows or if all
 * weights are zero. FLOW_ENOMEM. */
int student_acceptance(student_estimate *out, const double *l, size_t n, flow_err *err);

#endif
