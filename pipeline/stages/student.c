/* pipeline/stages/student.c -- one distillation, or, of a student that starts as its teacher, the search for
 * its size (student/search.h), which is one for each. */
#include "pipeline/stages/student.h"

#include "flow/alone.h"
#include "flow/clock.h"
#include "flow/preset.h"
#include "pipeline/config/settings.h"
#include "pipeline/console/progress.h"
#include "pipeline/report/judge.h"
#include "pipeline/stages/flows.h"
#include "pipeline/stages/recipe.h"
#include "pipeline/stages/target.h"
#include "pipeline/stages/trained.h"
#include "student/speed.h"
#include "teacher/target_metered.h"

#include <stdio.h>
#include <stdlib.h>

static const char METRICS[] = "student/metrics.jsonl", MODEL[] = "student/model.safetensors";

/* What all trainings of a run have in common. */
typedef struct lessons {
    const stage_work *work;
    const target_product *target;
    const recipe_product *recipe; /* NULL: there is none */
    distill_rows start;           /* its rows */
    target *learn;                /* that of the target, metered */
    target_meter meter;
    double seconds; /* of all trainings, the processors' */
    course told;
} lessons;

static verdict_price price_of(const lessons *self)
{
    const target_meter *m = &self->meter, none = {.densities = 0};
    const target_meter *before = self->recipe ? &self->recipe->meter : &none;
    return (verdict_price){.densities = m->densities + before->densities,
                           .gradients = m->gradients + before->gradients,
                           .draws = m->draws,
                           .target_seconds = 1e-9 * (double)(m->nanoseconds + before->nanoseconds),
                           .seconds = self->seconds};
}

/* ---- one training */

static int train(lessons *self, flow *student, distill_state *state, flow_err *err)
{
    distill_options options = settings_distill(self->work->config);
    distill_contexts contexts = target_contexts(self->target);
    options.start = self->start;
    double start = flow_seconds_of_process();
    int code = student_distill(student, state, self->work->pool, self->learn, &contexts, &options,
                               course_watch_distill, &self->told, err);
    self->seconds += flow_seconds_of_process() - start;
    if (code == 0)
        course_tell_distill(&self->told, state, flow_n_weights(student));
    return code;
}

static int train_plain(student_product *out, lessons *self, flow_err *err)
{
    flow *iaf = flows_student(self->work->config, self->target->learn, self->target->flow, err);
    if (!iaf)
        return err->code;
    out->model = trained_model(iaf, &self->target->frame, stage_student.name);
    return train(self, iaf, &out->training, err);
}

/* ---- a search */

static bool passes(void *arg, const student_rung *rung)
{
    const lessons *self = arg;
    return judge_rung(rung, self->target->exact->log_z, &self->work->config->validate.require);
}

static int train_layers(void *arg, flow *student, student_rung *rung, flow_err *err)
{
    lessons *self = arg;
    student_layers_options options = settings_layerwise(self->work->config);
    distill_contexts contexts = target_contexts(self->target);
    if (!options.steps)
        return 0;
    self->told.size = &rung->how;
    self->told.layer_steps = options.steps;
    progress_begin(stage_student.name, flow_n_layers(student) * options.steps);
    int code = student_distill_layers(student, &rung->layers, self->target->flow, self->work->pool,
                                      &contexts, &options, course_watch_layers, &self->told, err);
    if (!code)
        course_tell_layers(&self->told, &rung->layers);
    self->told.size = NULL;
    return code;
}

static int train_rung(void *arg, flow *student, student_rung *rung, flow_err *err)
{
    lessons *self = arg;
    self->told.size = &rung->how;
    progress_begin(stage_student.name, settings_steps(&self->work->config->student));
    int code = train(self, student, &rung->training, err);
    self->told.size = NULL;
    return code;
}

static int keep_rung(void *arg, const flow *student, const student_rung *rung, flow_err *err)
{
    const lessons *self = arg;
    char name[64], size[RUNGS_NAME], path[RUNDIR_PATH];
    flow_model model = trained_model((flow *)(uintptr_t)student /* read only */,
                                     &self->target->frame, stage_student.name);
    snprintf(name, sizeof name, "student/%s.safetensors", rungs_name(size, &rung->how));
    return rundir_path(self->work->dir, path, name, err) ? flow_model_write(&model, path, err)
                                                         : err->code;
}

static int search(student_product *out, lessons *self, student_sides *sides, flow_err *err)
{
    const config_student *c = &self->work->config->student;
    const flow *teacher = self->target->flow;
    rungs_report *ladder = &out->ladder;
    student_searching with = {.teacher = teacher,
                              .sides = sides,
                              .fewest = (size_t)c->shrink.iterations,
                              .halvings = (size_t)c->shrink.halvings,
                              .passes = passes,
                              .layerwise = train_layers,
                              .train = train_rung,
                              .aside = keep_rung,
                              .arg = self};
    flow *taken = NULL;
    int code = flow_preset_unrolling(&with.how, c->flow, err);
    if (!code)
        code = student_speed_both(&ladder->teacher_rows_per_s, &ladder->teacher_row_seconds,
                                  teacher, sides, err);
    if (!code)
        code = student_search(&with, &taken, &ladder->rungs, err);
    if (taken)
        out->model = trained_model(taken, &self->target->frame, stage_student.name);
    if (!code)
        out->training = ladder->rungs.at[ladder->rungs.taken].training;
    return code;
}

static int train_following(student_product *out, lessons *self, flow_err *err)
{
    const config *c = self->work->config;
    distill_contexts contexts = target_contexts_held_out(self->target);
    student_sides sides;
    int code = student_sides_init(&sides, self->target->exact, self->work->pool, &contexts,
                                  (size_t)c->validate.samples, c->seed, err);
    if (!code)
        code = search(out, self, &sides, err);
    student_sides_release(&sides);
    return code;
}

/* ---- the stage */

static int prepare(lessons *self, flow_err *err)
{
    self->seconds = self->recipe ? self->recipe->seconds : 0;
    self->learn = target_metered(self->target->learn, &self->meter, err);
    return self->learn ? recipe_start(&self->start, self->recipe, self->target->frame.units, err)
                       : err->code;
}

static int run(void *product, const stage_work *work, const void *const *inputs, flow_err *err)
{
    student_product *out = product;
    const config *c = work->config;
    lessons all = {.work = work, .recipe = inputs[0], .target = inputs[1]};
    int code = prepare(&all, err);
    if (!code)
        code = course_begin(&all.told, work->dir, stage_student.name, METRICS,
                            settings_steps(&c->student), err);
    if (!code) {
        all.told.log_z = all.target->exact->log_z;
        code = flow_preset_follows(c->student.flow) ? train_following(out, &all, err)
                                                    : train_plain(out, &all, err);
        code = trained_end(&all.told, &out->model, work, MODEL, code, err);
    }
    out->price = price_of(&all);
    target_free(all.learn);
    free((void *)(uintptr_t)all.start.x);
    return code;
}

static void release(void *product)
{
    student_product *self = product;
    flow_free(self->model.flow);
    student_rungs_release(&self->ladder.rungs);
}

const stage stage_student = {
    .name = "student",
    .doc = "distils the teacher into the student",
    .keys =
        (const char *const[]){"seed", "precision", "compute.shard", "student", "validate", NULL},
    .inputs = (const stage *const[]){&stage_recipe, &stage_target, NULL},
    .outputs = (const char *const[]){METRICS, MODEL, "student/t[0-9]*.safetensors", NULL},
    .product_size = sizeof(student_product),
    .run = run,
    .release = release};
