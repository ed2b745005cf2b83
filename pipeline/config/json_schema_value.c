#include "pipeline/config/json_schema_value.h"

#include "flow/json.h"
#include "pipeline/config/gates.h"
#include "pipeline/config/value.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* Numbers as number.h reads them. */
#define NUMBER "[-+]?((0|[1-9][0-9]*)([.][0-9]*)?|[.][0-9]+)([eE][-+]?[0-9]+)?"

/* ---- numbers */

static json_t *bound(bool whole, double value)
{
    return whole ? json_integer((json_int_t)value) : json_real(value);
}

static json_t *number(const flow_key *key, bool whole)
{
    json_t *out = json_pack("{s:s}", "type", whole ? "integer" : "number");
    if (isfinite(key->min))
        flow_json_set(&out, key->flags & FLOW_KEY_OPEN_MIN ? "exclusiveMinimum" : "minimum",
                      bound(whole, key->min));
    if (isfinite(key->max))
        flow_json_set(&out, key->flags & FLOW_KEY_OPEN_MAX ? "exclusiveMaximum" : "maximum",
                      bound(whole, key->max));
    else if (whole)
        flow_json_set(&out, "maximum", json_integer(INT64_MAX));
    return out;
}

static json_t *list(json_t *items, const flow_key *key)
{
    json_t *out = json_pack("{s:s}", "type", "array");
    flow_json_set(&out, "items", items);
    if (key->n_min)
        flow_json_set(&out, "minItems", json_integer((json_int_t)key->n_min));
    if (key->n_max)
        flow_json_set(&out, "maxItems", json_integer((json_int_t)key->n_max));
    return out;
}

/* {"anyOf": [a, b]} */
static json_t *either(json_t *a, json_t *b)
{
    json_t *both = json_array(), *out = json_object();
    flow_json_append(&both, a);
    flow_json_append(&both, b);
    flow_json_set(&out, "anyOf", both);
    return out;
}

/* ---- texts and words */

/* A text without quotes may look like a number. */
static json_t *scalar(void)
{
    return json_pack("{s:[s, s, s]}", "type", "string", "number", "boolean");
}

/* A length counts bytes: no more than so many code points. */
static json_t *text(const flow_key *key)
{
    json_t *out = scalar();
    flow_json_set(&out, "minLength", json_integer((json_int_t)key->min));
    flow_json_set(&out, "maxLength", json_integer((json_int_t)key->max));
    if (key->flags & FLOW_KEY_NAME)
        flow_json_set(&out, "pattern", json_string("^[A-Za-z0-9_][A-Za-z0-9._-]*$"));
    if (key->flags & FLOW_KEY_NAME)
        flow_json_set(&out, "minimum", json_integer(0)); /* no '-' in front */
    return out;
}

static json_t *words(const flow_key *key)
{
    json_t *names = json_array(), *docs = json_array(), *out = json_object();
    for (size_t i = 0; flow_key_choice(key, i).name; i++) {
        flow_json_append(&names, json_string(flow_key_choice(key, i).name));
        flow_json_append(&docs, json_string(flow_key_choice(key, i).doc));
    }
    flow_json_set(&out, "enum", names);
    flow_json_set(&out, "enumDescriptions", docs); /* editors show them */
    return out;
}

/* ---- columns */

static json_t *support(void)
{
    json_t *words = json_pack("{s:[s, s]}", "enum", "positive", "real");
    json_t *ends =
        json_pack("{s:s, s:i, s:i, s:[{s:[{s:s}, {s:s}]}, {s:[{s:s}, {s:[s, s]}]}]}", "type",
                  "array", "minItems", 2, "maxItems", 2, "items", "anyOf", "type", "number",
                  "const", "-inf", "anyOf", "type", "number", "enum", "inf", "+inf");
    return either(words, ends);
}

static json_t *item_value(const flow_key *item)
{
    json_t *out =
        item->type == FLOW_KEY_OWN ? support() : json_schema_value(item, SCHEMA_OF_CONFIG);
    json_schema_describe(&out, item);
    return out;
}

