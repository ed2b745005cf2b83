#include "pipeline/command/run_files.h"

#include "pipeline/console/json_read.h"
#include "pipeline/stages/record_files.h"

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
    if (spell(path, run, record_file_resolved, err))
        return err->code;
    if (access(path, R_OK) == 0)
        return FLOW_OK;
    return flow_fail(err, FLOW_ENOINPUT, "%s: no directory of a run: %s: %s", run, path,
                     strerror(errno));
}

/* What is not there yet is no error: `none` then. Takes over both references. */
static json_t *or_none(json_t *read, json_t *none, flow_err *err)
{
    if (read || err->code != FLOW_ENOINPUT) {
        json_decref(none);
        return read;
    }
    *err = (flow_err)FLOW_ERR_INIT;
    if (!none)
        flow_fail(err, FLOW_ENOMEM, "out of memory for the files of a run");
    return none;
}

json_t *run_files_json(const char *run, const char *name, flow_err *err)
{
    char path[PATH];
    return spell(path, run, name, err) ? NULL
                                       : or_none(json_read_file(path, err), json_null(), err);
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

json_t *run_files_metrics(const char *run, const char *stage, flow_err *err)
{
    char name[64], path[PATH];
    snprintf(name, sizeof name, "%.40s/metrics.jsonl", stage);
    return spell(path, run, name, err)
               ? NULL
               : or_none(json_read_lines(path, true, err), json_array(), err);
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
