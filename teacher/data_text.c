#include "teacher/data_text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 1 << 20 }; /* bytes of a file */

bool data_text_is_path(const char *data)
{
    size_t n = strlen(data);
    return n >= 5 && strcmp(data + n - 5, ".json") == 0;
}

static char *read_all(FILE *in, const char *path, flow_err *err)
{
    char *text = malloc(MOST + 1);
    size_t n = text ? fread(text, 1, MOST, in) : 0;
    if (!text)
        flow_fail(err, FLOW_ENOMEM, "data: out of memory for %.300s", path);
    else if (ferror(in) || n == MOST)
        flow_fail(err, n == MOST ? FLOW_EDATA : FLOW_EIO, "data: %.300s: %s", path,
                  n == MOST ? "it is longer than 1 MB" : strerror(errno));
    else
        text[n] = '\0';
    if (err->code) {
        free(text);
        return NULL;
    }
    return text;
}

static char *read_file(const char *path, flow_err *err)
{
    FILE *in = fopen(path, "re");
    if (!in) {
        flow_fail(err, FLOW_ENOINPUT, "data: %.300s: %s", path, strerror(errno));
        return NULL;
    }
    char *text = read_all(in, path, err);
    fclose(in);
    return text;
}

static json_t *parse(const char *text, flow_err *err)
{
    json_error_t why;
    json_t *out = json_loads(text, JSON_REJECT_DUPLICATES, &why);
    if (!out && json_error_code(&why) == json_error_out_of_memory)
        flow_fail(err, FLOW_ENOMEM, "data: out of memory for JSON");
    else if (!out)
        flow_fail(err, FLOW_EDATA, "data: no JSON: %s (line %d)", why.text, why.line);
    else if (!json_is_object(out))
        flow_fail(err, FLOW_EDATA, "data: wanted a JSON object {...}");
    else
        return out;
    json_decref(out);
    return NULL;
}

json_t *data_text_object(const char *data, flow_err *err)
{
    char *text = data_text_is_path(data) ? read_file(data, err) : NULL;
    if (err->code)
        return NULL;
    json_t *out = parse(text ? text : *data ? data : "{}", err);
    free(text);
    return out;
}
