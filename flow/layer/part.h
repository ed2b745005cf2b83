/* flow/layer/part.h -- a stack on some of the dimensions, as a layer. */
#ifndef FLOW_LAYER_PART_H
#define FLOW_LAYER_PART_H

#include "flow/layer/layer.h"

#define part_around FLOW_NAME(part_around)

/* Dimensions first .. first + stack->dim - 1 of dim go through the stack, the others stay as they are.
 * Takes the stack over, also if it fails. */
flow_layer *part_around(flow_stack *stack, size_t first, size_t dim, flow_err *err);

#endif
