#include "flow/preset.h"

#include "flow/circles.h"
#include "flow/order.h"
#include "flow/preset_kind.h"

#include <stdlib.h>
#include <string.h>

/* ---- what presets are made of */

const flow_word preset_linears[] = {
    {"none", PRESET_LINEAR_NONE, "no such layer"},
    {"lu", PRESET_LINEAR_LU, "a learned matrix, kept as its LU factors"},
    {NULL, 0, NULL}};

int preset_add_order(json_t *list, int pattern, const flow_place *place)
{
    return json_array_append_new(list, json_pack("{s:s, s:o}", "kind", "permutation", "order",
                                                 flow_order_json((flow_pattern)pattern, place)));
}

int preset_add_plain(json_t *list, const char *kind, flow_err *err)
{
    json_t *name = json_string(kind);
    json_t *layer = name ? flow_kind_complete(&flow_layers, name, err) : NULL;
    json_decref(name);
    return json_array_append_new(list, layer);
}

int preset_add_inverted(json_t *list, const char *kind, flow_err *err)
{
    json_t *layers = json_array();
    if (!layers || preset_add_plain(layers, kind, err)) {
        json_decref(layers);
        return FLOW_ENOMEM;
    }
    return json_array_append_new(list,
                                 json_pack("{s:s, s:o}", "kind", "inverted", "layers", layers));
}

static json_t *same(const json_t *value)
{
    return json_incref((json_t *)(uintptr_t)value);
}

int preset_add_autoregressive(json_t *list, const json_t *transformer, const json_t *conditioner,
                              size_t groups, const char *first)
{
    json_t *number = groups ? json_integer((json_int_t)groups) : json_string("auto");
    return json_array_append_new(list,
                                 json_pack("{s:s, s:o, s:o, s:o, s:s}", "kind", "autoregressive",
                                           "transformer", same(transformer), "conditioner",
                                           same(conditioner), "groups", number, "first", first));
}

/* ---- layers spelt out */

typedef struct stack {
    preset_head head;
    const json_t *layers;
} stack;

static int stack_layers(const void *options, json_t *list, flow_place *place, flow_err *err)
{
    json_t *settled = flow_layers_settle(((const stack *)options)->layers, place, err);
    int failed = !settled || json_array_extend(list, settled);
    json_decref(settled);
    return failed;
}

static bool stack_can_circle(const void *options)
{
    const stack *self = options;
    return flow_circles_can(self->layers, self->head.base);
}

static const flow_key stack_keys[] = {{FLOW_KEY(stack, layers), .type = FLOW_KEY_KINDS,
                                       .flags = FLOW_KEY_REQUIRED, .kinds = &flow_spelt_layers,
                                       .n_max = FLOW_MAX_LAYERS,
                                       .doc = "Layers in the order of the flow's parallel "
                                              "direction."},
                                      PRESET_BASE_KEY,
                                      {.name = NULL}};

const preset preset_stack = {
    .kind = {.name = "stack",
             .doc = "layers spelt out",
             .keys = stack_keys,
             .size = sizeof(stack),
             .implied_by = "layers"},
    .layers = stack_layers,
    .can_circle = stack_can_circle,
};

/* ---- the registry */

#define DECLARE(NAME) extern const preset preset_##NAME;
FLOW_PRESETS(DECLARE)
#define ENTRY(NAME) &preset_##NAME,
static const preset *const presets[] = {FLOW_PRESETS(ENTRY) NULL};

static const flow_kind *preset_at(size_t index)
{
    return presets[index] ? &presets[index]->kind : NULL;
}

const flow_registry flow_presets = {.what = "flow", .at = preset_at};

/* ---- from a preset to a flow */

static const preset *known(const json_t *object, flow_err *err)
{
    const flow_kind *kind = flow_kind_of(&flow_presets, object, err);
    const preset *const *at = presets;
    while (kind && &(*at)->kind != kind)
        at++;
    return kind ? *at : NULL;
}

flow_direction flow_preset_direction(const json_t *object, flow_direction either)
{
    const preset *self = known(object, NULL);
    return self && self->one_way ? self->direction : either;
}

static const preset *find(const json_t *object, flow_direction direction, flow_err *err)
{
    const preset *self = known(object, err);
    if (!self || !self->one_way || self->direction == direction)
        return self;
    flow_fail(err, FLOW_ECONFIG, "kind %s is parallel the other way round: it is for a %s",
              self->kind.name,
              direction == FLOW_DATA_TO_NOISE ? "flow that is sampled, not fitted"
                                              : "flow that is fitted, not sampled");
    return NULL;
}

static json_t *describe(const preset_head *head, const json_t *layers, flow_direction direction,
                        const flow_place *place)
{
    return json_pack("{s:I, s:I, s:s, s:o, s:O}", "dim", (json_int_t)place->dim, "context",
                     (json_int_t)place->context, "direction", flow_direction_name(direction),
                     "base", same(head->base), "layers", layers);
}

static const preset *no_teacher(const preset *self, flow_err *err)
{
    flow_fail(err, FLOW_ECONFIG, "kind %s is made of a teacher, which must be a flow",
              self->kind.name);
    return NULL;
}

json_t *flow_preset_describe(const json_t *object, flow_direction direction,
                             const flow_place *place, flow_err *err)
{
    flow_err why = FLOW_ERR_INIT;
    flow_place at = *place;
    const preset *self = find(object, direction, &why);
    if (self && self->unrolling)
        self = no_teacher(self, &why);
    void *options = self ? flow_kind_read(&self->kind, object, &why) : NULL;
    json_t *list = options ? json_array() : NULL, *out = NULL;
    if (list && self->layers(options, list, &at, &why) == 0)
        out = describe(options, list, direction, place);
    if (out && place->circles && flow_circles_put(out, place->circles, &why)) {
        json_decref(out);
        out = NULL;
    }
    if (!out && !why.code)
        flow_fail(&why, FLOW_ENOMEM, "out of memory for the description of a flow");
    if (!out)
        flow_fail(err, (flow_code)why.code, "%s", why.text);
    json_decref(list);
    free(options);
    return out;
}

flow *flow_preset_create(const json_t *object, flow_direction direction, const flow_place *place,
                         flow_precision precision, flow_err *err)
{
    json_t *description = flow_preset_describe(object, direction, place, err);
    flow *out = description ? flow_create(description, precision, err) : NULL;
    json_decref(description);
    return out;
}

bool flow_preset_can_circle(const json_t *object, flow_direction direction)
{
    const preset *self = find(object, direction, NULL);
    void *options = self ? flow_kind_read(&self->kind, object, NULL) : NULL;
    bool can = options && (!self->can_circle || self->can_circle(options));
    free(options);
    return can;
}

/* ---- from a teacher */

int flow_preset_follows(const json_t *object)
{
    const preset *self = find(object, FLOW_NOISE_TO_DATA, NULL);
    return self && self->unrolling;
}

int flow_preset_unrolling(flow_unrolling *how, const json_t *object, flow_err *err)
{
    const preset *self = find(object, FLOW_NOISE_TO_DATA, err);
    void *options = self ? flow_kind_read(&self->kind, object, err) : NULL;
    if (options)
        *how = self->unrolling(options);
    free(options);
    return options ? 0 : FLOW_ECONFIG;
}
