#include "pipeline/stages/teacher.h"

#include "flow/clock.h"
#include "pipeline/config/settings.h"
#include "pipeline/stages/checkpoint.h"
#include "pipeline/stages/flows.h"
#include "pipeline/stages/trained.h"
#include "teacher/volume.h"

static const char METRICS[] = "teacher/metrics.jsonl", MODEL[] = "teacher/model.safetensors";

/* So that losses are told in the units of the data. */
static int know_units(course *told, const data_set *set, flow_err *err)
{
    int code = volume_mean(&told->train_volume, set->units, &set->train, err);
    return code ? code : volume_mean(&told->valid_volume, set->units, &set->valid, err);
}

static int run(void *product, const stage_work *work, const void *const *inputs, flow_err *err)
{
    teacher_product *out = product;
    const data_product *data = inputs[0];
    teacher_fit_options options = settings_fit(work->config, data->set->train.n);
    teacher_fit_state state;
    course told;
    state_owner owner = {
        .work = work, .stage = stage_teacher.name, .told = &told, .began = flow_seconds()};
    checkpoint kept = {.of = &owner};
    options.keeper = checkpoint_keeper(&kept);
    flow *maf = flows_teacher(work->config, data->set->dim, data->set->n_context, err);
    if (!maf)
        return err->code;
    const flow_model frame = trained_frame(data);
    out->model = trained_model(maf, &frame, stage_teacher.name);
    if (course_begin(&told, work->dir, stage_teacher.name, METRICS, options.epochs, err))
        return err->code;
    int code = know_units(&told, data->set, err);
    if (!code)
        code =
            teacher_fit(maf, &state, work->pool, data->set, &options, course_watch_fit, &told, err);
    if (code == 0)
        course_tell_fit(&told, &state, flow_n_weights(maf));
    checkpoint_release(&kept);
    return trained_end(&told, &out->model, work, MODEL, code, err);
}

static void release(void *product)
{
    teacher_product *self = product;
    flow_free(self->model.flow);
}

/* The flow from its file, and all else of the data, as after a fit. */
static int load(void *product, const stage_work *work, const void *const *inputs,
                const json_t *kept, flow_err *err)
{
    teacher_product *out = product;
    const flow_model frame = trained_frame(inputs[0]);
    (void)kept;
    return trained_load(&out->model, &frame, stage_teacher.name, work, MODEL, err);
}

static bool is_due(const config *c)
{
    return !c->target;
}

const stage stage_teacher = {
    .name = "teacher",
    .doc = "fits the teacher to the data",
    .abi = 1,
    .keys = (const char *const[]){"seed", "precision", "compute.shard", "teacher", NULL},
    .inputs = (const stage *const[]){&stage_data, NULL},
    .outputs = (const char *const[]){METRICS, MODEL, NULL},
    .is_due = is_due,
    .resumes = true,
    .product_size = sizeof(teacher_product),
    .run = run,
    .load = load,
    .release = release};
