#include "flow/key.h"

#include "flow/kind.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

_Static_assert(sizeof(size_t) == sizeof(uint64_t), "whole numbers are uint64_t or size_t alike");
_Static_assert(sizeof(flow_key_type) == sizeof(int), "enums are stored as int");

const flow_key *flow_key_find(const flow_key *keys, const char *name)
{
    for (; keys && keys->name; keys++)
        if (strcmp(keys->name, name) == 0)
            return keys;
    return NULL;
}

flow_word flow_key_choice(const flow_key *key, size_t i)
{
    if (key->words)
        return key->words[i];
    const flow_kind *kind = key->kinds->at(i);
    return kind ? (flow_word){kind->name, (int)i, kind->doc} : (flow_word){NULL, 0, NULL};
}

/* ---- the field of a key */

static void *field(void *options, const flow_key *key)
{
    return (char *)options + key->offset;
}

static const void *peek(const void *options, const flow_key *key)
{
    return (const char *)options + key->offset;
}

void flow_key_clear(void *options, const flow_key *key)
{
    void *out = field(options, key);
    switch (key->type) {
    case FLOW_KEY_BOOL:
        *(bool *)out = false;
        break;
    case FLOW_KEY_WHOLE:
        *(uint64_t *)out = 0;
        break;
    case FLOW_KEY_REAL:
        *(double *)out = NAN;
        break;
    case FLOW_KEY_TEXT:
        *(const char **)out = NULL;
        break;
    case FLOW_KEY_WORD:
        memcpy(out, &(int){-1}, sizeof(int));
        break;
    case FLOW_KEY_WHOLES:
        *(flow_wholes *)out = (flow_wholes){.n = 0};
        break;
    case FLOW_KEY_NAMES:
        *(flow_names *)out = (flow_names){.n = 0};
        break;
    case FLOW_KEY_ORDER:
    case FLOW_KEY_REALS:
    case FLOW_KEY_KIND:
    case FLOW_KEY_KINDS:
        *(const json_t **)out = NULL;
        break;
    case FLOW_KEY_OWN:
        break;
    }
}

const char *flow_key_word(const void *options, const flow_key *key)
{
    const void *at = peek(options, key);
    if (key->type == FLOW_KEY_BOOL)
        return *(const bool *)at ? "true" : "false";
    int value;
    memcpy(&value, at, sizeof value);
    for (size_t i = 0; flow_key_choice(key, i).name; i++)
        if (flow_key_choice(key, i).value == value)
            return flow_key_choice(key, i).name;
    return NULL;
}

double flow_key_number(const void *options, const flow_key *key)
{
    const void *at = peek(options, key);
    if (key->type == FLOW_KEY_REAL)
        return *(const double *)at;
    uint64_t value = *(const uint64_t *)at;
    return !value && key->flags & FLOW_KEY_AUTO ? (double)NAN : (double)value;
}

bool flow_key_is_set(const void *options, const flow_key *key)
{
    const void *at = peek(options, key);
    switch (key->type) {
    case FLOW_KEY_WHOLE:
    case FLOW_KEY_REAL:
        return !isnan(flow_key_number(options, key));
    case FLOW_KEY_TEXT:
        return *(const char *const *)at != NULL;
    case FLOW_KEY_BOOL:
    case FLOW_KEY_WORD:
        return flow_key_word(options, key) != NULL;
    case FLOW_KEY_WHOLES:
        return ((const flow_wholes *)at)->n > 0;
    case FLOW_KEY_NAMES:
        return ((const flow_names *)at)->n > 0;
    case FLOW_KEY_ORDER:
    case FLOW_KEY_REALS:
    case FLOW_KEY_KIND:
    case FLOW_KEY_KINDS:
        return *(const json_t *const *)at != NULL;
    case FLOW_KEY_OWN:
        break;
    }
    return true;
}

/* ---- as JSON */

/* out, or NULL if something could not be put into it. */
static json_t *complete(json_t *out, int failed)
{
    if (!failed)
        return out;
    json_decref(out);
    return NULL;
}

static json_t *wholes_json(const flow_wholes *list)
{
    json_t *out = json_array();
    int failed = out == NULL;
    for (size_t i = 0; i < list->n && !failed; i++)
        failed = json_array_append_new(out, json_integer((json_int_t)list->at[i]));
    return complete(out, failed);
}

static json_t *names_json(const flow_names *list)
{
    json_t *out = json_array();
    int failed = out == NULL;
    for (size_t i = 0; i < list->n && !failed; i++)
        failed = json_array_append_new(out, json_string(list->at[i]));
    return complete(out, failed);
}

/* Paths need not be UTF-8, JSON must: what is not becomes '?'. */
static json_t *text_json(const char *text)
{
    json_t *out = json_string(text);
    char *clean = out ? NULL : strdup(text);
    for (char *at = clean; at && *at; at++)
        *at = *at & ~0x7f ? '?' : *at;
    out = clean ? json_string(clean) : out;
    free(clean);
    return out;
}

