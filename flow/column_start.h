/* flow/column_start.h -- a flow of one column that starts as the map between quantiles of data and of noise. */
#ifndef FLOW_COLUMN_START_H
#define FLOW_COLUMN_START_H

#include "flow/flow.h"

#include <stdbool.h>

/* Likelihood and KL alone empty a gap between two modes slowly, and the slower the emptier it is; so the first spline
 * of a flow of one dimension, without context and under a normal base, is set to take the quantiles of the rows, sorted (n), to
 * those of N(0, 1), or the other way round in a flow from noise to data; where there are gaps and a second spline, both
 * are. The flow is as flow_init leaves it. *done = 0, and it stays so, where it is of another kind, where n is small, and where
 * quantiles meet (few values, spikes) or lie beyond the spline. FLOW_ENOMEM. */
int flow_start_column(flow *self, bool *done, const double *sorted, size_t n, flow_err *err);

/* x (n) = quantiles of a flow of one dimension at (i + 1/2) / n, in rising order. *known = 0, and nothing is set, of a
 * flow of another kind: with a context, or under another base. FLOW_ENOMEM. */
int flow_column_quantiles(double *x, int *known, size_t n, const flow *self, flow_err *err);

#endif
