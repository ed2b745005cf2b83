/* flow/units_gradient.h -- the derivative of a density through units: of log p_u(u) = log p(x(u)) + log|det dx/du|. */
#ifndef FLOW_UNITS_GRADIENT_H
#define FLOW_UNITS_GRADIENT_H

#include "flow/units.h"

/* grad (n, dim): d log p / dx at x(u) becomes d log p_u / du at u (n, dim), for columns without a grid that are
 * not wrapped. Where a sample is held at the end of its support, the map is taken as if it were not. */
void flow_units_pull(const flow_units *self, double *grad, const double *u, size_t n);

#endif
