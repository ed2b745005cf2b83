#include "pipeline/config/schema.h"
#include "pipeline/stages/stage.h"

#include <assert.h>
#include <string.h>

const stage *const stages[STAGE_COUNT] = {&stage_data,   &stage_teacher, &stage_recipe,
                                          &stage_target, &stage_student, &stage_validate,
                                          &stage_export, &stage_report};

bool stage_reads(const stage *self, const char *key)
{
    for (const char *const *at = self->keys; *at; at++)
        if (strcmp(*at, key) == 0 || schema_below(key, *at))
            return true;
    return false;
}

size_t stage_index(const stage *self)
{
    size_t i = 0;
    while (i < STAGE_COUNT && stages[i] != self)
        i++;
    assert(i < STAGE_COUNT);
    return i;
}
