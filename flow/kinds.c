/* flow/kinds.c -- the registries of kinds that flow/layer/ has, as any one compilation of it tells them:
 * names and keys do not depend on precision or instruction set. */
#include "flow/backend.h"
#include "flow/kind.h"

static const flow_kind *kind_at(flow_sort sort, size_t index)
{
    return flow_backend_at(0)->kind(sort, index);
}

#define REGISTRY(NAME, WHAT, SORT)                                                                 \
    static const flow_kind *NAME##_at(size_t index)                                                \
    {                                                                                              \
        return kind_at(SORT, index);                                                               \
    }                                                                                              \
    const flow_registry flow_##NAME = {.what = WHAT, .at = NAME##_at};

REGISTRY(layers, "layer", FLOW_LAYER_KIND)
REGISTRY(transformers, "transformer", FLOW_TRANSFORMER_KIND)
REGISTRY(conditioners, "conditioner", FLOW_CONDITIONER_KIND)
REGISTRY(activations, "activation", FLOW_ACTIVATION_KIND)
