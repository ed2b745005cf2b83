#include "flow/layer/kinds.h"
#include "flow/layer/activation.h"
#include "flow/layer/conditioner.h"
#include "flow/layer/layer.h"
#include "flow/layer/transformer.h"

#include <string.h>

#define DECLARE(NAME) extern const flow_layer_ops FLOW_NAME(layer_##NAME);
LAYER_KINDS(DECLARE)
#undef DECLARE
#define DECLARE(NAME) extern const transformer FLOW_NAME(transformer_##NAME);
TRANSFORMER_KINDS(DECLARE)
#undef DECLARE
#define DECLARE(NAME) extern const conditioner_ops FLOW_NAME(conditioner_##NAME);
CONDITIONER_KINDS(DECLARE)

#define ENTRY(NAME) &FLOW_NAME(layer_##NAME),
const flow_layer_ops *const flow_layer_kinds[] = {LAYER_KINDS(ENTRY) NULL};
#undef ENTRY
#define ENTRY(NAME) &FLOW_NAME(transformer_##NAME),
const transformer *const transformer_kinds[] = {TRANSFORMER_KINDS(ENTRY) NULL};
#undef ENTRY
#define ENTRY(NAME) &FLOW_NAME(conditioner_##NAME),
const conditioner_ops *const conditioner_kinds[] = {CONDITIONER_KINDS(ENTRY) NULL};

static const flow_kind *activation_at(size_t index)
{
    return activation_kinds[index].apply ? &activation_kinds[index].kind : NULL;
}

static const flow_kind *transformer_at(size_t index)
{
    return transformer_kinds[index] ? &transformer_kinds[index]->kind : NULL;
}

static const flow_kind *conditioner_at(size_t index)
{
    return conditioner_kinds[index] ? &conditioner_kinds[index]->kind : NULL;
}

static const flow_kind *layer_at(size_t index)
{
    return flow_layer_kinds[index] ? &flow_layer_kinds[index]->kind : NULL;
}

const flow_kind *kind_at(flow_sort sort, size_t index)
{
    switch (sort) {
    case FLOW_LAYER_KIND:
        return layer_at(index);
    case FLOW_TRANSFORMER_KIND:
        return transformer_at(index);
    case FLOW_CONDITIONER_KIND:
        return conditioner_at(index);
    case FLOW_ACTIVATION_KIND:
        return activation_at(index);
    }
    return NULL;
}

const transformer *transformer_find(const char *name)
{
    for (const transformer *const *kind = transformer_kinds; *kind; kind++)
        if (strcmp((*kind)->kind.name, name) == 0)
            return *kind;
    return NULL;
}

const conditioner_ops *conditioner_find(const char *name)
{
    for (const conditioner_ops *const *kind = conditioner_kinds; *kind; kind++)
        if (strcmp((*kind)->kind.name, name) == 0)
            return *kind;
    return NULL;
}
