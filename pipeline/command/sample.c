#include "pipeline/command/sample.h"

#include "pipeline/command/with_model.h"
#include "pipeline/stages/output.h"
#include "teacher/streams.h"

static int sample(flow_model *model, flow_pool *pool, const void *options, flow_err *err)
{
    const sample_options *o = options;
    file_table *context;
    int code = context_load(&context, model, o->model, &o->context, (size_t)o->n, err);
    output_request request = {
        .model = model,
        .pool = pool,
        .context = context ? context->values : NULL,
        .n_context = context ? context->rows : 0,
        .stream = {.seed = o->seed, .stage = STREAM_EXPORT, .purpose = PCG_BASE},
        .first = o->first,
        .n = (size_t)o->n,
        .temperature = o->temperature,
        .logp = o->logp,
        .path = o->output,
        .format = o->format};
    exact_choice choice = {NULL, NULL};
    if (!code && exact_is_wanted(&o->exact))
        code = flow_model_convert(model, FLOW_F64, err) ||
                       exact_choose(&choice, &request, &o->exact, o->model, err)
                   ? err->code
                   : 0;
    if (!code)
        code = output_samples(&request, err);
    exact_free(&choice);
    file_table_free(context);
    return code;
}

int sample_verb(const sample_options *options)
{
    return with_model(options->model, options->threads, options, sample);
}
