#include "flow/alone.h"
#include "flow/backend.h"
#include "flow/circles.h"

#include <stdlib.h>
#include <string.h>

size_t flow_n_layers(const flow *self)
{
    return self->stack.n_layers;
}

/* The circles that the layer's noise has: those of the flow's, by way of the layers between. NULL: no memory. */
static json_t *list_circles(const flow *self, size_t layer)
{
    const int back = self->direction == FLOW_DATA_TO_NOISE;
    size_t first = back ? layer + 1 : 0, end = back ? self->stack.n_layers : layer;
    unsigned char *circle = malloc(self->dim);
    json_t *list = NULL;
    if (circle)
        memcpy(circle, self->circles + self->dim, self->dim);
    if (circle && !self->backend->circles(&self->stack, circle, first, end, back, NULL))
        list = flow_circles_list(circle, self->dim, 1);
    free(circle);
    return list;
}

static json_t *base_of(const flow *self, size_t layer)
{
    if (!self->circles)
        return json_string("normal");
    json_t *circles = list_circles(self, layer);
    return circles ? json_pack("{s:s, s:o, s:{s:s, s:b}}", "kind", "circular", "circles", circles,
                               "others", "kind", "normal", "learn", 0)
                   : NULL;
}

/* NULL: out of memory. */
static json_t *describe(const flow *self, size_t layer)
{
    json_t *out = flow_describe(self);
    json_t *list = out ? json_array() : NULL;
    json_t *one = out ? json_array_get(json_object_get(out, "layers"), layer) : NULL;
    int failed = !list || json_array_append(list, one) || json_object_set(out, "layers", list) ||
                 json_object_set_new(out, "base", base_of(self, layer));
    json_decref(list);
    if (!failed)
        return out;
    json_decref(out);
    return NULL;
}

static char *params_of(const flow *self, size_t layer)
{
    return (char *)self->params + self->stack.offsets[layer] * self->backend->real_size;
}

static size_t bytes_of(const flow *alone)
{
    return alone->stack.n_params * alone->backend->real_size;
}

flow *flow_alone(const flow *self, size_t layer, flow_err *err)
{
    json_t *description = describe(self, layer);
    if (!description) {
        flow_fail(err, FLOW_ENOMEM, "out of memory for the description of a layer");
        return NULL;
    }
    flow *out = flow_create_on(self->backend, description, SIZE_MAX, err);
    json_decref(description);
    if (out)
        memcpy(out->params, params_of(self, layer), bytes_of(out));
    return out;
}

void flow_alone_back(flow *self, size_t layer, const flow *alone)
{
    memcpy(params_of(self, layer), alone->params, bytes_of(alone));
}
