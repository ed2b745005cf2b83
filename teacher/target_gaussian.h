/* teacher/target_gaussian.h -- a Gaussian of any mean and covariance: the target of which everything
 * is known. */
#ifndef TEACHER_TARGET_GAUSSIAN_H
#define TEACHER_TARGET_GAUSSIAN_H

#include "teacher/target.h"

extern const target_kind target_gaussian;

#endif
