#include "tests/common/target_of.h"

#include <criterion/criterion.h>

target *target_of(const char *text)
{
    flow_err err = FLOW_ERR_INIT;
    json_t *d = json_loads(text, 0, NULL);
    target *t = d ? target_create(d, &err) : NULL;
    cr_assert(t, "%s: %s", text, err.text);
    json_decref(d);
    return t;
}