json_t *flow_key_json(const void *options, const flow_key *key)
{
    const void *at = peek(options, key);
    if (!flow_key_is_set(options, key))
        return key->flags & FLOW_KEY_AUTO ? json_string("auto") : json_null();
    switch (key->type) {
    case FLOW_KEY_BOOL:
        return json_boolean(*(const bool *)at);
    case FLOW_KEY_WHOLE:
        return json_integer((json_int_t) * (const uint64_t *)at);
    case FLOW_KEY_REAL:
        return json_real(*(const double *)at);
    case FLOW_KEY_TEXT:
        return text_json(*(const char *const *)at);
    case FLOW_KEY_WORD:
        return json_string(flow_key_word(options, key));
    case FLOW_KEY_WHOLES:
        return wholes_json(at);
    case FLOW_KEY_NAMES:
        return names_json(at);
    default:
        return json_incref((json_t *)(uintptr_t) * (const json_t *const *)at);
    }
}

/* ---- from JSON */

static int reject(const flow_key *key, const json_t *value, flow_err *err)
{
    char wants[512], *got = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
    flow_key_wants(wants, sizeof wants, key);
    flow_fail(err, FLOW_ECONFIG, "%s wants %s, got %.60s", key->name, wants, got ? got : "?");
    free(got);
    return FLOW_ECONFIG;
}

static bool whole_of(uint64_t *out, const flow_key *key, const json_t *value)
{
    json_int_t number = json_integer_value(value);
    *out = (uint64_t)number;
    return json_is_integer(value) && number >= 0 && flow_key_in_range(key, (double)number);
}

static bool wholes_of(flow_wholes *out, const flow_key *key, const json_t *value)
{
    size_t n = json_array_size(value);
    if (n < key->n_min || n > key->n_max || n > FLOW_MAX_WHOLES)
        return false;
    out->n = n;
    for (size_t i = 0; i < n; i++)
        if (!whole_of(&out->at[i], key, json_array_get(value, i)))
            return false;
    return true;
}

static bool order_of(const flow_key *key, const json_t *value)
{
    uint64_t number;
    size_t n = json_array_size(value);
    bool good = n >= key->n_min && n <= key->n_max;
    for (size_t i = 0; i < n && good; i++)
        good = whole_of(&number, key, json_array_get(value, i));
    return good;
}

static bool word_of(void *out, const flow_key *key, const json_t *value)
{
    const char *text = json_string_value(value);
    for (size_t i = 0; text && flow_key_choice(key, i).name; i++) {
        flow_word word = flow_key_choice(key, i);
        if (strcmp(word.name, text) == 0) {
            memcpy(out, &word.value, sizeof word.value);
            return true;
        }
    }
    return false;
}

static bool real_of(double *out, const flow_key *key, const json_t *value)
{
    *out = json_number_value(value);
    return json_is_number(value) && flow_key_in_range(key, *out);
}

static bool reals_of(const flow_key *key, const json_t *value)
{
    double number;
    size_t n = json_array_size(value);
    bool good = n >= key->n_min && n <= key->n_max;
    for (size_t i = 0; i < n && good; i++)
        good = real_of(&number, key, json_array_get(value, i));
    return good;
}

static bool text_of(const char **out, const flow_key *key, const json_t *value)
{
    *out = json_string_value(value);
    return *out && flow_key_in_range(key, (double)json_string_length(value));
}

static bool is_auto(const flow_key *key, const json_t *value)
{
    const char *text = json_string_value(value);
    return key->flags & FLOW_KEY_AUTO && text && strcmp(text, "auto") == 0;
}

static bool read_value(void *out, const flow_key *key, const json_t *value)
{
    switch (key->type) {
    case FLOW_KEY_BOOL:
        *(bool *)out = json_is_true(value);
        return json_is_boolean(value);
    case FLOW_KEY_WHOLE:
        return whole_of(out, key, value);
    case FLOW_KEY_REAL:
        return real_of(out, key, value);
    case FLOW_KEY_TEXT:
        return text_of(out, key, value);
    case FLOW_KEY_WORD:
        return word_of(out, key, value);
    case FLOW_KEY_WHOLES:
        return wholes_of(out, key, value);
    case FLOW_KEY_ORDER:
        *(const json_t **)out = value;
        return order_of(key, value);
    case FLOW_KEY_REALS:
        *(const json_t **)out = value;
        return reals_of(key, value);
    case FLOW_KEY_KIND:
        *(const json_t **)out = value;
        return json_is_object(value);
    case FLOW_KEY_KINDS:
        *(const json_t **)out = value;
        return json_is_array(value) && json_array_size(value) <= key->n_max;
    case FLOW_KEY_NAMES:
    case FLOW_KEY_OWN:
        break;
    }
    return false;
}

int flow_key_read(void *options, const flow_key *key, const json_t *value, flow_err *err)
{
    if (is_auto(key, value) || (json_is_null(value) && !key->def)) {
        flow_key_clear(options, key);
        return 0;
    }
    return read_value(field(options, key), key, value) ? 0 : reject(key, value, err);
}

