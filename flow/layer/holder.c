#include "flow/layer/holder.h"
#include "flow/preset.h"

#include <stdlib.h>

void holder_free(flow_layer *layer)
{
    if (layer)
        stack_free(&((holder *)layer)->stack);
    free(layer);
}

json_t *holder_describe(const flow_layer *layer, json_t *description)
{
    if (description &&
        json_object_set_new(description, "layers", stack_describe(holder_stack(layer))) == 0)
        return description;
    json_decref(description);
    return NULL;
}

void holder_init(const flow_layer *layer, real *theta, layer_draws *draws)
{
    uint64_t row = *draws->spare;
    *draws->spare += holder_stack(layer)->n_layers;
    stack_init(holder_stack(layer), theta, draws->stream, row, draws->spare);
}

void holder_round(const flow_layer *layer, real *theta, size_t n)
{
    stack_round(holder_stack(layer), theta, n);
}

int holder_settle(json_t *object, const json_t *spelt, size_t dim, flow_place *place, flow_err *err)
{
    flow_place inner = *place;
    inner.dim = dim;
    json_t *layers = flow_layers_settle(spelt, &inner, err);
    place->row = inner.row;
    if (!layers)
        return err ? err->code : FLOW_ECONFIG;
    if (json_object_set_new(object, "layers", layers))
        return flow_fail(err, FLOW_ENOMEM, "out of memory for a list of layers");
    return 0;
}

size_t holder_n_tensors(const flow_layer *layer)
{
    return stack_n_tensors(holder_stack(layer));
}

void holder_tensor(const flow_layer *layer, flow_tensor_info *info, size_t index)
{
    stack_tensor(holder_stack(layer), info, index);
}

void holder_tensor_get(const flow_layer *layer, double *values, const real *theta, size_t index)
{
    stack_tensor_get(holder_stack(layer), values, theta, index);
}

void holder_tensor_set(const flow_layer *layer, real *theta, const double *values, size_t index)
{
    stack_tensor_set(holder_stack(layer), theta, values, index);
}

void holder_tensor_live(const flow_layer *layer, unsigned char *live, size_t index, size_t row)
{
    stack_tensor_live(holder_stack(layer), live, index, row);
}
