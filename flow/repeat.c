/* flow/repeat.c -- {"repeat": n, "layers": [...]} in a list of layers: a spelling of n copies, not a
 * layer. */
#include "flow/preset.h"

#include <stdlib.h>

typedef struct repeat {
    size_t repeat;
    const json_t *layers;
} repeat;

static const flow_key repeat_keys[] = {
    {FLOW_KEY(repeat, repeat), .type = FLOW_KEY_WHOLE, .flags = FLOW_KEY_REQUIRED, .min = 1,
     .max = FLOW_MAX_LAYERS, .doc = "How many times the layers follow one another."},
    {FLOW_KEY(repeat, layers), .type = FLOW_KEY_KINDS, .flags = FLOW_KEY_REQUIRED,
     .kinds = &flow_spelt_layers, .n_max = FLOW_MAX_LAYERS,
     .doc = "The layers, each copy with weights of its own."},
    {.name = NULL}};

static const flow_kind kind = {.name = "repeat",
                               .doc = "a list of layers several times over",
                               .keys = repeat_keys,
                               .size = sizeof(repeat),
                               .implied_by = "repeat"};

static const flow_kind *spelt_at(size_t index)
{
    size_t n = 0;
    while (n <= index && flow_layers.at(n))
        n++;
    return n > index ? flow_layers.at(index) : index == n ? &kind : NULL;
}

const flow_registry flow_spelt_layers = {.what = "layer", .at = spelt_at};

/* ---- settling */

static int append(json_t *list, const json_t *spelt, flow_place *place, flow_err *err);

static int append_all(json_t *list, const json_t *spelt, flow_place *place, flow_err *err)
{
    int code = 0;
    for (size_t i = 0; i < json_array_size(spelt) && !code; i++)
        code = append(list, json_array_get(spelt, i), place, err);
    return code;
}

static int append_repeated(json_t *list, const json_t *object, flow_place *place, flow_err *err)
{
    repeat *options = flow_kind_read(&kind, object, err);
    int code = options ? 0 : FLOW_ECONFIG;
    for (size_t i = 0; options && i < options->repeat && !code; i++)
        code = append_all(list, options->layers, place, err);
    free(options);
    return code;
}

static int append(json_t *list, const json_t *spelt, flow_place *place, flow_err *err)
{
    const flow_kind *of = flow_kind_of(&flow_spelt_layers, spelt, err);
    if (!of)
        return FLOW_ECONFIG;
    if (of == &kind)
        return append_repeated(list, spelt, place, err);
    if (json_array_size(list) >= FLOW_MAX_LAYERS)
        return flow_fail(err, FLOW_ECONFIG, "more than %d layers", FLOW_MAX_LAYERS);
    json_t *copy = json_deep_copy(spelt);
    if (json_array_append_new(list, copy))
        return flow_fail(err, FLOW_ENOMEM, "out of memory for the description of a flow");
    int code = of->settle ? of->settle(copy, place, err) : 0;
    place->row++;
    return code;
}

json_t *flow_layers_settle(const json_t *spelt, flow_place *place, flow_err *err)
{
    json_t *list = json_array();
    if (!list)
        flow_fail(err, FLOW_ENOMEM, "out of memory for the description of a flow");
    if (!list || append_all(list, spelt, place, err) == 0)
        return list;
    json_decref(list);
    return NULL;
}
