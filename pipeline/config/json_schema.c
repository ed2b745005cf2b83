#include "pipeline/config/json_schema.h"

#include "flow/json.h"
#include "flow/kind.h"
#include "pipeline/config/json_schema_value.h"
#include "pipeline/config/schema.h"
#include "pipeline/config/sweep.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NAME = 96 };

/* ---- kinds: each a definition, "transformer.spline" */

static json_t *choice(json_t **definitions, const flow_key *key);

static json_t *value_of(json_t **definitions, const flow_key *key, json_schema_home home)
{
    json_t *out = key->type == FLOW_KEY_KIND ? choice(definitions, key)
                  : key->type == FLOW_KEY_KINDS
                      ? json_pack("{s:s, s:I, s:I}", "type", "array", "minItems",
                                  (json_int_t)key->n_min, "maxItems", (json_int_t)key->n_max)
                      : json_schema_value(key, home);
    if (key->type == FLOW_KEY_KINDS)
        flow_json_set(&out, "items",
                      choice(definitions, &(const flow_key){.kinds = key->kinds, .doc = key->doc}));
    json_schema_describe(&out, key);
    return out;
}

static json_t *strings(const char *first)
{
    return json_pack("[s]", first);
}

static bool owns(const flow_kind *kind, const char *name)
{
    return flow_key_find(kind->keys, name) != NULL;
}

/* Adds the keys of one choice that may stand beside it; two choices may have a key of one name. */
static void add_beside(json_t **definitions, json_t **keys, const flow_kind *self,
                       const flow_kind *of)
{
    for (const flow_key *key = of->keys; key && key->name; key++) {
        json_t *there = json_object_get(*keys, key->name), *any;
        if (owns(self, key->name))
            continue;
        any = there ? json_incref(there) : json_pack("{s:[]}", "anyOf");
        flow_json_set(keys, key->name, any);
        json_t *one = value_of(definitions, key, SCHEMA_OF_KIND);
        if (!one || json_array_append_new(json_object_get(any, "anyOf"), one))
            flow_json_set(keys, key->name, NULL);
    }
}

static json_t *all_beside(json_t **definitions, const flow_kind *self, const flow_key *flat)
{
    json_t *out = json_object();
    const flow_kind *of;
    for (size_t i = 0; (of = flat->kinds->at(i)); i++)
        add_beside(definitions, &out, self, of);
    return out;
}

/* Whether key chooses that kind: as a word, as an object, or, for the default, not at all. */
static json_t *chosen(const flow_key *key, const flow_kind *of)
{
    bool usual = key->def && strcmp(key->def, of->name) == 0;
    json_t *object =
        json_pack("{s:s, s:{s:{s:s}}}", "type", "object", "properties", "kind", "const", of->name);
    json_t *any = json_array(), *given = json_object(), *out = json_object();
    if (!usual)
        flow_json_set(&object, "required", strings("kind"));
    flow_json_append(&any, json_pack("{s:s}", "const", of->name));
    flow_json_append(&any, object);
    flow_json_set(&given, key->name, json_pack("{s:o}", "anyOf", any));
    flow_json_set(&out, "properties", given);
    if (!usual)
        flow_json_set(&out, "required", strings(key->name));
    return out;
}

/* If key chooses `of`, the keys of others may not stand beside it. */
static json_t *condition(const flow_key *key, const flow_kind *of, json_t *beside)
{
    const char *name;
    json_t *value, *none = json_object();
    json_object_foreach(beside, name, value) if (!owns(of, name))
        flow_json_set(&none, name, json_false());
    return json_pack("{s:o, s:{s:o}}", "if", chosen(key, of), "then", "properties", none);
}

static void add_flat(json_t **definitions, json_t **keys, json_t **conditions,
                     const flow_kind *self, const flow_key *flat)
{
    json_t *beside = all_beside(definitions, self, flat), *value;
    const flow_kind *of;
    const char *name;
    for (size_t i = 0; beside && (of = flat->kinds->at(i)); i++)
        flow_json_append(conditions, condition(flat, of, beside));
    json_object_foreach(beside, name, value) flow_json_set(keys, name, json_incref(value));
    if (!beside)
        flow_json_set(keys, flat->name, NULL);
    json_decref(beside);
}

