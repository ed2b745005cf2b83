/* pipeline/stages/student.c -- one distillation, or, of a student that starts as its teacher, the search for
 * its size (student/search.h), which is one for each. */
#include "pipeline/stages/student.h"

#include "flow/alone.h"
#include "flow/clock.h"
#include "flow/json.h"
#include "flow/preset.h"
#include "pipeline/config/settings.h"
#include "pipeline/console/progress.h"
#include "pipeline/console/signals.h"
#include "pipeline/report/judge.h"
#include "pipeline/stages/checkpoint.h"
#include "pipeline/stages/flows.h"
#include "pipeline/stages/kept.h"
#include "pipeline/stages/recipe.h"
#include "pipeline/stages/rung_file.h"
#include "pipeline/stages/target.h"
#include "pipeline/stages/trained.h"
#include "student/speed.h"
#include "teacher/target_metered.h"

#include <math.h>
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
    double began;   /* of the one that goes on; NaN between two */
    course told;
    state_owner owner; /* of what is kept on the way */
    size_t next;       /* rung of a search */
    long long lines;   /* of metrics.jsonl, in bytes, before it */
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

static int train(lessons *self, flow *student, distill_state *state, const flow_keeper *keeper,
                 flow_err *err)
{
    distill_options options = settings_distill(self->work->config);
    distill_contexts contexts = target_contexts(self->target);
    options.start = self->start;
    options.keeper = keeper;
    self->began = flow_seconds_of_process();
    int code = student_distill(student, state, self->work->pool, self->learn, &contexts, &options,
                               course_watch_distill, &self->told, err);
    self->seconds += flow_seconds_of_process() - self->began;
    self->began = NAN;
    if (code == 0)
        course_tell_distill(&self->told, state, flow_n_weights(student));
    return code;
}

/* What was asked of the target so far, and what that took, is kept beside the state. */
typedef struct counted {
    uint64_t densities, gradients, draws, nanoseconds;
    double seconds;
} counted;

static const kept_field of_counts[] = {
    KEPT(counted, densities, KEPT_WHOLE), KEPT(counted, gradients, KEPT_WHOLE),
    KEPT(counted, draws, KEPT_WHOLE),     KEPT(counted, nanoseconds, KEPT_WHOLE),
    KEPT(counted, seconds, KEPT_REAL),    {NULL, KEPT_REAL, 0, 0}};

static json_t *counts(const void *arg)
{
    const lessons *self = arg;
    const target_meter *m = &self->meter;
    double going = isnan(self->began) ? 0 : flow_seconds_of_process() - self->began;
    const counted now = {m->densities, m->gradients, m->draws, m->nanoseconds,
                         self->seconds + going};
    return kept_json(of_counts, &now);
}

static int take_counts(void *arg, const json_t *more, flow_err *err)
{
    lessons *self = arg;
    counted then;
    if (kept_read(&then, of_counts, more, err))
        return err->code;
    self->meter.densities = then.densities;
    self->meter.gradients = then.gradients;
    self->meter.draws = then.draws;
    self->meter.nanoseconds = then.nanoseconds;
    self->seconds = then.seconds;
    return 0;
}

static int train_plain(student_product *out, lessons *self, flow_err *err)
{
    flow *iaf = flows_student(self->work->config, self->target->learn, self->target->flow, err);
    if (!iaf)
        return err->code;
    out->model = trained_model(iaf, &self->target->frame, stage_student.name);
    checkpoint kept = {.of = &self->owner};
    int code = train(self, iaf, &out->training, checkpoint_keeper(&kept), err);
    checkpoint_release(&kept);
    return code;
}

/* ---- a search */

static bool passes(void *arg, const student_rung *rung)
{
    const lessons *self = arg;
    return judge_rung(rung, self->target->exact->log_z, &self->work->config->validate.require);
}

/* A rung has two trainings. The layers' writes no metrics. */
static checkpoint checkpoint_of(lessons *self, bool layers)
{
    return (checkpoint){
        .of = &self->owner, .turn = 2 * self->next + !layers, .lines = layers ? -1 : self->lines};
}

