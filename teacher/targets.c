/* teacher/targets.c -- the registry of targets that are made from a description. */
#include "teacher/target.h"

#include <string.h>

/* Every kind, a line each: a file that ends in its table, target_NAME. */
/* clang-format off */
#define TARGETS(KIND) \
    KIND(gaussian)    \
    KIND(gaussians)   \
    KIND(grid)        \
    KIND(gmm40)       \
    KIND(rezende)     \
    KIND(many_well)   \
    KIND(funnel)      \
    KIND(banana)      \
    KIND(rosenbrock)  \
    KIND(student_t)   \
    KIND(phi4)        \
    KIND(double_well) \
    KIND(posterior)   \
    KIND(logistic)    \
    KIND(model)       \
    KIND(draws)       \
    KIND(plugin)
/* clang-format on */

#define DECLARE(NAME) extern const target_kind target_##NAME;
TARGETS(DECLARE)
#define ENTRY(NAME) &target_##NAME,
const target_kind *const target_kinds[] = {TARGETS(ENTRY) NULL};

static const flow_kind *kind_at(size_t index)
{
    return target_kinds[index] ? &target_kinds[index]->kind : NULL;
}

const flow_registry target_registry = {.what = "target", .at = kind_at};

static const target_kind *kind_of(const json_t *object)
{
    const char *name = json_string_value(json_object_get(object, "kind"));
    const target_kind *const *kind = target_kinds;
    while (strcmp((*kind)->kind.name, name) != 0)
        kind++;
    return *kind;
}

bool target_follows(const json_t *description)
{
    return kind_of(description)->follows;
}

target *target_create(const json_t *description, flow_err *err)
{
    json_t *object = flow_kind_complete(&target_registry, description, err);
    if (!object)
        return NULL;
    target *self = kind_of(object)->create(object, err);
    json_decref(object);
    return self;
}
