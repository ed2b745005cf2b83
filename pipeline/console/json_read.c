#include "pipeline/console/json_read.h"

#include "flow/json.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static FILE *opened(const char *path, flow_err *err)
{
    FILE *file = fopen(path, "rb");
    if (!file)
        flow_fail(err, errno == ENOENT ? FLOW_ENOINPUT : FLOW_EIO, "%s: %s", path, strerror(errno));
    return file;
}

/* number: of the line where the text began that is wrong in line `why->line` of its own. */
static void refuse(const char *path, size_t number, const json_error_t *why, flow_err *err)
{
    if (json_error_code(why) == json_error_out_of_memory)
        flow_fail(err, FLOW_ENOMEM, "out of memory for %s", path);
    else
        flow_fail(err, FLOW_EDATA, "%s:%zu: %s", path,
                  number + (size_t)(why->line > 1 ? why->line - 1 : 0), why->text);
}

json_t *json_read_file(const char *path, flow_err *err)
{
    json_error_t why;
    FILE *file = opened(path, err);
    if (!file)
        return NULL;
    json_t *read = json_loadf(file, JSON_REJECT_DUPLICATES, &why);
    if (!read && ferror(file))
        flow_fail(err, FLOW_EIO, "%s: cannot be read", path);
    else if (!read)
        refuse(path, 1, &why, err);
    fclose(file);
    return read;
}

static void add_line(json_t **list, const char *line, const char *path, size_t number,
                     flow_err *err)
{
    json_error_t why;
    json_t *row = json_loads(line, JSON_REJECT_DUPLICATES, &why);
    if (row)
        flow_json_append(list, row);
    else
        refuse(path, number, &why, err);
}

static void add_lines(json_t **list, FILE *file, const char *path, bool growing, flow_err *err)
{
    char *line = NULL;
    size_t size = 0, number = 0;
    ssize_t n;
    while (*list && !err->code && (n = getline(&line, &size, file)) > 0) {
        number++;
        if (line[n - 1] != '\n' && growing)
            break;
        if (line[0] != '\n')
            add_line(list, line, path, number, err);
    }
    free(line);
    if (ferror(file) && !err->code)
        flow_fail(err, FLOW_EIO, "%s: cannot be read", path);
    if (!*list && !err->code)
        flow_fail(err, FLOW_ENOMEM, "out of memory for %s", path);
}

json_t *json_read_lines(const char *path, bool growing, flow_err *err)
{
    FILE *file = opened(path, err);
    json_t *list = file ? json_array() : NULL;
    if (!file)
        return NULL;
    add_lines(&list, file, path, growing, err);
    fclose(file);
    if (!err->code)
        return list;
    json_decref(list);
    return NULL;
}
