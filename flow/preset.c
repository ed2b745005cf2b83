#include "flow/preset.h"

#include "flow/order.h"

#include <stdlib.h>
#include <string.h>

/* What the options of every preset begin with. */
typedef struct flow_head {
    const json_t *base;
} flow_head;

#define BASE_KEY                                                                                   \
    {                                                                                              \
        FLOW_KEY(flow_head, base), .type = FLOW_KEY_KIND, .kinds = &flow_bases, .def = "normal",   \
                                   .doc = "The density of the noise that samples are made of."     \
    }

typedef struct preset {
    flow_kind kind;
    bool one_way; /* only for this direction: */
    flow_direction direction;
    /* Appends layers to list. Non-zero: *err, or, if that is empty, no memory. */
    int (*layers)(const void *options, json_t *list, flow_place *place, flow_err *err);
} preset;

/* ---- autoregressive layers with what stands between them: [lu_linear] [actnorm] autoregressive,
 * separated by permutations */

typedef enum linear { LINEAR_NONE, LINEAR_LU } linear;

static const flow_word linears[] = {{"none", LINEAR_NONE, "no such layer"},
                                    {"lu", LINEAR_LU, "a learned matrix, kept as its LU factors"},
                                    {NULL, 0, NULL}};

typedef struct chain {
    flow_head head;
    size_t layers;
    const json_t *transformer, *conditioner;
    int permute; /* a flow_pattern */
    int linear;
    bool actnorm;
} chain;

static json_t *same(const json_t *value)
{
    return json_incref((json_t *)(uintptr_t)value);
}

static int append_order(json_t *list, int pattern, const flow_place *place)
{
    return json_array_append_new(list, json_pack("{s:s, s:o}", "kind", "permutation", "order",
                                                 flow_order_json((flow_pattern)pattern, place)));
}

/* A layer of a kind that has defaults for everything. */
static int append_plain(json_t *list, const char *kind, flow_err *err)
{
    json_t *name = json_string(kind);
    json_t *layer = name ? flow_kind_complete(&flow_layers, name, err) : NULL;
    json_decref(name);
    return json_array_append_new(list, layer);
}

static int chain_layers(const void *options, json_t *list, flow_place *place, flow_err *err)
{
    const chain *self = options;
    int failed = 0;
    for (size_t block = 0; block < self->layers && !failed; block++) {
        place->row = block;
        if (block > 0 && self->permute != FLOW_IN_ORDER)
            failed |= append_order(list, self->permute, place);
        if (self->linear == LINEAR_LU)
            failed |= append_plain(list, "lu_linear", err);
        if (self->actnorm)
            failed |= append_plain(list, "actnorm", err);
        failed |= json_array_append_new(list, json_pack("{s:s, s:o, s:o}", "kind", "autoregressive",
                                                        "transformer", same(self->transformer),
                                                        "conditioner", same(self->conditioner)));
    }
    return failed;
}

static const flow_key chain_keys[] = {
    {FLOW_KEY(chain, layers), .type = FLOW_KEY_WHOLE, .min = 1, .max = 64, .def = "5",
     .doc = "Autoregressive layers, one after the other. More layers bend further and cost "
            "proportionally more. A list of layers in its place spells the flow out."},
    {FLOW_KEY(chain, conditioner), .type = FLOW_KEY_KIND, .flags = FLOW_KEY_FLAT,
     .kinds = &flow_conditioners, .def = "mlp", .doc = "The network of each layer."},
    {FLOW_KEY(chain, transformer), .type = FLOW_KEY_KIND, .flags = FLOW_KEY_FLAT,
     .kinds = &flow_transformers, .def = "spline",
     .doc = "What a layer does to each coordinate with the numbers its conditioner gives."},
    {FLOW_KEY(chain, permute), .type = FLOW_KEY_WORD, .words = flow_patterns, .def = "reverse",
     .doc = "What happens to the order of the coordinates between two layers."},
    {FLOW_KEY(chain, linear), .type = FLOW_KEY_WORD, .words = linears, .def = "lu",
     .doc = "A learned linear map of all coordinates between two layers."},
    {FLOW_KEY(chain, actnorm), .type = FLOW_KEY_BOOL, .def = "false",
     .doc = "A learned shift and scale of each coordinate between two layers, set from data so "
            "that its first output has mean 0 and variance 1."},
    BASE_KEY,
    {.name = NULL}};

