#include "pipeline/config/field.h"

#include "flow/json.h"
#include "pipeline/config/columns.h"

#include <stdlib.h>

struct config_memory {
    struct config_memory *next;
    json_t *json; /* kept by this block; NULL: it has bytes */
    max_align_t bytes[];
};

static struct config_memory *block(config *self, size_t size)
{
    struct config_memory *new = malloc(sizeof *new + size);
    if (!new)
        return NULL;
    *new = (struct config_memory){.next = self->memory};
    self->memory = new;
    return new;
}

void *field_memory(config *self, size_t size)
{
    struct config_memory *new = block(self, size);
    return new ? new->bytes : NULL;
}

bool field_keep(config *self, json_t *value)
{
    struct config_memory *new = block(self, 0);
    if (new)
        new->json = value;
    else
        json_decref(value);
    return new != NULL;
}

void field_memory_free(config *self)
{
    while (self->memory) {
        struct config_memory *next = self->memory->next;
        json_decref(self->memory->json);
        free(self->memory);
        self->memory = next;
    }
}

/* ---- the list of gates is the schema's own type */

static config_gates *gates_of(config *self, const flow_key *key)
{
    return (config_gates *)(void *)((char *)self + key->offset);
}

void field_clear(config *self, const flow_key *key)
{
    if (key->type == FLOW_KEY_OWN)
        gates_of(self, key)->n = 0;
    else
        flow_key_clear(self, key);
    if (key->items)
        self->data.kinds = NULL;
}

static json_t *gates_json(const config_gates *list)
{
    json_t *out = json_object();
    for (size_t i = 0; i < list->n; i++) {
        char text[GATE_TEXT];
        gate_print(text, &list->at[i]);
        flow_json_set(&out, gate_figures[list->at[i].figure].name, json_string(text));
    }
    return out;
}

json_t *field_json(const config *self, const flow_key *key)
{
    if (key->type == FLOW_KEY_OWN)
        return gates_json(gates_of((config *)(uintptr_t)self, key));
    if (key->items && self->data.kinds)
        return columns_json(self);
    return flow_key_json(self, key);
}
