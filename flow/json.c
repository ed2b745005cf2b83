#include "flow/json.h"

#include <math.h>
#include <stdlib.h>

json_t *flow_json_real(double value)
{
    return isfinite(value) ? json_real(value) : json_null();
}

static void drop_if(json_t **whole, int failed)
{
    if (!failed)
        return;
    json_decref(*whole);
    *whole = NULL;
}

/* Both calls of jansson give value back if they fail, also because it or the whole is NULL. */
void flow_json_set(json_t **object, const char *key, json_t *value)
{
    drop_if(object, json_object_set_new(*object, key, value));
}

void flow_json_append(json_t **array, json_t *value)
{
    drop_if(array, json_array_append_new(*array, value));
}

/* Nothing is taken while the text is written, so nothing of it can be lost. */
char *flow_json_text(const json_t *value, size_t flags)
{
    size_t size = value ? json_dumpb(value, NULL, 0, flags) : 0;
    char *text = size ? malloc(size + 1) : NULL;
    if (!text)
        return NULL;
    if (json_dumpb(value, text, size, flags) != size) {
        free(text);
        return NULL;
    }
    text[size] = '\0';
    return text;
}
