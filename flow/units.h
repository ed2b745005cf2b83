/* flow/units.h -- between the user's units x and the units u that a flow works in, column by
 * column:
 *
 *     p = alpha + (1 - 2 alpha) (x - lo) / (hi - lo),  t = log(p / (1 - p))   if logit, else t = x
 *     u = (t - shift) / scale
 *
 * The logit is that of Papamakarios, Pavlakou, Murray (2017), "Masked Autoregressive Flow for
 * Density Estimation", section 4.3 and appendix D, for values in an interval; with alpha > 0 its
 * ends stay finite. */
#ifndef FLOW_UNITS_H
#define FLOW_UNITS_H

#include "flow/err.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

typedef struct flow_unit {
    bool logit;
    double lo, hi, alpha; /* lo < hi, 0 <= alpha < 1/2; 0 when logit is false */
    double shift, scale;  /* scale > 0 */
} flow_unit;

typedef struct flow_units {
    size_t dim;
    flow_unit column[]; /* (dim) */
} flow_units;

/* The identity. */
flow_units *flow_units_create(size_t dim, flow_err *err);
void flow_units_free(flow_units *self);

/* u (n, dim) from x (n, dim); logdet (n) += log|det du/dx|, NULL: not wanted. u may be x.
 * A row outside the domain of a logit gives NaN there: ask flow_units_first_outside before. */
void flow_units_to_flow(const flow_units *self, double *u, double *logdet, const double *x,
                        size_t n);

/* x from u; logdet (n) += log|det dx/du|. x may be u. */
void flow_units_to_user(const flow_units *self, double *x, double *logdet, const double *u,
                        size_t n);

/* The first column of the row x (dim) outside the domain of its logit, 0 < p < 1, or dim if there
 * is none. Outside, the density is 0. */
size_t flow_units_first_outside(const flow_units *self, const double *x);

/* {"columns": [{"shift": 0.5, "scale": 2.0, "logit": {"lo": 0.0, "hi": 1.0, "alpha": 1e-6}}, ...]}
 * with "logit" absent where there is none. Numbers survive the trip through text exactly.
 * to_json: a new reference, NULL if memory is out. from_json: FLOW_EDATA names column and key. */
json_t *flow_units_to_json(const flow_units *self);
flow_units *flow_units_from_json(const json_t *json, flow_err *err);

#endif
