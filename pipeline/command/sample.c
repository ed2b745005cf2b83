#include "pipeline/command/sample.h"

#include "pipeline/command/context.h"
#include "pipeline/console/exit.h"
#include "pipeline/stages/output.h"
#include "teacher/streams.h"

static int sample(const flow_model *model, flow_pool *pool, const sample_options *o, flow_err *err)
{
    file_table *context;
    int code = context_load(&context, model, o->model, o->context, (size_t)o->n, err);
    output_request request = {
        .model = model,
        .pool = pool,
        .context = context ? context->values : NULL,
        .stream = {.seed = o->seed, .stage = STREAM_EXPORT, .purpose = PCG_BASE},
        .first = o->first,
        .n = (size_t)o->n,
        .logp = o->logp,
        .path = o->output,
        .format = o->format};
    if (!code)
        code = output_samples(&request, err);
    file_table_free(context);
    return code;
}

int sample_verb(const sample_options *options)
{
    flow_err err = FLOW_ERR_INIT;
    flow_model *model = flow_model_read(options->model, &err);
    flow_pool *pool = model ? flow_pool_create((size_t)options->threads, &err) : NULL;
    int code = pool ? sample(model, pool, options, &err) : err.code;
    flow_pool_free(pool);
    flow_model_free(model);
    return code ? exit_fail(&err) : EXIT_GOOD;
}
