/* teacher/target_in_units.h -- a target in the units of a flow: u in place of x, as units.h maps them. */
#ifndef TEACHER_TARGET_IN_UNITS_H
#define TEACHER_TARGET_IN_UNITS_H

#include "flow/units.h"
#include "teacher/target.h"

/* log p~(x(u)) + log|det dx/du|, so that log Z, and whatever else is known of `of`, stays: its sampler and its modes, too.
 * The units, a column a dimension, have no grids, and circles that are angles. Both are borrowed. FLOW_ENOMEM. */
target *target_in_flow_units(const target *of, const flow_units *units, flow_err *err);

/* Units of scale 1 of a target's columns: a logarithm of one with one end, a logit of one with two, the angle about 0
 * of one with a period; an angle stays what it is. */
flow_units *target_support_units(const target *of, flow_err *err);
/* The target in these units, so that there is no end, and circles are in radians. */
target *target_on_the_line(const target *of, flow_err *err);

/* The same units placed (flow_unit_place) at shift, with scale > 0; both (D), copied. */
flow_units *target_placed_units(const target *of, const double *shift, const double *scale,
                                flow_err *err);
/* The target in these: u = (x - shift) / scale where there is no end and no circle. */
target *target_in_units(const target *of, const double *shift, const double *scale, flow_err *err);

#endif
