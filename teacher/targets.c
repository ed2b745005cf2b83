/* teacher/targets.c -- the registry of targets that are made from a description. */
#include "teacher/target.h"
#include "teacher/target_gaussian.h"

#include "flow/suggest.h"

#include <string.h>

const target_kind *const target_kinds[] = {&target_gaussian, NULL};

static target *fail_unknown(const char *name, flow_err *err)
{
    const char *names[sizeof target_kinds / sizeof *target_kinds];
    size_t n = 0;
    for (; target_kinds[n]; n++)
        names[n] = target_kinds[n]->name;
    const char *near = flow_suggest(name, names, n);
    flow_fail(err, FLOW_ECONFIG, "there is no target '%.80s'%s%s%s", name,
              near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
    return NULL;
}

target *target_create(const json_t *description, flow_err *err)
{
    const char *name = json_string_value(json_object_get(description, "kind"));
    if (!name) {
        flow_fail(err, FLOW_ECONFIG, "a target needs a 'kind', a word");
        return NULL;
    }
    for (const target_kind *const *k = target_kinds; *k; k++)
        if (strcmp((*k)->name, name) == 0)
            return (*k)->create(description, err);
    return fail_unknown(name, err);
}
