/* teacher/target_covariance.h -- covariances of a Gaussian target: given, or made by a rule. Arrays are (D, D). */
#ifndef TEACHER_TARGET_COVARIANCE_H
#define TEACHER_TARGET_COVARIANCE_H

#include "teacher/target_density.h"

/* From a list of D lists of D numbers; symmetric, or FLOW_ECONFIG with what is wrong with `covariance`. */
int target_covariance_read(double *out, const json_t *rows, size_t dim, flow_err *err);

/* correlation^|i - j|: variances 1, each number correlated with the next. |correlation| < 1. */
void target_covariance_chain(double *out, size_t dim, double correlation);

/* Q diag(l) Q^T: Q a random rotation by the seed, l geometric from condition^-1/2 to condition^1/2. FLOW_ENOMEM. */
int target_covariance_random(double *out, size_t dim, double condition, uint64_t seed,
                             flow_err *err);

/* a, symmetric, becomes its lower Cholesky factor; what is above the diagonal is left. 0, or -1: a is not
 * positive definite. */
int target_cholesky(double *a, size_t dim);

#endif