static json_t *kind_object(json_t **definitions, const flow_kind *self)
{
    json_t *keys = json_pack("{s:{s:s}}", "kind", "const", self->name), *required = json_array();
    json_t *conditions = json_array(),
           *out = json_pack("{s:s, s:s, s:b}", "type", "object", "description", self->doc,
                            "additionalProperties", 0);
    for (const flow_key *key = self->keys; key && key->name; key++) {
        flow_json_set(&keys, key->name, value_of(definitions, key, SCHEMA_OF_KIND));
        if (key->flags & FLOW_KEY_FLAT)
            add_flat(definitions, &keys, &conditions, self, key);
        if (key->flags & FLOW_KEY_REQUIRED)
            flow_json_append(&required, json_string(key->name));
    }
    flow_json_set(&out, "properties", keys);
    flow_json_set(&out, "required", required);
    flow_json_set(&out, "allOf", conditions);
    if (out && !json_array_size(json_object_get(out, "allOf")))
        json_object_del(out, "allOf"); /* which may not be empty */
    return out;
}

/* {"$ref": "#/definitions/..."}; the definition is made when it is first asked for. A kind may hold others of its
 * registry, so its place is taken before. */
static json_t *reference(json_t **definitions, const flow_registry *registry, const flow_kind *kind)
{
    char name[NAME], where[NAME + 32];
    snprintf(name, sizeof name, "%s.%s", registry->what, kind->name);
    for (char *at = name; *at; at++)
        *at = *at == ' ' ? '_' : *at;
    snprintf(where, sizeof where, "#/definitions/%s", name);
    if (*definitions && !json_object_get(*definitions, name)) {
        flow_json_set(definitions, name, json_null());
        json_t *object = kind_object(definitions, kind);
        flow_json_set(definitions, name, object);
    }
    return json_pack("{s:s}", "$ref", where);
}

/* ---- a choice of them */

/* {"if": {"required": [...], ...}, "then": ...} */
static json_t *if_then(json_t *condition, json_t *then)
{
    json_t *out = json_object();
    flow_json_set(&out, "if", condition);
    flow_json_set(&out, "then", then);
    return out;
}

static json_t *named(const char *kind)
{
    return json_pack("{s:[s], s:{s:{s:s}}}", "required", "kind", "properties", "kind", "const",
                     kind);
}

/* No kind is named: one that a key tells, else the default, else one must be. */
static json_t *nameless(json_t **definitions, const flow_key *key)
{
    const char *def = key->bare ? key->bare : key->def;
    const flow_kind *kind = def ? flow_kind_find(key->kinds, def) : NULL;
    json_t *out =
        kind ? reference(definitions, key->kinds, kind) : json_pack("{s:[s]}", "required", "kind");
    for (size_t i = 0; (kind = key->kinds->at(i)); i++) {
        if (!kind->implied_by)
            continue;
        bool list = flow_kind_implied(kind, kind->implied_by, true);
        json_t *told = json_object(), *type = json_pack("{s:s}", "type", "array");
        flow_json_set(&told, "required", strings(kind->implied_by));
        json_t *is = list ? type : json_pack("{s:o}", "not", type), *where = json_object();
        flow_json_set(&where, kind->implied_by, is);
        flow_json_set(&told, "properties", where);
        json_t *outer = if_then(told, reference(definitions, key->kinds, kind));
        flow_json_set(&outer, "else", out);
        out = outer;
    }
    return out;
}

static bool needs_more(const flow_kind *kind)
{
    for (const flow_key *key = kind->keys; key && key->name; key++)
        if (key->flags & FLOW_KEY_REQUIRED)
            return true;
    return false;
}

