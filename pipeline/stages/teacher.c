#include "pipeline/stages/teacher.h"

#include "pipeline/config/settings.h"
#include "pipeline/stages/flows.h"
#include "pipeline/stages/trained.h"

#include <stdio.h>

static const char METRICS[] = "teacher/metrics.jsonl", MODEL[] = "teacher/model.safetensors";

/* A step size that was still rising at the end was too small all along. */
static void tell_warmup(const teacher_fit_state *state, const teacher_fit_options *options)
{
    if (state->step <= options->warmup)
        fprintf(stderr,
                "teacher   its %zu steps were all of the warm-up, teacher.train.warmup: %zu; a "
                "tenth of "
                "them is usual, or a smaller teacher.train.batch\n",
                state->step, options->warmup);
}

static int run(void *product, const stage_work *work, const void *const *inputs, flow_err *err)
{
    teacher_product *out = product;
    const data_product *data = inputs[0];
    teacher_fit_options options = settings_fit(work->config, data->set->train.n);
    teacher_fit_state state;
    course told;
    flow *maf = flows_teacher(work->config, data->set->dim, data->set->n_context, err);
    if (!maf)
        return err->code;
    out->model = trained_model(maf, data, stage_teacher.name);
    if (course_begin(&told, work->dir, stage_teacher.name, METRICS, options.epochs, err))
        return err->code;
    int code =
        teacher_fit(maf, &state, work->pool, data->set, &options, course_watch_fit, &told, err);
    if (code == 0)
        course_tell_fit(&state, flow_n_weights(maf));
    if (code == 0 && !work->quiet)
        tell_warmup(&state, &options);
    return trained_end(&told, &out->model, work, MODEL, code, err);
}

static void release(void *product)
{
    teacher_product *self = product;
    flow_free(self->model.flow);
}

const stage stage_teacher = {
    .name = "teacher",
    .doc = "fits the teacher to the data",
    .keys = (const char *const[]){"seed", "precision", "compute.shard", "teacher", NULL},
    .inputs = (const stage *const[]){&stage_data, NULL},
    .outputs = (const char *const[]){METRICS, MODEL, NULL},
    .product_size = sizeof(teacher_product),
    .run = run,
    .release = release};
