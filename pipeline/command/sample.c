#include "pipeline/command/sample.h"

#include "pipeline/command/show_progress.h"
#include "pipeline/command/with_model.h"
#include "pipeline/console/foreign.h"
#include "pipeline/console/progress.h"
#include "pipeline/stages/output.h"
#include "teacher/streams.h"

/* The rows that are wanted, and what of them. */
static int choose_and_write(output_request *request, const sample_options *o, const deriving *with,
                            const opened *what, flow_err *err)
{
    exact_choice choice = {NULL, NULL};
    int code = 0;
    if (exact_is_wanted(&o->exact))
        code = opened_be_precise(what, err) ||
                       exact_choose(&choice, request, &o->exact, with->against, err)
                   ? err->code
                   : 0;
    if (!code)
        code = output_samples(request, err);
    exact_free(&choice);
    return code;
}

static int sample(const opened *what, const void *options, flow_err *err)
{
    const sample_options *o = options;
    file_table *context;
    deriving with = {.against = NULL};
    foreign_begin();
    int code = context_load(&context, what->model, what->path, &o->context, (size_t)o->n, err);
    if (!code)
        code = deriving_open(&with, what->model, what->path, o->exact.target,
                             exact_is_wanted(&o->exact), &o->deriving, err);
    output_request request = {
        .model = what->model,
        .pool = what->pool,
        .context = context ? context->values : NULL,
        .n_context = context ? context->rows : 0,
        .stream = {.seed = o->seed, .stage = STREAM_EXPORT, .purpose = PCG_BASE},
        .first = o->first,
        .n = (size_t)o->n,
        .temperature = o->temperature,
        .logp = o->logp,
        .derived = with.derived,
        .path = o->output,
        .form = o->form};
    show_progress("sample", o->n, o->quiet, !o->output);
    if (!code)
        code = choose_and_write(&request, o, &with, what, err);
    progress_clear();
    deriving_close(&with);
    foreign_end();
    file_table_free(context);
    return code;
}

int sample_verb(const sample_options *options)
{
    return with_model(options->model, "student", options->network, options->threads, options,
                      sample);
}
