#include "pipeline/command/with_model.h"

#include "flow/json.h"
#include "pipeline/command/run_files.h"
#include "pipeline/console/exit.h"
#include "pipeline/console/notice.h"
#include "pipeline/report/trials.h"
#include "pipeline/stages/stage.h"
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

/* ---- its networks */

int network_take(int *out, const char *word, flow_err *err)
{
    flow_err why = FLOW_ERR_INIT;
    flow_network network = FLOW_NETWORK_AS_IS;
    int code = flow_network_take(&network, word, &why);
    *out = (int)network;
    return code ? flow_fail(err, code, "--%.900s", why.text) : 0;
}

/* What the student of a run was validated with: *out is left as it is where there is no validation yet, and its word is
 * not there where it is older than rounded networks. */
static int network_of_run(int *out, const char *run, flow_err *err)
{
    static const flow_key key = {.name = "network", .type = FLOW_KEY_WORD, .words = flow_networks};
    json_t *verdict = run_files_json(run, STAGE_VERDICT, err);
    const json_t *word = flow_json_below(verdict, "student.network");
    int code = verdict ? 0 : err->code;
    if (!code && word && flow_key_read(out, &key, word, err))
        code = flow_fail_prefix(err, STAGE_VERDICT);
    json_decref(verdict);
    return code;
}

static int settle_network(int *network, const char *path, const char *role, flow_err *err)
{
    if (*network != NETWORK_NOT_SAID || strcmp(role, "student") != 0 || !rundir_is_folder(path))
        return 0;
    *network = FLOW_NETWORK_AS_IS;
    int code = network_of_run(network, path, err);
    if (!code && *network != FLOW_NETWORK_AS_IS)
        notice_note("networks in %s, as the run was validated with",
                    flow_network_name((flow_network)*network));
    return code;
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
    int code = settle_network(&network, path, role, &err);
    if (!code)
        code = open_model(&what, network, threads, &err);
    if (!code)
        code = use(&what, options, &err);
    flow_pool_free(what.pool);
    flow_model_free(what.model);
    return code ? exit_fail(&err) : EXIT_GOOD;
}
