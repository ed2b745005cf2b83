#include "pipeline/config/config.h"

#include "flow/json.h"
#include "pipeline/config/field.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void config_free(config *self)
{
    if (!self)
        return;
    field_memory_free(self);
    free(self);
}

int config_draw_seed(config *self, flow_err *err)
{
    if (self->seed_given || self->seed_drawn)
        return FLOW_OK;
    FILE *source = fopen("/dev/urandom", "rb");
    uint64_t bits = 0;
    size_t n = source ? fread(&bits, sizeof bits, 1, source) : 0;
    if (source)
        fclose(source);
    if (n != 1)
        return flow_fail(err, FLOW_EIO, "cannot draw a seed from /dev/urandom: give one, seed: 1");
    self->seed = bits >> 11;
    self->seed_drawn = true;
    return FLOW_OK;
}

/* ---- output */

/* The object for the section of path, made on the way down. NULL if out of memory. */
static json_t *section_json(json_t *top, const char *path)
{
    json_t *at = top;
    for (const char *dot = strchr(path, '.'); at && dot; dot = strchr(path, '.')) {
        char name[SCHEMA_MAX_PATH];
        snprintf(name, sizeof name, "%.*s", (int)(dot - path), path);
        json_t *next = json_object_get(at, name);
        if (!next && json_object_set_new(at, name, json_object()) == 0)
            next = json_object_get(at, name);
        at = next;
        path = dot + 1;
    }
    return at;
}

json_t *config_to_json(const config *self)
{
    json_t *out = json_object();
    for (size_t i = 0; out && i < schema_n_keys; i++) {
        const flow_key *key = &schema_keys[i];
        const char *dot = strrchr(key->name, '.');
        bool no_seed =
            key->offset == offsetof(config, seed) && !self->seed_given && !self->seed_drawn;
        json_t *value = no_seed ? json_null() : field_json(self, key);
        json_t *section = section_json(out, key->name);
        if (!section || json_object_set(section, dot ? dot + 1 : key->name, value)) {
            json_decref(out);
            out = NULL;
        }
        json_decref(value);
    }
    return out;
}
