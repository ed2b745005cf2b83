#include "tests/common/spec.h"

#include <string.h>

static json_t *transformer_of(const flow_spec *self)
{
    if (strcmp(self->transformer, "spline") == 0)
        return json_pack("{s:s, s:I, s:f}", "kind", "spline", "bins", (json_int_t)self->bins,
                         "bound", self->bound);
    if (strcmp(self->transformer, "affine") == 0)
        return json_pack("{s:s, s:f}", "kind", "affine", "scale_bound", self->scale_bound);
    return json_string(self->transformer);
}

static json_t *conditioner_of(const flow_spec *self)
{
    json_t *hidden = json_array();
    for (size_t l = 0; l < self->n_hidden; l++)
        json_array_append_new(hidden, json_integer((json_int_t)self->hidden[l]));
    return json_pack("{s:s, s:o, s:I, s:s}", "kind", "mlp", "hidden", hidden, "residual",
                     (json_int_t)self->residual, "activation", self->activation);
}

json_t *flow_spec_preset(const flow_spec *self, flow_err *err)
{
    json_t *given = json_pack("{s:s, s:I, s:o, s:o, s:s, s:s, s:b, s:b}", "kind",
                              self->direction == FLOW_DATA_TO_NOISE ? "maf" : "iaf", "layers",
                              (json_int_t)self->layers, "transformer", transformer_of(self),
                              "conditioner", conditioner_of(self), "permute",
                              flow_patterns[self->permute].name, "linear", self->lu ? "lu" : "none",
                              "actnorm", self->actnorm, "context_linear", self->context_linear);
    json_t *out = flow_kind_complete(&flow_presets, given, err);
    json_decref(given);
    return out;
}

static flow_place place_of(const flow_spec *self)
{
    return (flow_place){.dim = self->dim, .context = self->context, .stream = self->stream};
}

json_t *flow_spec_describe(const flow_spec *self, flow_err *err)
{
    const flow_place place = place_of(self);
    json_t *preset = flow_spec_preset(self, err);
    json_t *out = preset ? flow_preset_describe(preset, self->direction, &place, err) : NULL;
    json_decref(preset);
    return out;
}

flow *flow_spec_create(const flow_spec *self, flow_precision precision, flow_err *err)
{
    json_t *description = flow_spec_describe(self, err);
    flow *out = description ? flow_create(description, precision, err) : NULL;
    json_decref(description);
    return out;
}
