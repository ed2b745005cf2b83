#include "pipeline/config/complete.h"

#include "pipeline/config/field.h"
#include "pipeline/config/value.h"
#include "teacher/target.h"

#include <stdlib.h>
#include <string.h>

bool complete_is(const char *file)
{
    size_t n = strlen(file);
    return n > 5 && strcmp(file + n - 5, ".json") == 0;
}

flow_key complete_row(const config *c, const flow_key *row)
{
    flow_key out = *row;
    if (c->target && !target_follows(c->target) && row == schema_find("student.flow"))
        out.def = row->bare;
    return out;
}

/* The default of a section of kinds is that of one that says nothing. */
static json_t *default_json(const config *c, const config *plain, const flow_key *key,
                            complaints *out)
{
    const flow_key row = complete_row(c, key);
    tagged nothing = {.n = 0};
    if (key->type != FLOW_KEY_KIND)
        return field_json(plain, key);
    return row.def ? tagged_read(&nothing, &row, row.name, out) : json_null();
}

static bool is_default(const config *c, const config *plain, const flow_key *key, complaints *out)
{
    json_t *is = field_json(c, key), *def = default_json(c, plain, key, out);
    bool same = is && def && json_equal(is, def);
    json_decref(is);
    json_decref(def);
    return same;
}

static bool matters(const flow_key *key)
{
    return key == schema_find("seed") || key == schema_find("student.flow");
}

void complete_unsay(const config *c, given *keys, tagged *sections, complaints *out)
{
    config *plain = calloc(1, sizeof *plain);
    bool good = plain && value_defaults(plain);
    for (size_t i = 0; i < schema_n_keys && good; i++) {
        const flow_key *key = &schema_keys[i];
        if (keys[i].state != GIVEN_GOOD || matters(key) || !is_default(c, plain, key, out))
            continue;
        keys[i].state = GIVEN_NOT;
        tagged_release(&sections[i]);
    }
    config_free(plain);
}
