#include "pipeline/command/run_files.h"

#include "flow/json.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PATH = 4096 };

const char *const run_files_trained[] = {"teacher", "student", NULL};

static int spell(char out[PATH], const char *run, const char *name, flow_err *err)
{
    int n = snprintf(out, PATH, "%s/%s", run, name);
    return n > 0 && n < PATH ? FLOW_OK
                             : flow_fail(err, FLOW_ENOINPUT, "%.60s...: too long a path", run);
}

int run_files_check(const char *run, flow_err *err)
{
    char path[PATH];
    if (spell(path, run, "resolved.json", err))
        return err->code;
    if (access(path, R_OK) == 0)
        return FLOW_OK;
    return flow_fail(err, FLOW_ENOINPUT, "%s: no directory of a run: %s: %s", run, path,
                     strerror(errno));
}

json_t *run_files_json(const char *run, const char *name, flow_err *err)
{
    char path[PATH];
    json_error_t error;
    if (spell(path, run, name, err))
        return NULL;
    FILE *in = fopen(path, "rb");
    if (!in && errno == ENOENT)
        return json_null();
    json_t *out = in ? json_loadf(in, JSON_REJECT_DUPLICATES, &error) : NULL;
    if (!in)
        flow_fail(err, FLOW_EIO, "%s: %s", path, strerror(errno));
    else if (!out)
        flow_fail(err, FLOW_EDATA, "%s:%d: %s", path, error.line, error.text);
    if (in)
        fclose(in);
    return out;
}

json_t *run_files_figure(const json_t *verdict, const char *key)
{
    size_t i;
    json_t *one;
    json_array_foreach(json_object_get(verdict, "figures"), i, one)
    {
        const char *name = json_string_value(json_object_get(one, "key"));
        if (name && strcmp(name, key) == 0)
            return json_object_get(one, "value");
    }
    return NULL;
}

/* A line without its end is still being written. */
static int read_lines(json_t **rows, FILE *in, const char *path, flow_err *err)
{
    char *line = NULL;
    size_t size = 0, number = 0;
    ssize_t n;
    while (*rows && !err->code && (n = getline(&line, &size, in)) > 0 && line[n - 1] == '\n') {
        json_error_t error;
        json_t *row = json_loads(line, JSON_REJECT_DUPLICATES, &error);
        number++;
        if (row)
            flow_json_append(rows, row);
        else
            flow_fail(err, FLOW_EDATA, "%s:%zu: %s", path, number, error.text);
    }
    free(line);
    return *rows ? err->code : flow_fail(err, FLOW_ENOMEM, "%s: out of memory", path);
}

json_t *run_files_metrics(const char *run, const char *stage, flow_err *err)
{
    char name[64], path[PATH];
    json_t *rows = json_array();
    snprintf(name, sizeof name, "%.40s/metrics.jsonl", stage);
    if (spell(path, run, name, err)) {
        json_decref(rows);
        return NULL;
    }
    FILE *in = fopen(path, "rb");
    if (!in && errno != ENOENT)
        flow_fail(err, FLOW_EIO, "%s: %s", path, strerror(errno));
    if (in) {
        read_lines(&rows, in, path, err);
        fclose(in);
    }
    if (!err->code)
        return rows;
    json_decref(rows);
    return NULL;
}

double *run_files_column(const json_t *rows, const char *key)
{
    size_t n = json_array_size(rows);
    double *out = malloc((n + 1) * sizeof *out);
    for (size_t i = 0; i < n && out; i++) {
        const json_t *value = json_object_get(json_array_get(rows, i), key);
        out[i] = json_is_number(value) ? json_number_value(value) : (double)NAN;
    }
    return out;
}

const char *run_files_loss(const json_t *rows)
{
    static const char *const keys[] = {"valid_loss", "train_loss", "kl_reverse", "kl_forward",
                                       "elbo"};
    for (size_t k = 0; k < sizeof keys / sizeof *keys; k++)
        for (size_t i = 0; i < json_array_size(rows); i++)
            if (json_is_number(json_object_get(json_array_get(rows, i), keys[k])))
                return keys[k];
    return NULL;
}
