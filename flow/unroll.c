#include "flow/unroll.h"
#include "flow/backend.h"
#include "flow/base.h"

#include <string.h>

static int check(const flow *teacher, const flow_unrolling *how, flow_err *err)
{
    if (!(how->width > 0 && how->width <= 1))
        return flow_fail(err, FLOW_ECONFIG, "width wants a number > 0 .. 1, got %g", how->width);
    if (teacher->direction != FLOW_DATA_TO_NOISE)
        return flow_fail(err, FLOW_ECONFIG, "a flow that is %s is a parallel sampler as it is",
                         flow_direction_name(teacher->direction));
    return 0;
}

json_t *flow_unroll_describe(const flow *teacher, const flow_unrolling *how, flow_err *err)
{
    if (check(teacher, how, err))
        return NULL;
    json_t *layers = teacher->backend->unroll_layers(&teacher->stack, how, err);
    json_t *out = layers ? flow_describe(teacher) : NULL;
    if (out && json_object_set(out, "layers", layers) == 0 &&
        json_object_set_new(out, "direction",
                            json_string(flow_direction_name(FLOW_NOISE_TO_DATA))) == 0) {
        json_decref(layers);
        return out;
    }
    if (layers)
        flow_fail(err, FLOW_ENOMEM, "out of memory for the description of a flow");
    json_decref(layers);
    json_decref(out);
    return NULL;
}

/* Of the same precision. */
static int copy_params(flow *self, const flow *teacher, flow_err *err)
{
    memcpy(base_part(self, self->params).numbers, base_params(teacher, NULL).numbers,
           self->base->n_params * self->backend->real_size);
    return self->backend->unroll_params(&self->stack, self->params, &teacher->stack,
                                        teacher->params, err);
}

flow *flow_unroll(const flow *teacher, const flow_unrolling *how, flow_precision precision,
                  flow_err *err)
{
    json_t *description = flow_unroll_describe(teacher, how, err);
    flow *self = description ? flow_create(description, precision, err) : NULL;
    flow *same = self ? flow_convert(teacher, precision, err) : NULL;
    int code = same ? copy_params(self, same, err) : FLOW_ENOMEM;
    json_decref(description);
    flow_free(same);
    if (!code)
        return self;
    flow_free(self);
    return NULL;
}
