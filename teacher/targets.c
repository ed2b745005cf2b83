/* teacher/targets.c -- the registry of targets that are made from a description. */
#include "teacher/target_columns.h"
#include "teacher/target_seams.h"

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

/* Whether log_z is what its user gives, who may mean it of what the columns leave. Where it is a number of the energy
 * itself there is no "auto". */
static bool gives_log_z(const target_kind *kind, const json_t *object)
{
    const flow_key *key = flow_key_find(kind->kind.keys, "log_z");
    return key && key->flags & FLOW_KEY_AUTO && json_is_number(json_object_get(object, "log_z"));
}

static target *create(const target_kind *kind, const json_t *object, flow_err *err)
{
    const json_t *columns = json_object_get(object, "columns");
    target *self = kind->create(object, err);
    if (self && columns)
        self = target_with_columns(self, columns, gives_log_z(kind, object), err);
    if (!self || target_check_seams(self, err) == 0)
        return self;
    target_free(self);
    return NULL;
}

target *target_create(const json_t *description, flow_err *err)
{
    flow_err own = FLOW_ERR_INIT;
    json_t *object = flow_kind_complete(&target_registry, description, err);
    if (!object)
        return NULL;
    target *self = create(kind_of(object), object, &own);
    if (!self)
        flow_fail(err, (flow_code)own.code, "%s", own.text);
    json_decref(object);
    return self;
}