/* ---- layers spelt out */

typedef struct stack {
    flow_head head;
    const json_t *layers;
} stack;

static int stack_layers(const void *options, json_t *list, flow_place *place, flow_err *err)
{
    json_t *settled = flow_layers_settle(((const stack *)options)->layers, place, err);
    int failed = !settled || json_array_extend(list, settled);
    json_decref(settled);
    return failed;
}

static const flow_key stack_keys[] = {{FLOW_KEY(stack, layers), .type = FLOW_KEY_KINDS,
                                       .flags = FLOW_KEY_REQUIRED, .kinds = &flow_spelt_layers,
                                       .n_max = FLOW_MAX_LAYERS,
                                       .doc = "Layers in the order of the flow's parallel "
                                              "direction."},
                                      BASE_KEY,
                                      {.name = NULL}};

/* ---- the registry */

static const preset presets[] = {
    {.kind = {.name = "maf",
              .doc = "masked autoregressive flow: a density in one pass",
              .keys = chain_keys,
              .size = sizeof(chain)},
     .one_way = true,
     .direction = FLOW_DATA_TO_NOISE,
     .layers = chain_layers},
    {.kind = {.name = "iaf",
              .doc = "inverse autoregressive flow: a sample with its density in one pass",
              .keys = chain_keys,
              .size = sizeof(chain)},
     .one_way = true,
     .direction = FLOW_NOISE_TO_DATA,
     .layers = chain_layers},
    {.kind = {.name = "stack",
              .doc = "layers spelt out",
              .keys = stack_keys,
              .size = sizeof(stack),
              .implied_by = "layers"},
     .layers = stack_layers}};

enum { N_PRESETS = sizeof presets / sizeof *presets };

static const flow_kind *preset_at(size_t index)
{
    return index < N_PRESETS ? &presets[index].kind : NULL;
}

const flow_registry flow_presets = {.what = "flow", .at = preset_at};

/* ---- from a preset to a flow */

static const preset *find(const json_t *object, flow_direction direction, flow_err *err)
{
    const flow_kind *kind = flow_kind_of(&flow_presets, object, err);
    const preset *self = presets;
    while (kind && &self->kind != kind)
        self++;
    if (!kind || !self->one_way || self->direction == direction)
        return kind ? self : NULL;
    flow_fail(err, FLOW_ECONFIG, "kind %s is parallel the other way round: it is for a %s",
              kind->name,
              direction == FLOW_DATA_TO_NOISE ? "flow that is sampled, not fitted"
                                              : "flow that is fitted, not sampled");
    return NULL;
}

static json_t *describe(const flow_head *head, const json_t *layers, flow_direction direction,
                        const flow_place *place)
{
    return json_pack("{s:I, s:I, s:s, s:o, s:O}", "dim", (json_int_t)place->dim, "context",
                     (json_int_t)place->context, "direction", flow_direction_name(direction),
                     "base", same(head->base), "layers", layers);
}

json_t *flow_preset_describe(const json_t *object, flow_direction direction,
                             const flow_place *place, flow_err *err)
{
    flow_err why = FLOW_ERR_INIT;
    flow_place at = *place;
    const preset *self = find(object, direction, &why);
    void *options = self ? flow_kind_read(&self->kind, object, &why) : NULL;
    json_t *list = options ? json_array() : NULL, *out = NULL;
    if (list && self->layers(options, list, &at, &why) == 0)
        out = describe(options, list, direction, place);
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