/* One column: its keys, a support by itself, or nothing. */
static json_t *column(const flow_key *items)
{
    json_t *keys = json_object(),
           *out = json_pack("{s:s, s:b}", "type", "object", "additionalProperties", 0);
    for (; items->name; items++)
        flow_json_set(&keys, items->name, item_value(items));
    flow_json_set(&out, "properties", keys);
    return either(either(out, json_pack("{s:s}", "type", "null")), support());
}

static json_t *columns(const flow_key *key)
{
    json_t *out = json_pack("{s:s, s:I, s:I}", "type", "object", "minProperties",
                            (json_int_t)key->n_min, "maxProperties", (json_int_t)key->n_max);
    flow_json_set(&out, "additionalProperties", column(key->items));
    return out;
}

static json_t *names(const flow_key *key, json_schema_home home)
{
    if (key->items && home == SCHEMA_OF_KIND)
        return columns(key);
    if (!key->items)
        return list(scalar(), key);
    flow_key one = *key;
    one.n_min = one.n_max = 1; /* a list has a column in each item */
    return either(list(either(scalar(), columns(&one)), key), columns(key));
}

/* ---- what whoever has the key reads itself */

static json_t *figure(const gate_info *info)
{
    char pattern[160];
    snprintf(pattern, sizeof pattern, "^ *%s *" NUMBER "$", info->small_is_good ? "<=?" : ">=?");
    return json_pack("{s:s, s:s, s:s}", "type", "string", "pattern", pattern, "description",
                     info->doc);
}

static json_t *figures(void)
{
    json_t *keys = json_object(),
           *out = json_pack("{s:s, s:b}", "type", "object", "additionalProperties", 0);
    for (size_t i = 0; i < GATE_COUNT; i++)
        flow_json_set(&keys, gate_figures[i].name, figure(&gate_figures[i]));
    flow_json_set(&out, "properties", keys);
    return out;
}

/* A number, or lists of them, so deep. */
static json_t *numbers(int depth)
{
    json_t *one = json_pack("{s:s}", "type", "number");
    if (!depth)
        return one;
    json_t *more = json_pack("{s:s}", "type", "array");
    flow_json_set(&more, "items", numbers(depth - 1));
    return either(one, more);
}

/* ---- the whole */

static json_t *of_type(const flow_key *key, json_schema_home home)
{
    switch (key->type) {
    case FLOW_KEY_BOOL:
        return json_pack("{s:s}", "type", "boolean");
    case FLOW_KEY_WHOLE:
    case FLOW_KEY_REAL:
        return number(key, key->type == FLOW_KEY_WHOLE);
    case FLOW_KEY_TEXT:
        return text(key);
    case FLOW_KEY_WORD:
        return words(key);
    case FLOW_KEY_WHOLES:
    case FLOW_KEY_ORDER:
        return list(number(key, true), key);
    case FLOW_KEY_REALS:
        return either(list(number(key, false), key), number(key, false));
    case FLOW_KEY_NAMES:
        return names(key, home);
    case FLOW_KEY_OWN:
        return home == SCHEMA_OF_CONFIG ? figures()
               : key->items             ? columns(key)
                                        : numbers(VALUE_OWN_DEPTH);
    case FLOW_KEY_KIND:
    case FLOW_KEY_KINDS:
        break;
    }
    return NULL;
}

json_t *json_schema_value(const flow_key *key, json_schema_home home)
{
    json_t *out = of_type(key, home);
    return key->flags & FLOW_KEY_AUTO ? either(out, json_pack("{s:s}", "const", "auto")) : out;
}

void json_schema_describe(json_t **schema, const flow_key *key)
{
    char words[2048];
    snprintf(words, sizeof words, "%s%s%s%s%s%s", key->doc, key->unit ? " Unit: " : "",
             key->unit ? key->unit : "", key->unit ? "." : "", key->only ? " Only if " : "",
             key->only ? key->only : "");
    flow_json_set(schema, "description", json_string(words));
    if (key->def)
        flow_json_set(schema, "default",
                      key->type == FLOW_KEY_OWN ? json_string(key->def) : flow_key_default(key));
}
