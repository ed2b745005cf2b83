#include "pipeline/command/with_model.h"

#include "pipeline/console/exit.h"
#include "pipeline/stages/store.h"

#include <stdio.h>
#include <string.h>

enum { PATH_LENGTH = 4096 };

/* Out (PATH_LENGTH), or path itself. */
static const char *file_of(char *out, const char *path, const char *role)
{
    if (!rundir_is_folder(path))
        return path;
    int n = snprintf(out, PATH_LENGTH, "%s/%s/model.safetensors", path, role);
    return n < PATH_LENGTH ? out : path;
}

int network_take(int *out, const char *word, flow_err *err)
{
    static const flow_key key = {.type = FLOW_KEY_WORD, .words = flow_networks};
    char wants[128];
    const flow_word *w = flow_networks;
    while (w->name && strcmp(w->name, word) != 0)
        w++;
    flow_key_wants(wants, sizeof wants, &key);
    *out = w->value;
    return w->name ? 0
                   : flow_fail(err, FLOW_EUSAGE, "--network wants %s, got '%.60s'", wants, word);
}

/* The error names the file and the option. */
static int round_networks(const opened *what, int network, flow_err *err)
{
    if (network == NETWORK_NOT_SAID || !flow_model_round(what->model, (flow_network)network, err))
        return 0;
    flow_fail_prefix(err, "--network");
    return flow_fail_prefix(err, what->path);
}

int opened_be_precise(const opened *what, flow_err *err)
{
    return flow_get_network(what->model->flow) == FLOW_NETWORK_AS_IS
               ? flow_model_convert(what->model, FLOW_F64, err)
               : 0;
}

static int open_model(opened *out, int network, uint64_t threads, flow_err *err)
{
    out->model = store_check_file(out->path, err) ? NULL : flow_model_read(out->path, err);
    int code = out->model ? round_networks(out, network, err) : err->code;
    out->pool = code ? NULL : flow_pool_create((size_t)threads, err);
    return out->pool ? 0 : err->code;
}

int with_model(const char *path, const char *role, int network, uint64_t threads,
               const void *options,
               int (*use)(const opened *what, const void *options, flow_err *err))
{
    char own[PATH_LENGTH];
    flow_err err = FLOW_ERR_INIT;
    opened what = {.path = file_of(own, path, role)};
    int code = open_model(&what, network, threads, &err);
    if (!code)
        code = use(&what, options, &err);
    flow_pool_free(what.pool);
    flow_model_free(what.model);
    return code ? exit_fail(&err) : EXIT_GOOD;
}
