/* teacher/column_kind_json.c -- what is said of a column, as JSON. */
#include "flow/json.h"
#include "flow/kind.h"
#include "teacher/column_kind.h"

#include <math.h>
#include <string.h>

bool data_kind_support(data_kind *out, const char *word)
{
    bool positive = strcmp(word, "positive") == 0;
    out->lo = positive ? 0 : -(double)INFINITY;
    out->hi = (double)INFINITY;
    return positive || strcmp(word, "real") == 0;
}

/* ---- writing */

static json_t *end_to_json(double end)
{
    return isfinite(end) ? json_real(end) : json_string(end > 0 ? "inf" : "-inf");
}

json_t *data_kind_to_json(const data_kind *self)
{
    json_t *out = json_object(), *support = json_array();
    flow_json_append(&support, end_to_json(self->lo));
    flow_json_append(&support, end_to_json(self->hi));
    for (const flow_key *key = data_kind_keys; key->name; key++)
        flow_json_set(&out, key->name,
                      key->type == FLOW_KEY_OWN ? json_incref(support) : flow_key_json(self, key));
    json_decref(support);
    return out;
}

/* ---- reading */

/* A number, or "inf" with a sign: "-inf" at the low end, "inf" at the high one. */
static bool end_from_json(double *out, const json_t *json, bool high)
{
    const char *word = json_string_value(json);
    *out = word ? (high ? (double)INFINITY : -(double)INFINITY) : json_number_value(json);
    return json_is_number(json) || (word && strcmp(word, high ? "inf" : "-inf") == 0);
}

static int support_from_json(data_kind *out, const json_t *json, flow_err *err)
{
    const flow_key *key = flow_key_find(data_kind_keys, "support");
    bool good = json_is_string(json)
                    ? data_kind_support(out, json_string_value(json))
                    : json_array_size(json) == 2 &&
                          end_from_json(&out->lo, json_array_get(json, 0), false) &&
                          end_from_json(&out->hi, json_array_get(json, 1), true);
    return good ? 0 : flow_fail(err, FLOW_ECONFIG, "support wants %s", key->wants);
}

static int key_from_json(data_kind *out, const char *name, const json_t *value, flow_err *err)
{
    const flow_key *key = flow_key_find(data_kind_keys, name);
    if (!key)
        return flow_fail(err, FLOW_ECONFIG, "there is no key '%.60s'", name);
    return key->type == FLOW_KEY_OWN ? support_from_json(out, value, err)
                                     : flow_key_read(out, key, value, err);
}

int data_kind_from_json(data_kind *out, const json_t *json, flow_err *err)
{
    char why[DATA_KIND_WHY];
    *out = data_kind_plain;
    int code = json_is_object(json) ? 0 : support_from_json(out, json, err);
    for (void *at = json_object_iter((json_t *)(uintptr_t)json); at && !code;
         at = json_object_iter_next((json_t *)(uintptr_t)json, at))
        code = key_from_json(out, json_object_iter_key(at), json_object_iter_value(at), err);
    if (!code && data_kind_fault(why, out))
        code = flow_fail(err, FLOW_ECONFIG, "%s", why);
    return code;
}
