/* pipeline/stages/ranges.h -- what each column of a training set had at its ends: what a model file keeps, so that
 * a row far outside of it can be told later. */
#ifndef PIPELINE_STAGES_RANGES_H
#define PIPELINE_STAGES_RANGES_H

#include "flow/units.h"

/* Smallest and largest value of each column of the rows u (n, dim), n > 0, which are in the units of the flow, in
 * those of the user: (dim, 2), to be freed. NULL: out of memory. */
double *ranges_of(const flow_units *units, const double *u, size_t n);

#endif
