/* flow/alone.h -- a layer of a flow taken out, to be looked at or trained by itself, and put back. */
#ifndef FLOW_ALONE_H
#define FLOW_ALONE_H

#include "flow/flow.h"

size_t flow_n_layers(const flow *self);

/* A flow of that layer and its parameters alone, of the same direction, context and precision; its base is
 * N(0, I). NULL: FLOW_ENOMEM. */
flow *flow_alone(const flow *self, size_t layer, flow_err *err);

/* The parameters of that layer become those of `alone`, which was taken out of this flow or one of its
 * description. */
void flow_alone_back(flow *self, size_t layer, const flow *alone);

#endif
