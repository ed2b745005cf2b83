#include "flow/kind.h"

#include "flow/suggest.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 64, MAX_DEPTH = 16 }; /* kinds of one sort; objects within objects */

const flow_kind *flow_kind_find(const flow_registry *registry, const char *name)
{
    const flow_kind *kind;
    for (size_t i = 0; (kind = registry->at(i)); i++)
        if (strcmp(kind->name, name) == 0)
            return kind;
    return NULL;
}

static int unknown_kind(const flow_registry *registry, const char *name, flow_err *err)
{
    const char *names[MOST];
    size_t n = 0;
    for (const flow_kind *kind; n < MOST && (kind = registry->at(n)); n++)
        names[n] = kind->name;
    const char *near = flow_suggest(name, names, n);
    return flow_fail(err, FLOW_ECONFIG, "no %s '%.60s'%s%s%s", registry->what, name,
                     near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
}

bool flow_kind_implied(const flow_kind *kind, const char *key, bool list)
{
    return kind->implied_by && strcmp(kind->implied_by, key) == 0 &&
           (flow_key_find(kind->keys, key)->type == FLOW_KEY_KINDS) == list;
}

/* The kind that a key of the object tells, or NULL. */
static const flow_kind *implied(const flow_registry *registry, const json_t *object)
{
    const flow_kind *kind;
    const char *name;
    json_t *value;
    for (size_t i = 0; (kind = registry->at(i)); i++)
        json_object_foreach(
            (json_t *)(uintptr_t)object, name,
            value) if (flow_kind_implied(kind, name, json_is_array(value))) return kind;
    return NULL;
}

const flow_kind *flow_kind_of(const flow_registry *registry, const json_t *object, flow_err *err)
{
    const json_t *tag = json_object_get(object, "kind");
    const char *name = json_string_value(json_is_string(object) ? object : tag);
    const flow_kind *kind = name ? flow_kind_find(registry, name) : implied(registry, object);
    if (!kind && name)
        unknown_kind(registry, name, err);
    else if (!kind)
        flow_fail(err, FLOW_ECONFIG, "a %s wants {\"kind\": NAME, ...}", registry->what);
    return kind;
}

/* ---- objects and options */

/* Whether every key of the object belongs to the list. */
static int no_others(const flow_key *keys, const json_t *object, flow_err *err)
{
    const char *name;
    json_t *value;
    json_object_foreach(
        (json_t *)(uintptr_t)object, name,
        value) if (strcmp(name, "kind") != 0 &&
                   !flow_key_find(keys, name)) return flow_fail(err, FLOW_ECONFIG,
                                                                "there is no key '%.60s'", name);
    return 0;
}

int flow_keys_read(void *options, const flow_key *keys, const json_t *object, flow_err *err)
{
    if (no_others(keys, object, err))
        return FLOW_ECONFIG;
    for (const flow_key *key = keys; key && key->name; key++) {
        const json_t *value = json_object_get(object, key->name);
        flow_key_clear(options, key);
        if (key->type == FLOW_KEY_OWN || (!value && !key->def && !(key->flags & FLOW_KEY_REQUIRED)))
            continue;
        if (!value)
            return flow_fail(err, FLOW_ECONFIG, "key '%s' is missing", key->name);
        if (flow_key_read(options, key, value, err))
            return FLOW_ECONFIG;
    }
    return 0;
}

static int no_conflict(const flow_kind *kind, const void *options, flow_err *err)
{
    char why[200];
    const char *key = kind->conflict ? kind->conflict(why, sizeof why, options) : NULL;
    return key ? flow_fail(err, FLOW_ECONFIG, "%s %s", key, why) : 0;
}

void *flow_kind_read(const flow_kind *kind, const json_t *object, flow_err *err)
{
    void *options = calloc(1, kind->size + 1);
    if (!options) {
        flow_fail(err, FLOW_ENOMEM, "out of memory for a %s", kind->name);
        return NULL;
    }
    if (flow_keys_read(options, kind->keys, object, err) || no_conflict(kind, options, err)) {
        flow_fail_prefix(err, kind->name);
        free(options);
        return NULL;
    }
    if (kind->derive)
        kind->derive(options);
    return options;
}

int flow_keys_write(json_t *object, const flow_key *keys, const void *options)
{
    for (const flow_key *key = keys; key && key->name; key++) {
        if (key->type >= FLOW_KEY_KIND || (!key->def && !flow_key_is_set(options, key)))
            continue;
        if (json_object_set_new(object, key->name, flow_key_json(options, key)))
            return -1;
    }
    return 0;
}

json_t *flow_kind_write(const flow_kind *kind, const void *options)
{
    json_t *out = json_object();
    if (out && json_object_set_new(out, "kind", json_string(kind->name)) == 0 &&
        flow_keys_write(out, kind->keys, options) == 0)
        return out;
    json_decref(out);
    return NULL;
}

/* ---- defaults */

static json_t *complete(const flow_registry *registry, const json_t *object, const char *def,
                        int depth, flow_err *err);

static json_t *complete_list(const flow_registry *registry, const json_t *list, int depth,
                             flow_err *err)
{
    json_t *out = json_array();
    for (size_t i = 0; out && i < json_array_size(list); i++) {
        json_t *item = complete(registry, json_array_get(list, i), NULL, depth, err);
        if (!item || json_array_append_new(out, item)) {
            json_decref(out);
            return NULL;
        }
    }
    return out;
}

/* The value of a key, completed: the one given, else the default. */
static json_t *complete_value(const flow_key *key, const json_t *given, int depth, flow_err *err)
{
    json_t *value = given ? json_incref((json_t *)(uintptr_t)given) : flow_key_default(key), *out;
    if (!value || (key->type != FLOW_KEY_KIND && key->type != FLOW_KEY_KINDS))
        return value;
    if (key->type == FLOW_KEY_KINDS)
        out = complete_list(key->kinds, value, depth, err);
    else
        out = complete(key->kinds, value, key->def, depth, err);
    json_decref(value);
    return out;
}

static int complete_keys(json_t *out, const flow_kind *kind, const json_t *object, int depth,
                         flow_err *err)
{
    if (no_others(kind->keys, object, err))
        return FLOW_ECONFIG;
    for (const flow_key *key = kind->keys; key && key->name; key++) {
        const json_t *given = json_object_get(object, key->name);
        if (!key->def && (!given || json_is_null(given)))
            continue;
        json_t *value = complete_value(key, given, depth + 1, err);
        if (!value || json_object_set_new(out, key->name, value))
            return err && err->code ? err->code : FLOW_ENOMEM;
    }
    return 0;
}

/* Whether the object itself tells its kind. */
static bool tells_kind(const flow_registry *registry, const json_t *object)
{
    return !json_is_object(object) || json_object_get(object, "kind") || implied(registry, object);
}

/* def: the kind of an object that does not tell; NULL: it must. */
static json_t *complete(const flow_registry *registry, const json_t *object, const char *def,
                        int depth, flow_err *err)
{
    if (depth > MAX_DEPTH) {
        flow_fail(err, FLOW_ECONFIG, "more than %d objects within one another", MAX_DEPTH);
        return NULL;
    }
    const flow_kind *kind = def && !tells_kind(registry, object)
                                ? flow_kind_find(registry, def)
                                : flow_kind_of(registry, object, err);
    json_t *out = kind ? json_pack("{s:s}", "kind", kind->name) : NULL;
    if (kind && (!out || complete_keys(out, kind, object, depth, err))) {
        if (out && err && err->code == FLOW_ECONFIG)
            flow_fail_prefix(err, kind->name);
        json_decref(out);
        return NULL;
    }
    return out;
}

json_t *flow_kind_complete(const flow_registry *registry, const json_t *object, flow_err *err)
{
    flow_err local = FLOW_ERR_INIT;
    json_t *out = complete(registry, object, NULL, 0, &local);
    if (!out && !local.code)
        flow_fail(&local, FLOW_ENOMEM, "out of memory for a %s", registry->what);
    if (!out)
        flow_fail(err, (flow_code)local.code, "%s", local.text);
    return out;
}
