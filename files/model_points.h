/* files/model_points.h -- the density of a model some of whose columns are grids or circles. */
#ifndef FILES_MODEL_POINTS_H
#define FILES_MODEL_POINTS_H

#include "files/model.h"

/* logp (n) of rows x (n, D) in user's units, each the sum over its points (flow/units_points.h); inner (n,
 * C) is the context in the flow's units, NULL without. Takes as many passes as a row has points. Rows
 * outside of the support get a number without meaning. */
int model_points_log_prob(const flow_model *self, flow_pool *pool, double *logp, const double *x,
                          const double *inner, size_t n, flow_err *err);

#endif