json_t *flow_key_default(const flow_key *key)
{
    if (!key->def)
        return json_null();
    bool word = key->type == FLOW_KEY_WORD || key->type == FLOW_KEY_TEXT ||
                key->type == FLOW_KEY_KIND || strcmp(key->def, "auto") == 0;
    if (word)
        return json_string(key->def);
    return key->type == FLOW_KEY_REAL ? json_real(strtod(key->def, NULL))
                                      : json_loads(key->def, JSON_DECODE_ANY, NULL);
}

/* ---- what a value must be */

bool flow_key_in_range(const flow_key *key, double value)
{
    bool low = key->flags & FLOW_KEY_OPEN_MIN ? value > key->min : value >= key->min;
    bool high = key->flags & FLOW_KEY_OPEN_MAX ? value < key->max : value <= key->max;
    return low && high;
}

static void add(char *out, size_t size, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

static void add(char *out, size_t size, const char *fmt, ...)
{
    size_t used = strlen(out);
    va_list args;
    va_start(args, fmt);
    vsnprintf(out + used, size - used, fmt, args);
    va_end(args);
}

/* " 1 .. 64", " >= 1", " > 0 and < 1", "" behind what the number is. */
static void add_range(char *out, size_t size, const flow_key *key, const char *what)
{
    add(out, size, "%s", what);
    bool low = isfinite(key->min), high = isfinite(key->max);
    bool open = key->flags & (FLOW_KEY_OPEN_MIN | FLOW_KEY_OPEN_MAX);
    if (low && high && !open)
        add(out, size, " %.15g .. %.15g", key->min, key->max);
    else {
        if (low)
            add(out, size, " %s %.15g", key->flags & FLOW_KEY_OPEN_MIN ? ">" : ">=", key->min);
        if (high)
            add(out, size, "%s %s %.15g", low ? " and" : "",
                key->flags & FLOW_KEY_OPEN_MAX ? "<" : "<=", key->max);
    }
}

static void add_length(char *out, size_t size, const flow_key *key)
{
    add(out, size, "a list of %zu .. %zu ", key->n_min, key->n_max);
}

static void add_words(char *out, size_t size, const flow_key *key)
{
    for (size_t i = 0; flow_key_choice(key, i).name; i++)
        add(out, size, "%s%s", i ? ", " : "one of ", flow_key_choice(key, i).name);
}

static void add_number(char *out, size_t size, const flow_key *key)
{
    if (key->min == key->max)
        add(out, size, "%.15g", key->min);
    else
        add_range(out, size, key, key->type == FLOW_KEY_REAL ? "a number" : "a whole number");
}

/* ", or a mapping of them to {support, step}" */
static void add_items(char *out, size_t size, const flow_key *items)
{
    for (const flow_key *item = items; item && item->name; item++)
        add(out, size, "%s%s", item == items ? ", or a mapping of them to {" : ", ", item->name);
    add(out, size, "%s", items ? "}" : "");
}

static void add_wants(char *out, size_t size, const flow_key *key)
{
    switch (key->type) {
    case FLOW_KEY_BOOL:
        add(out, size, "true or false");
        break;
    case FLOW_KEY_WHOLE:
    case FLOW_KEY_REAL:
        add_number(out, size, key);
        break;
    case FLOW_KEY_TEXT:
        add(out, size, "a text of %.15g .. %.15g bytes", key->min, key->max);
        if (key->flags & FLOW_KEY_NAME)
            add(out, size, " from A-Z a-z 0-9 . _ -");
        break;
    case FLOW_KEY_WORD:
    case FLOW_KEY_KIND:
        add_words(out, size, key);
        break;
    case FLOW_KEY_WHOLES:
    case FLOW_KEY_ORDER:
        add_length(out, size, key);
        add_range(out, size, key, "whole numbers");
        break;
    case FLOW_KEY_REALS:
        add_length(out, size, key);
        add_range(out, size, key, "numbers");
        break;
    case FLOW_KEY_NAMES:
        add_length(out, size, key);
        add(out, size, "names or numbers");
        add_items(out, size, key->items);
        break;
    case FLOW_KEY_KINDS:
        add_length(out, size, key);
        add(out, size, "{kind: ..., ...}");
        break;
    case FLOW_KEY_OWN:
        add(out, size, "%s", key->wants);
        break;
    }
}

void flow_key_wants(char *out, size_t size, const flow_key *key)
{
    *out = '\0';
    add_wants(out, size, key);
    if (key->flags & FLOW_KEY_AUTO)
        add(out, size, " or auto");
}

void flow_key_wants_item(char *out, size_t size, const flow_key *key)
{
    *out = '\0';
    if (key->type == FLOW_KEY_NAMES)
        add(out, size, "a name or a number");
    else if (key->type == FLOW_KEY_KINDS)
        add(out, size, "{kind: ..., ...}");
    else
        add_range(out, size, key, key->type == FLOW_KEY_REALS ? "a number" : "a whole number");
}
