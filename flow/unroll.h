/* flow/unroll.h -- a flow that starts as another one's sampler: its layers in reverse order, each for the
 * other direction. Permutations, lu_linear and actnorm are inverted exactly; an autoregressive layer becomes T
 * parallel steps towards its inverse (layer kind unrolled; mathematics-layers 12), which for every T is
 * a flow of its own with exact log q, and for T >= its groups the teacher's inverse. */
#ifndef FLOW_UNROLL_H
#define FLOW_UNROLL_H

#include "flow/flow.h"

#include <stdbool.h>

enum { FLOW_MAX_ITERATIONS = 256 };

typedef struct flow_unrolling {
    size_t iterations; /* T, 1 .. FLOW_MAX_ITERATIONS */
    bool tied;         /* the steps of a layer have one network in common */
    /* Share of the hidden units of a network that its copies keep, > 0 .. 1; of a preset NaN: to be found. */
    double width;
} flow_unrolling;

/* The description of that flow, NOISE_TO_DATA: a new reference. NULL: FLOW_ECONFIG for a teacher that is parallel
 * as a sampler already, for a layer that cannot be unrolled, or a network that cannot be made narrower, with
 * its name, and for a width out of range; FLOW_ENOMEM. */
json_t *flow_unroll_describe(const flow *teacher, const flow_unrolling *how, flow_err *err);

/* That flow with the teacher's parameters, those of the base too, every step's network a copy, or, with
 * width < 1, what its most important hidden units are without the others (conditioner.h). */
flow *flow_unroll(const flow *teacher, const flow_unrolling *how, flow_precision precision,
                  flow_err *err);

#endif
