/* pipeline/stages/ranges.h -- what each column of a training set had at its ends: what a model file keeps, so that
 * a row far outside of it can be told later. */
#ifndef PIPELINE_STAGES_RANGES_H
#define PIPELINE_STAGES_RANGES_H

#include "teacher/dataset.h"

/* The ends (dim) of each column, in the units of the flow, in those of the user: (dim, 2), to be freed. Of a circle, one
 * turn. NULL: out of memory. */
double *ranges_of(const flow_units *units, const data_range *ends);

#endif