static int train_layers(void *arg, flow *student, student_rung *rung, flow_err *err)
{
    lessons *self = arg;
    student_layers_options options = settings_layerwise(self->work->config);
    distill_contexts contexts = target_contexts(self->target);
    checkpoint kept = checkpoint_of(self, true);
    if (!options.steps)
        return 0;
    options.keeper = checkpoint_keeper(&kept);
    self->told.size = &rung->how;
    self->told.layer_steps = options.steps;
    progress_begin(stage_student.name, flow_n_layers(student) * options.steps);
    int code = student_distill_layers(student, &rung->layers, self->target->flow, self->work->pool,
                                      &contexts, &options, course_watch_layers, &self->told, err);
    checkpoint_release(&kept);
    if (!code)
        course_tell_layers(&self->told, &rung->layers);
    self->told.size = NULL;
    return code;
}

static int train_rung(void *arg, flow *student, student_rung *rung, flow_err *err)
{
    lessons *self = arg;
    checkpoint kept = checkpoint_of(self, false);
    self->told.size = &rung->how;
    progress_begin(stage_student.name, settings_steps(&self->work->config->student));
    int code = train(self, student, &rung->training, checkpoint_keeper(&kept), err);
    checkpoint_release(&kept);
    self->told.size = NULL;
    return code;
}

/* ---- what is finished of it */

static int recall(void *arg, bool *found, size_t n, student_rung *rung, flow *student,
                  flow_err *err)
{
    lessons *self = arg;
    self->next = n;
    return rung_file_read(&self->owner, found, &self->lines, n, rung, student, err);
}

/* A measure is long, and has no end but its own: a stop waits here. */
static int remember(void *arg, size_t n, const student_rung *rung, const flow *student,
                    flow_err *err)
{
    lessons *self = arg;
    int code = rung_file_write(&self->owner, n, rung, student, err);
    self->lines = metrics_length(&self->told.metrics);
    if (!code && signals_pending())
        code = flow_fail(err, FLOW_ESTOPPED, "stopped behind rung %zu of the search", n + 1);
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
                              .remember = remember,
                              .recall = recall,
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
                                  (size_t)c->student.shrink.samples, c->seed, err);
    if (!code)
        code = search(out, self, &sides, err);
    student_sides_release(&sides);
    return code;
}

/* ---- what is kept */

#define WHOLE(OF, FIELD) KEPT(OF, FIELD, KEPT_WHOLE)
#define REAL(OF, FIELD) KEPT(OF, FIELD, KEPT_REAL)

#define TRAINING(OF, AT)                                                                           \
    WHOLE(OF, AT step), WHOLE(OF, AT steps), WHOLE(OF, AT rows), WHOLE(OF, AT evaluations),        \
        REAL(OF, AT kl_reverse), REAL(OF, AT kl_forward), REAL(OF, AT lr), WHOLE(OF, AT clipped),  \
        WHOLE(OF, AT skipped), WHOLE(OF, AT zero_density), WHOLE(OF, AT broken.count),             \
        WHOLE(OF, AT broken.row), REAL(OF, AT broken.log_p), WHOLE(OF, AT broken.dim),             \
        KEPT_LIST(OF, AT broken.x, KEPT_REAL, BROKEN_SHOWN), WHOLE(OF, AT broken_step),            \
        REAL(OF, AT kl_warm), REAL(OF, AT kl_best), WHOLE(OF, AT best_step),                       \
        KEPT(OF, AT went_back, KEPT_INT)

static const kept_field of_product[] = {TRAINING(student_product, training.),
                                        WHOLE(student_product, price.densities),
                                        WHOLE(student_product, price.gradients),
                                        WHOLE(student_product, price.draws),
                                        REAL(student_product, price.target_seconds),
                                        REAL(student_product, price.seconds),
                                        WHOLE(student_product, ladder.rungs.taken),
                                        REAL(student_product, ladder.teacher_rows_per_s),
                                        REAL(student_product, ladder.teacher_row_seconds),
                                        {NULL, KEPT_REAL, 0, 0}};

#define ESTIMATE(FIELD) REAL(student_rung, FIELD.value), REAL(student_rung, FIELD.se)

