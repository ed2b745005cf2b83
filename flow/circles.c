#include "flow/circles.h"

#include "flow/backend.h"
#include "flow/base.h"
#include "flow/json.h"
#include "flow/kind.h"
#include "flow/preset.h"

#include <stdlib.h>
#include <string.h>

json_t *flow_circles_list(const unsigned char *circle, size_t dim, unsigned char which)
{
    json_t *list = json_array();
    for (size_t i = 0; i < dim; i++)
        if (circle[i] == which)
            flow_json_append(&list, json_integer((json_int_t)i));
    return list;
}

static int no_memory(flow_err *err)
{
    return flow_fail(err, FLOW_ENOMEM, "out of memory for the description of a flow");
}

/* ---- which they are */

int flow_circles_follow(flow *self, flow_err *err)
{
    const flow_backend *b = self->backend;
    size_t dim = self->dim, n = self->stack.n_layers;
    unsigned char *circle = calloc(2, dim);
    if (!circle)
        return flow_fail(err, FLOW_ENOMEM, "out of memory for a flow");
    for (size_t i = 0; i < dim && self->base->on_circle; i++)
        circle[i] = circle[dim + i] = self->base->on_circle[i];
    int code = b->circles(&self->stack, circle, 0, n, self->direction == FLOW_DATA_TO_NOISE, err);
    if (!code && self->base->on_circle)
        self->circles = circle;
    else
        free(circle);
    return code;
}

const unsigned char *flow_circles(const flow *self)
{
    return self->circles;
}

int flow_noise_turns(const flow *self, size_t i)
{
    return self->circles && self->circles[self->dim + i];
}

/* ---- a layer for lines */

int flow_circles_part(json_t *object, unsigned char *circle, size_t dim, int back, flow_err *err)
{
    json_t *lines = flow_circles_list(circle, dim, 0), *inner = json_copy(object);
    (void)back;
    json_t *part = inner && lines ? json_pack("{s:s, s:i, s:O, s:[O]}", "kind", "part", "first", 0,
                                              "columns", lines, "layers", inner)
                                  : NULL;
    int failed = !part || json_object_clear(object) || json_object_update(object, part);
    json_decref(part);
    json_decref(inner);
    json_decref(lines);
    return failed ? no_memory(err) : 0;
}

/* ---- a flow */

static bool is_circular(const json_t *base)
{
    const char *kind = json_string_value(json_object_get(base, "kind"));
    return kind && strcmp(kind, "circular") == 0;
}

/* A layer without a coordinate left is left out. */
static int put_layer(json_t *layers, size_t l, unsigned char *circle, size_t dim, int back,
                     flow_err *err)
{
    json_t *layer = json_array_get(layers, l);
    const flow_kind *kind = flow_kind_of(&flow_layers, layer, err);
    if (!kind)
        return FLOW_ECONFIG;
    if (!kind->circle)
        return flow_fail(err, FLOW_ECONFIG,
                         "layer %zu: %s does not know of circles; spell the base and the circles "
                         "of the layers out",
                         l, kind->name);
    if (kind->circle == flow_circles_part && !memchr(circle, 0, dim))
        return json_array_remove(layers, l) ? no_memory(err) : 0;
    json_t *own = json_deep_copy(layer); /* presets may give one object to many */
    if (json_array_set_new(layers, l, own))
        return no_memory(err);
    return kind->circle(own, circle, dim, back, err);
}

static int put_base(json_t *description, const unsigned char *circle, size_t dim, flow_err *err)
{
    json_t *list = flow_circles_list(circle, dim, 1);
    json_t *base = list ? json_pack("{s:s, s:O, s:O}", "kind", "circular", "circles", list,
                                    "others", json_object_get(description, "base"))
                        : NULL;
    json_decref(list);
    return json_object_set_new(description, "base", base) ? no_memory(err) : 0;
}

int flow_circles_put(json_t *description, const unsigned char *circle, flow_err *err)
{
    json_t *layers = json_object_get(description, "layers");
    const char *direction = json_string_value(json_object_get(description, "direction"));
    size_t dim = (size_t)json_integer_value(json_object_get(description, "dim"));
    int back = strcmp(direction, flow_direction_name(FLOW_NOISE_TO_DATA)) == 0, code = 0;
    if (!memchr(circle, 1, dim) || is_circular(json_object_get(description, "base")))
        return 0;
    unsigned char *at = malloc(dim);
    if (!at)
        return no_memory(err);
    memcpy(at, circle, dim);
    if (back)
        for (size_t l = json_array_size(layers); l-- > 0 && !code;)
            code = put_layer(layers, l, at, dim, back, err);
    for (size_t l = 0, n; !back && !code && l < (n = json_array_size(layers));
         l += json_array_size(layers) == n)
        code = put_layer(layers, l, at, dim, back, err);
    if (!code)
        code = put_base(description, at, dim, err);
    free(at);
    return code;
}

/* ---- what is spelt */

static bool can(const json_t *spelt)
{
    const flow_kind *kind = flow_kind_of(&flow_spelt_layers, spelt, NULL);
    const json_t *inner = json_object_get(spelt, "layers");
    bool repeats = kind && kind->implied_by;
    bool good = kind && (kind->circle || repeats) && !json_object_get(spelt, "circles");
    for (size_t i = 0; repeats && good && i < json_array_size(inner); i++)
        good = can(json_array_get(inner, i));
    return good;
}

bool flow_circles_can(const json_t *spelt, const json_t *base)
{
    bool good = true;
    for (size_t i = 0; good && i < json_array_size(spelt); i++)
        good = can(json_array_get(spelt, i));
    return good || is_circular(base);
}
