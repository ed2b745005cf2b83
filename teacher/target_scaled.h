/* teacher/target_scaled.h -- a target in other units: u = (x - shift) / scale, column by column. */
#ifndef TEACHER_TARGET_SCALED_H
#define TEACHER_TARGET_SCALED_H

#include "teacher/target.h"

/* log p~_u(u) = log p~(shift + scale u) + sum log scale: the integral, log_z, stays. `of` and its modes are borrowed,
 * shift and scale (D), > 0, are copied. It has what `of` has, but for its name: a gradient, a sampler, modes. NULL:
 * FLOW_ENOMEM. */
target *target_in_units(const target *of, const double *shift, const double *scale, flow_err *err);

#endif
