#include "flow/json.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LONGEST_KEY = 256 };

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

/* With an end of its own. Nothing is taken while the text is written, so nothing of it can be lost. */
static char *text_with(const json_t *value, size_t flags, const char *end)
{
    size_t size = value ? json_dumpb(value, NULL, 0, flags) : 0;
    char *text = size ? malloc(size + strlen(end) + 1) : NULL;
    if (!text)
        return NULL;
    if (json_dumpb(value, text, size, flags) != size) {
        free(text);
        return NULL;
    }
    strcpy(text + size, end);
    return text;
}

char *flow_json_text(const json_t *value, size_t flags)
{
    return text_with(value, flags, "");
}

char *flow_json_line(const json_t *value, size_t flags)
{
    return text_with(value, flags, "\n");
}

json_t *flow_json_below(const json_t *at, const char *path)
{
    char key[LONGEST_KEY];
    json_t *out = (json_t *)(uintptr_t)at; /* read only */
    while (out && *path) {
        size_t n = strcspn(path, ".");
        snprintf(key, sizeof key, "%.*s", (int)n, path);
        out = json_object_get(out, key);
        path += n + (path[n] == '.');
    }
    return out;
}
