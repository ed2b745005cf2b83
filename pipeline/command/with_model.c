#include "pipeline/command/with_model.h"

#include "pipeline/console/exit.h"

int with_model(const char *path, uint64_t threads, const void *options,
               int (*use)(flow_model *model, flow_pool *pool, const void *options, flow_err *err))
{
    flow_err err = FLOW_ERR_INIT;
    flow_model *model = flow_model_read(path, &err);
    flow_pool *pool = model ? flow_pool_create((size_t)threads, &err) : NULL;
    int code = pool ? use(model, pool, options, &err) : err.code;
    flow_pool_free(pool);
    flow_model_free(model);
    return code ? exit_fail(&err) : EXIT_GOOD;
}
