#include "flow/layer/transformer.h"

#include <string.h>

const transformer *const transformer_kinds[] = {&transformer_affine, &transformer_spline, NULL};

const transformer *transformer_find(const char *name)
{
    for (const transformer *const *kind = transformer_kinds; *kind; kind++)
        if (strcmp((*kind)->name, name) == 0)
            return *kind;
    return NULL;
}
