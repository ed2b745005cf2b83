#include "pipeline/command/with_model.h"

#include "pipeline/console/exit.h"
#include "pipeline/stages/store.h"

#include <stdio.h>

enum { PATH_LENGTH = 4096 };

/* Out (PATH_LENGTH), or path itself. */
static const char *file_of(char *out, const char *path, const char *role)
{
    if (!rundir_is_folder(path))
        return path;
    int n = snprintf(out, PATH_LENGTH, "%s/%s/model.safetensors", path, role);
    return n < PATH_LENGTH ? out : path;
}

int with_model(const char *path, const char *role, uint64_t threads, const void *options,
               int (*use)(const opened *what, const void *options, flow_err *err))
{
    char own[PATH_LENGTH];
    flow_err err = FLOW_ERR_INIT;
    opened what = {.path = file_of(own, path, role)};
    what.model = store_check_file(what.path, &err) ? NULL : flow_model_read(what.path, &err);
    what.pool = what.model ? flow_pool_create((size_t)threads, &err) : NULL;
    int code = what.pool ? use(&what, options, &err) : err.code;
    flow_pool_free(what.pool);
    flow_model_free(what.model);
    return code ? exit_fail(&err) : EXIT_GOOD;
}
