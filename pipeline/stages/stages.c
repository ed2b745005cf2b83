#include "pipeline/config/schema.h"
#include "pipeline/stages/stage.h"

#include <assert.h>
#include <string.h>

const stage *const stages[STAGE_COUNT] = {&stage_data,   &stage_teacher, &stage_recipe,
                                          &stage_target, &stage_student, &stage_validate,
                                          &stage_export, &stage_report};

static bool has(const char *const *keys, const char *key)
{
    for (const char *const *at = keys; at && *at; at++)
        if (strcmp(*at, key) == 0 || schema_below(key, *at))
            return true;
    return false;
}

bool stage_reads(const stage *self, const char *key)
{
    return has(self->keys, key) || has(self->keys_if, key);
}

bool stage_reads_here(const stage *self, const char *key, const config *c)
{
    return has(self->keys, key) ||
           (self->keys_if && self->reads_more(c) && has(self->keys_if, key));
}

bool stage_takes(const stage *self, const stage *input, const config *c)
{
    const stage *const *in = self->inputs;
    while (*in && *in != input)
        in++;
    return *in && (input != self->input_if || self->reads_more(c));
}

const stage *stage_find(const char *name)
{
    for (size_t i = 0; i < STAGE_COUNT; i++)
        if (strcmp(stages[i]->name, name) == 0)
            return stages[i];
    return NULL;
}

size_t stage_index(const stage *self)
{
    size_t i = 0;
    while (i < STAGE_COUNT && stages[i] != self)
        i++;
    assert(i < STAGE_COUNT);
    return i;
}