static json_t *choice(json_t **definitions, const flow_key *key)
{
    const flow_kind *kind;
    json_t *cases = json_array(), *whole = json_array(), *all = json_array();
    for (size_t i = 0; (kind = key->kinds->at(i)); i++) {
        flow_json_append(&cases,
                         if_then(named(kind->name), reference(definitions, key->kinds, kind)));
        flow_json_append(&all, json_string(kind->name));
        if (!needs_more(kind))
            flow_json_append(&whole, json_string(kind->name));
    }
    flow_json_append(&cases, if_then(json_pack("{s:{s:[s]}}", "not", "required", "kind"),
                                     nameless(definitions, key)));
    return json_pack("{s:[s, s], s:{s:s}, s:{s:o}, s:{s:{s:{s:o}}, s:o}}", "type", "string",
                     "object", "if", "type", "string", "then", "enum", whole, "else", "properties",
                     "kind", "enum", all, "allOf", cases);
}

/* ---- sections */

static const char *doc_of(const char *section)
{
    const schema_section *at = schema_sections;
    while (at->path && strcmp(at->path, section) != 0)
        at++;
    return at->path ? at->doc : "";
}

static json_t *section(json_t **definitions, const char *path)
{
    const char *names[SCHEMA_MAX_CHILDREN];
    char room[SCHEMA_MAX_ROOM], below[SCHEMA_MAX_PATH];
    size_t n = schema_children(names, room, sizeof room, path);
    json_t *keys = json_object(),
           *out = json_pack("{s:s, s:s, s:b}", "type", "object", "description", doc_of(path),
                            "additionalProperties", 0);
    for (size_t i = 0; i < n; i++) {
        snprintf(below, sizeof below, "%s%s%s", path, *path ? "." : "", names[i]);
        const flow_key *key = schema_find(below);
        flow_json_set(&keys, names[i],
                      key ? value_of(definitions, key, SCHEMA_OF_CONFIG)
                          : section(definitions, below));
    }
    flow_json_set(&out, "properties", keys);
    return out;
}

/* The section that is no key's: config/sweep.h. */
static json_t *sweep_section(void)
{
    json_t *figures = json_array();
    for (size_t i = 0; i < GATE_COUNT; i++)
        flow_json_append(&figures, json_string(gate_figures[i].name));
    json_t *metric = json_pack("{s:o, s:s, s:s}", "enum", figures, "default", sweep_keys[2].def,
                               "description", sweep_keys[2].doc);
    json_t *mode =
        json_pack("{s:[s, s], s:s}", "enum", "min", "max", "description", sweep_keys[3].doc);
    json_t *grid = json_pack("{s:s, s:s, s:i, s:{s:s, s:i}}", "type", "object", "description",
                             sweep_keys[0].doc, "maxProperties", SWEEP_MAX_KEYS / 2,
                             "additionalProperties", "type", "array", "minItems", 1);
    json_t *list = json_pack("{s:s, s:s, s:i, s:{s:s, s:i}}", "type", "array", "description",
                             sweep_keys[1].doc, "minItems", 1, "items", "type", "object",
                             "maxProperties", SWEEP_MAX_KEYS / 2);
    return json_pack("{s:s, s:s, s:b, s:{s:o, s:o, s:{s:s, s:b, s:{s:o, s:o}}}}", "type", "object",
                     "description", sweep_doc, "additionalProperties", 0, "properties", "grid",
                     grid, "list", list, "select", "type", "object", "additionalProperties", 0,
                     "properties", "metric", metric, "mode", mode);
}

json_t *json_schema(void)
{
    json_t *definitions = json_object(), *out = section(&definitions, "");
    if (json_object_set_new(json_object_get(out, "properties"), "sweep", sweep_section())) {
        json_decref(out);
        out = NULL;
    }
    json_t *head = json_pack("{s:s, s:s}", "$schema", "http://json-schema.org/draft-07/schema#",
                             "title", "A config of distill");
    if (out && head && json_object_update(head, out) == 0) {
        flow_json_set(&head, "definitions", definitions);
    } else {
        json_decref(definitions);
        json_decref(head);
        head = NULL;
    }
    json_decref(out);
    return head;
}

char *json_schema_text(void)
{
    json_t *schema = json_schema();
    char *text = flow_json_line(schema, JSON_INDENT(1));
    json_decref(schema);
    return text;
}
