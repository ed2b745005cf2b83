#include "pipeline/config/field.h"

#include "pipeline/config/text.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

struct config_memory {
    struct config_memory *next;
    max_align_t bytes[];
};

void *field_memory(config *self, size_t size)
{
    struct config_memory *block = malloc(sizeof *block + size);
    if (!block)
        return NULL;
    block->next = self->memory;
    self->memory = block;
    return block->bytes;
}

void field_memory_free(config *self)
{
    while (self->memory) {
        struct config_memory *next = self->memory->next;
        free(self->memory);
        self->memory = next;
    }
}

void *field_of(config *self, const schema_key *key)
{
    return (char *)self + key->offset;
}

static const void *peek(const config *self, const schema_key *key)
{
    return (const char *)self + key->offset;
}

void field_clear(config *self, const schema_key *key)
{
    void *out = field_of(self, key);
    switch (key->type) {
    case SCHEMA_BOOL:
        *(bool *)out = false;
        break;
    case SCHEMA_WHOLE:
        *(uint64_t *)out = 0;
        break;
    case SCHEMA_REAL:
        *(double *)out = NAN;
        break;
    case SCHEMA_STRING:
        *(const char **)out = NULL;
        break;
    case SCHEMA_ENUM:
        memcpy(out, &(int){-1}, sizeof(int));
        break;
    case SCHEMA_WHOLES:
        *(config_wholes *)out = (config_wholes){0};
        break;
    case SCHEMA_NAMES:
        *(config_names *)out = (config_names){0, NULL};
        break;
    case SCHEMA_GATES:
        ((config_gates *)out)->n = 0;
        break;
    }
}

const char *field_word(const config *self, const schema_key *key)
{
    const void *at = peek(self, key);
    if (key->type == SCHEMA_BOOL)
        return *(const bool *)at ? "true" : "false";
    assert(key->type == SCHEMA_ENUM);
    int value;
    memcpy(&value, at, sizeof value);
    for (size_t i = 0; schema_choice(key, i).name; i++)
        if (schema_choice(key, i).value == value)
            return schema_choice(key, i).name;
    return NULL;
}

double field_number(const config *self, const schema_key *key)
{
    const void *at = peek(self, key);
    if (key->type == SCHEMA_REAL)
        return *(const double *)at;
    assert(key->type == SCHEMA_WHOLE);
    uint64_t value = *(const uint64_t *)at;
    return !value && key->flags & SCHEMA_AUTO ? NAN : (double)value;
}

bool field_is_set(const config *self, const schema_key *key)
{
    const void *at = peek(self, key);
    switch (key->type) {
    case SCHEMA_WHOLE:
    case SCHEMA_REAL:
        return !isnan(field_number(self, key));
    case SCHEMA_STRING:
        return *(const char *const *)at != NULL;
    case SCHEMA_BOOL:
    case SCHEMA_ENUM:
        return field_word(self, key) != NULL;
    case SCHEMA_WHOLES:
        return ((const config_wholes *)at)->n > 0;
    case SCHEMA_NAMES:
        return ((const config_names *)at)->n > 0;
    case SCHEMA_GATES:
        break;
    }
    return ((const config_gates *)at)->n > 0;
}

/* out, or NULL if something could not be put into it. */
static json_t *complete(json_t *out, int failed)
{
    if (!failed)
        return out;
    json_decref(out);
    return NULL;
}

static json_t *wholes_json(const config_wholes *list)
{
    json_t *out = json_array();
    int failed = 0;
    for (size_t i = 0; i < list->n; i++)
        failed |= json_array_append_new(out, json_integer((json_int_t)list->at[i]));
    return complete(out, failed);
}

static json_t *names_json(const config_names *list)
{
    json_t *out = json_array();
    int failed = 0;
    for (size_t i = 0; i < list->n; i++)
        failed |= json_array_append_new(out, json_string(list->at[i]));
    return complete(out, failed);
}

static json_t *gates_json(const config_gates *list)
{
    json_t *out = json_object();
    int failed = 0;
    for (size_t i = 0; i < list->n; i++) {
        char text[GATE_TEXT];
        gate_print(text, &list->at[i]);
        failed |=
            json_object_set_new(out, gate_figures[list->at[i].figure].name, json_string(text));
    }
    return complete(out, failed);
}

/* Paths need not be UTF-8, JSON must: what is not becomes '?'. */
static json_t *string_json(const char *text)
{
    json_t *out = json_string(text);
    size_t size = strlen(text);
    char *clean = out ? NULL : malloc(size + 1);
    if (clean) {
        text_show(clean, text, size, 0, size);
        out = json_string(clean);
        free(clean);
    }
    return out;
}

json_t *field_json(const config *self, const schema_key *key)
{
    const void *at = peek(self, key);
    if (key->type == SCHEMA_GATES)
        return gates_json(at);
    if (!field_is_set(self, key))
        return key->flags & SCHEMA_AUTO ? json_string("auto") : json_null();
    switch (key->type) {
    case SCHEMA_BOOL:
        return json_boolean(*(const bool *)at);
    case SCHEMA_WHOLE:
        return json_integer((json_int_t) * (const uint64_t *)at);
    case SCHEMA_REAL:
        return json_real(*(const double *)at);
    case SCHEMA_STRING:
        return string_json(*(const char *const *)at);
    case SCHEMA_ENUM:
        return json_string(field_word(self, key));
    case SCHEMA_WHOLES:
        return wholes_json(at);
    default:
        return names_json(at);
    }
}
