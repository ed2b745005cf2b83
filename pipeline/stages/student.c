#include "pipeline/stages/student.h"

#include "pipeline/config/settings.h"
#include "pipeline/stages/flows.h"
#include "pipeline/stages/teacher.h"
#include "pipeline/stages/trained.h"

static const char METRICS[] = "student/metrics.jsonl", MODEL[] = "student/model.safetensors";

distill_contexts student_contexts(const data_part *part)
{
    return (distill_contexts){.rows = part->context, .n = part->n};
}

/* Trains the flow of out->model. */
static int train(student_product *out, const stage_work *work, const data_product *data,
                 const target *teacher, flow_err *err)
{
    distill_options options = settings_distill(work->config);
    distill_contexts contexts = student_contexts(&data->set->train);
    course told;
    if (course_begin(&told, work->dir, stage_student.name, METRICS, options.steps, err))
        return err->code;
    int code = student_distill(out->model.flow, &out->training, work->pool, teacher, &contexts,
                               &options, course_watch_distill, &told, err);
    if (code == 0)
        course_tell_distill(&out->training, flow_n_weights(out->model.flow));
    return trained_end(&told, &out->model, work, MODEL, code, err);
}

static int run(void *product, const stage_work *work, const void *const *inputs, flow_err *err)
{
    student_product *out = product;
    const data_product *data = inputs[0];
    const teacher_product *teacher = inputs[1];
    flow *iaf = flows_student(work->config, teacher->model.flow, err);
    target *from = iaf ? target_from_flow(teacher->model.flow, err) : NULL;
    if (iaf)
        out->model = trained_model(iaf, data, stage_student.name);
    int code = from ? train(out, work, data, from, err) : err->code;
    target_free(from);
    return code;
}

static void release(void *product)
{
    student_product *self = product;
    flow_free(self->model.flow);
}

const stage stage_student = {
    .name = "student",
    .doc = "distils the teacher into the student",
    .keys = (const char *const[]){"seed", "precision", "compute.shard", "student", NULL},
    .inputs = (const stage *const[]){&stage_data, &stage_teacher, NULL},
    .outputs = (const char *const[]){METRICS, MODEL, NULL},
    .product_size = sizeof(student_product),
    .run = run,
    .release = release};
