/* teacher/target_in_units.h -- a target in the units of a flow: u in place of x, as units.h maps them. */
#ifndef TEACHER_TARGET_IN_UNITS_H
#define TEACHER_TARGET_IN_UNITS_H

#include "flow/units.h"
#include "teacher/target.h"

/* log p~(x(u)) + log|det dx/du|, so that log Z, and whatever else is known of `of`, stays: its sampler and its modes, too.
 * The units, a column a dimension, have no grids and no circles. Both are borrowed. FLOW_ENOMEM. */
target *target_in_flow_units(const target *of, const flow_units *units, flow_err *err);

/* Units of scale 1 of a target's support: a logarithm of a column with one end, a logit of one with two. */
flow_units *target_support_units(const target *of, flow_err *err);
/* The target in these units, so that its support is all of R^D. */
target *target_on_the_line(const target *of, flow_err *err);

/* The same of u = (x - shift) / scale; shift and scale (D), > 0, are copied. */
target *target_in_units(const target *of, const double *shift, const double *scale, flow_err *err);

#endif