/* Of a rung what is reported: size, training and the figures of the ladder. */
static const kept_field of_rung[] = {WHOLE(student_rung, how.iterations),
                                     KEPT(student_rung, how.tied, KEPT_BOOL),
                                     REAL(student_rung, how.width),
                                     KEPT(student_rung, trained, KEPT_BOOL),
                                     KEPT(student_rung, layerwise, KEPT_BOOL),
                                     WHOLE(student_rung, layers.layers),
                                     WHOLE(student_rung, layers.trained),
                                     WHOLE(student_rung, layers.better),
                                     REAL(student_rung, layers.kl_before),
                                     REAL(student_rung, layers.kl_after),
                                     KEPT(student_rung, layers.went_back, KEPT_INT),
                                     TRAINING(student_rung, training.),
                                     KEPT(student_rung, wild, KEPT_BOOL),
                                     ESTIMATE(weights.kl_reverse),
                                     ESTIMATE(weights.kl_forward),
                                     ESTIMATE(weights.ess_reverse),
                                     ESTIMATE(weights.ess_forward),
                                     REAL(student_rung, weights.psis.khat),
                                     REAL(student_rung, mode_share_error),
                                     REAL(student_rung, roundtrip),
                                     REAL(student_rung, rows_per_s),
                                     REAL(student_rung, row_seconds),
                                     {NULL, KEPT_REAL, 0, 0}};

static json_t *store(const void *product)
{
    const student_product *self = product;
    json_t *out = kept_json(of_product, self), *rungs = json_array();
    for (size_t k = 0; k < self->ladder.rungs.n; k++)
        flow_json_append(&rungs, kept_json(of_rung, &self->ladder.rungs.at[k]));
    flow_json_set(&out, "rungs", rungs);
    return out;
}

static int load_rungs(student_rungs *out, const json_t *list, flow_err *err)
{
    size_t n = json_array_size(list);
    out->at = calloc(n + 1, sizeof *out->at);
    if (!out->at)
        return flow_fail(err, FLOW_ENOMEM, "out of memory for %zu rungs", n);
    out->capacity = n;
    for (; out->n < n; out->n++)
        if (kept_read(&out->at[out->n], of_rung, json_array_get(list, out->n), err))
            return err->code;
    return 0;
}

static int load(void *product, const stage_work *work, const void *const *inputs,
                const json_t *kept, flow_err *err)
{
    student_product *out = product;
    const target_product *from = inputs[1];
    int code = kept_read(out, of_product, kept, err);
    if (!code)
        code = load_rungs(&out->ladder.rungs, json_object_get(kept, "rungs"), err);
    return code ? code
                : trained_load(&out->model, &from->frame, stage_student.name, work, MODEL, err);
}

/* ---- the stage */

static int prepare(lessons *self, flow_err *err)
{
    self->owner = (state_owner){.work = self->work,
                                .stage = stage_student.name,
                                .told = &self->told,
                                .more = counts,
                                .take = take_counts,
                                .arg = self,
                                .began = flow_seconds()};
    self->seconds = self->recipe ? self->recipe->seconds : 0;
    self->learn = target_metered(self->target->learn, &self->meter, err);
    return self->learn ? recipe_start(&self->start, self->recipe, self->target->frame.units, err)
                       : err->code;
}

/* The judge of a search is that of the validation. */
static bool is_searched(const config *c)
{
    return flow_preset_follows(c->student.flow);
}

static int run(void *product, const stage_work *work, const void *const *inputs, flow_err *err)
{
    student_product *out = product;
    const config *c = work->config;
    lessons all = {.work = work, .recipe = inputs[0], .target = inputs[1], .began = NAN};
    bool searched = is_searched(c);
    out->model = trained_model(NULL, &all.target->frame, stage_student.name); /* none yet */
    int code = prepare(&all, err);
    if (!code)
        code = course_begin(&all.told, work->dir, stage_student.name, METRICS,
                            settings_steps(&c->student), err);
    if (!code) {
        all.told.log_z = all.target->exact->log_z;
        code = searched ? train_following(out, &all, err) : train_plain(out, &all, err);
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
    .abi = 1,
    .keys = (const char *const[]){"seed", "precision", "compute.shard", "student", NULL},
    .keys_if = (const char *const[]){"validate.require", NULL},
    .reads_more = is_searched,
    .inputs = (const stage *const[]){&stage_recipe, &stage_target, NULL},
    .outputs = (const char *const[]){METRICS, MODEL, "student/t[0-9]*.safetensors", NULL},
    .resumes = true,
    .product_size = sizeof(student_product),
    .run = run,
    .store = store,
    .load = load,
    .release = release};
