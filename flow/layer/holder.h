/* flow/layer/holder.h -- what layers that hold others have in common: a stack, whose parameters are
 * theirs. */
#ifndef FLOW_LAYER_HOLDER_H
#define FLOW_LAYER_HOLDER_H

#include "flow/layer/stack.h"

#define holder_free FLOW_NAME(holder_free)
#define holder_describe FLOW_NAME(holder_describe)
#define holder_init FLOW_NAME(holder_init)
#define holder_round FLOW_NAME(holder_round)
#define holder_settle FLOW_NAME(holder_settle)
#define holder_n_tensors FLOW_NAME(holder_n_tensors)
#define holder_tensor FLOW_NAME(holder_tensor)
#define holder_tensor_get FLOW_NAME(holder_tensor_get)
#define holder_tensor_set FLOW_NAME(holder_tensor_set)
#define holder_tensor_live FLOW_NAME(holder_tensor_live)

/* Kinds put it first in their own struct, which is one piece of memory. */
typedef struct holder {
    flow_layer base;
    flow_stack stack;
} holder;

static inline const flow_stack *holder_stack(const flow_layer *layer)
{
    return &((const holder *)layer)->stack;
}

/* Ops of a layer. */
void holder_free(flow_layer *layer);
void holder_init(const flow_layer *layer, real *theta, layer_draws *draws);
void holder_round(const flow_layer *layer, real *theta, size_t n);
size_t holder_n_tensors(const flow_layer *layer);
void holder_tensor(const flow_layer *layer, flow_tensor_info *info, size_t index);
void holder_tensor_get(const flow_layer *layer, double *values, const real *theta, size_t index);
void holder_tensor_set(const flow_layer *layer, real *theta, const double *values, size_t index);
void holder_tensor_live(const flow_layer *layer, unsigned char *live, size_t index, size_t row);

/* Adds the layers to a description, whose other keys are there. Takes the description over and hands it
 * back; NULL, also if it was NULL: no memory. */
json_t *holder_describe(const flow_layer *layer, json_t *description);

/* Sets "layers" of the object to the spelt ones, settled on dim coordinates. */
int holder_settle(json_t *object, const json_t *spelt, size_t dim, flow_place *place,
                  flow_err *err);

#endif
