/* pipeline/stages/thin.c -- a hidden unit of a masked network belongs to the coordinates it may see, the first
 * 1, 2, ... or groups - 1 of the groups, or none but the context (flow/layer/mlp.c). With fewer units than
 * that some coordinates cannot be told apart from their neighbours. */
#include "pipeline/stages/thin.h"

#include <jansson.h>
#include <stdio.h>

/* The narrowest hidden layer below what it has to carry. */
typedef struct thin {
    json_int_t units, wanted; /* units 0: none is */
} thin;

static void look_at_network(thin *worst, const json_t *layer, json_int_t context)
{
    const json_t *hidden = json_object_get(json_object_get(layer, "conditioner"), "hidden");
    json_int_t groups = json_integer_value(json_object_get(layer, "groups"));
    json_int_t wanted = groups - (context > 0 ? 0 : 1);
    for (size_t i = 0; i < json_array_size(hidden); i++) {
        json_int_t units = json_integer_value(json_array_get(hidden, i));
        if (units < wanted && (worst->units == 0 || units < worst->units))
            *worst = (thin){units, wanted};
    }
}

static void look_at_layers(thin *worst, const json_t *layers, json_int_t context)
{
    for (size_t i = 0; i < json_array_size(layers); i++) {
        const json_t *layer = json_array_get(layers, i);
        look_at_network(worst, layer, context);
        look_at_layers(worst, json_object_get(layer, "layers"), context);
    }
}

int thin_tell(const flow *f, const char *section, flow_err *err)
{
    json_t *described = flow_describe(f);
    thin worst = {0, 0};
    if (!described)
        return flow_fail(err, FLOW_ENOMEM, "out of memory for a description of %s", section);
    look_at_layers(&worst, json_object_get(described, "layers"), (json_int_t)flow_context(f));
    json_decref(described);
    if (worst.units > 0)
        fprintf(stderr,
                "warning   %s: a hidden layer of %lld units is too thin for the masks of its "
                "columns: some are seen as one\n          -> hidden: %lld units a layer at least, "
                "more than twice as many to be useful\n",
                section, (long long)worst.units, (long long)worst.wanted);
    return FLOW_OK;
}
