/* pipeline/stages/export.c -- samples of the student, as it is shipped. */
#include "pipeline/console/notice.h"
#include "pipeline/console/progress.h"
#include "pipeline/stages/data.h"
#include "pipeline/stages/derived.h"
#include "pipeline/stages/output.h"
#include "pipeline/stages/shipped.h"
#include "pipeline/stages/stage.h"
#include "pipeline/stages/student.h"
#include "pipeline/stages/target.h"
#include "teacher/streams.h"

#include <stdio.h>
#include <stdlib.h>

/* Contexts for n samples: the held-out rows in turn, in the user's units. */
static double *contexts_of(const target_product *from, size_t n, flow_err *err)
{
    const flow_units *units = from->frame.context_units;
    distill_contexts held_out = target_contexts_held_out(from);
    size_t c = units ? units->dim : 0;
    double *out = malloc((n * c + 1) * sizeof *out);
    if (!out) {
        flow_fail(err, FLOW_ENOMEM, "out of memory for %zu rows of context", n);
        return NULL;
    }
    for (size_t i = 0; i < n && c; i++)
        data_numbers_copy(out + i * c, &held_out.rows, i % held_out.n, 1);
    if (c)
        flow_units_to_user(units, out, NULL, out, n);
    return out;
}

static derived *derived_of(const config *c, const target_product *from, const flow_model *model,
                           flow_err *err)
{
    const derived_options options = {.what = c->export.quantities};
    const quantities *of = from->energy ? target_quantities(from->energy) : NULL;
    if (!of && model->quantities && options.what != DERIVED_NONE)
        notice_note("samples have the columns of the model that was learnt from; `distill sample "
                    "--target FILE` makes the quantities of what that was made for");
    return derived_open(model, of, &options, err);
}

static int write(const flow_model *model, const stage_work *work, const target_product *from,
                 flow_err *err)
{
    const config_export *what = &work->config->export;
    size_t n = (size_t)what->samples;
    char name[512], path[RUNDIR_PATH], shown[RUNDIR_PATH];
    snprintf(name, sizeof name, "export/%s", what->file);
    if (!rundir_path(work->dir, path, name, err))
        return err->code;
    double *contexts = contexts_of(from, n, err);
    derived *written = derived_of(work->config, from, model, err);
    output_request request = {
        .model = model,
        .pool = work->pool,
        .context = from->frame.context_units ? contexts : NULL,
        .n_context = n,
        .temperature = 1,
        .stream = {.seed = work->config->seed, .stage = STREAM_EXPORT, .purpose = PCG_BASE},
        .n = n,
        .derived = written,
        .path = path,
        .form = {.format = output_format_of(path)}};
    progress_begin(stage_export.name, n);
    int code = contexts && written ? output_samples(&request, err) : err->code;
    if (!code)
        progress_end("%zu samples in %s", n, rundir_shown(work->dir, shown, name));
    derived_free(written);
    free(contexts);
    return code;
}

static int run(void *product, const stage_work *work, const void *const *inputs, flow_err *err)
{
    const student_product *student = inputs[1];
    shipped as;
    (void)product;
    int code = shipped_open(&as, &student->model, shipped_network(work->config, inputs[2]), err);
    if (code)
        return code;
    code = write(&as.model, work, inputs[0], err);
    shipped_release(&as);
    return code;
}

static bool is_due(const config *c)
{
    return c->export.samples > 0;
}

const stage stage_export = {
    .name = "export",
    .doc = "writes samples of the student",
    .abi = 1,
    .keys = (const char *const[]){"seed", "export", "compute.network", NULL},
    .reads_more = shipped_is_chosen,
    .inputs = (const stage *const[]){&stage_target, &stage_student, &stage_validate, NULL},
    .input_if = &stage_validate,
    .outputs = (const char *const[]){"export/*.npy", "export/*.csv", NULL},
    .is_due = is_due,
    .run = run};
