#include "flow/spec.h"

#include <stdlib.h>
#include <string.h>

static json_t *autoregressive_of(const flow_spec *self)
{
    json_t *hidden = json_array();
    for (size_t l = 0; l < self->n_hidden; l++)
        json_array_append_new(hidden, json_integer((json_int_t)self->hidden[l]));
    json_t *out = json_pack("{s:s, s:s, s:s, s:o, s:I}", "kind", "autoregressive", "transformer",
                            self->transformer, "activation", self->activation, "hidden", hidden,
                            "residual", (json_int_t)self->residual);
    if (out && strcmp(self->transformer, "spline") == 0) {
        json_object_set_new(out, "bins", json_integer((json_int_t)self->bins));
        json_object_set_new(out, "bound", json_real(self->bound));
    } else if (out) {
        json_object_set_new(out, "scale_bound", json_real(self->scale_bound));
    }
    return out;
}

static json_t *permutation_of(const flow_spec *self, size_t block)
{
    size_t *order = malloc(self->dim * sizeof *order);
    if (!order)
        return NULL;
    if (self->permute == FLOW_RANDOM)
        pcg_permutation(order, self->dim, self->stream, block);
    else
        for (size_t i = 0; i < self->dim; i++)
            order[i] = self->dim - 1 - i;
    json_t *list = json_array();
    for (size_t i = 0; i < self->dim; i++)
        json_array_append_new(list, json_integer((json_int_t)order[i]));
    free(order);
    return json_pack("{s:s, s:o}", "kind", "permutation", "order", list);
}

static int append_block(const flow_spec *self, json_t *layers, size_t block)
{
    int failed = 0;
    if (block > 0 && self->permute != FLOW_IN_ORDER)
        failed |= json_array_append_new(layers, permutation_of(self, block));
    if (self->lu)
        failed |= json_array_append_new(layers, json_pack("{s:s}", "kind", "lu_linear"));
    if (self->actnorm)
        failed |= json_array_append_new(layers, json_pack("{s:s}", "kind", "actnorm"));
    return failed | json_array_append_new(layers, autoregressive_of(self));
}

json_t *flow_spec_describe(const flow_spec *self, flow_err *err)
{
    json_t *layers = json_array();
    int failed = layers == NULL;
    for (size_t block = 0; block < self->layers && !failed; block++)
        failed = append_block(self, layers, block);
    json_t *out = failed ? NULL
                         : json_pack("{s:I, s:I, s:s, s:s, s:O}", "dim", (json_int_t)self->dim,
                                     "context", (json_int_t)self->context, "direction",
                                     self->direction == FLOW_DATA_TO_NOISE ? "data_to_noise"
                                                                           : "noise_to_data",
                                     "base", "normal", "layers", layers);
    json_decref(layers);
    if (!out)
        flow_fail(err, FLOW_ENOMEM, "out of memory for the description of a flow");
    return out;
}

flow *flow_spec_create(const flow_spec *self, flow_precision precision, flow_err *err)
{
    json_t *description = flow_spec_describe(self, err);
    flow *out = description ? flow_create(description, precision, err) : NULL;
    json_decref(description);
    return out;
}
