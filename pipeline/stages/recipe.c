/* pipeline/stages/recipe.c -- a look at a target before a student is trained for it (student/recipe.h): what the config
 * left open is settled by it, and the settled config takes the place of the other. */
#include "pipeline/stages/recipe.h"

#include "files/npy.h"
#include "files/read.h"
#include "flow/clock.h"
#include "flow/json.h"
#include "flow/preset.h"
#include "pipeline/config/settings.h"
#include "pipeline/console/progress.h"
#include "pipeline/console/wrap.h"
#include "pipeline/stages/kept.h"
#include "pipeline/stages/stage.h"
#include "teacher/target_in_units.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char TEXT[] = "recipe.txt", ROWS[] = "pilot.npy";

/* ---- what the config says */

static recipe_request request_of(const config *c)
{
    const config_student *s = &c->student;
    return (recipe_request){.options = settings_distill(c),
                            .steps_fixed = s->train.steps != 0,
                            .lr_fixed = !isnan(s->train.lr),
                            .gradient_fixed = s->train.gradient != DISTILL_AUTO,
                            .objective = s->train.objective,
                            .flow = s->flow_given ? s->flow : NULL,
                            .rows = (size_t)s->pilot_rows,
                            .no_sketch = s->recipe != RECIPE_AUTO || s->sketch == SKETCH_OFF};
}

static json_t *list_of(const double *x, size_t n)
{
    json_t *out = json_array();
    for (size_t i = 0; i < n && out; i++)
        if (json_array_append_new(out, json_real(x[i]))) {
            json_decref(out);
            out = NULL;
        }
    return out;
}

/* ---- what is settled */

static void settle_training(config *out, const student_recipe *r)
{
    config_student *s = &out->student;
    s->flow = r->flow;
    s->flow_given = true;
    s->train.objective = r->objective;
    s->train.steps = r->options.steps;
    s->train.lr = r->options.lr;
    s->train.gradient = r->options.gradient;
    s->train.temper = r->options.temper;
    s->train.temper_until = r->options.temper_until;
    if (s->train.warmup > s->train.steps)
        s->train.warmup = s->train.steps;
}

/* A target that is told by little is judged by little, too. By the config of the day: a recipe that is taken from the store
 * knows nothing of it. */
static void settle_verdict(config_validate *v, int near)
{
    if (v->chain == CHAIN_OFF)
        return;
    v->chains = v->chains ? v->chains : near ? CONFIG_CHAINS_NEAR : CONFIG_CHAINS;
    v->chain_rows = v->chain_rows ? v->chain_rows
                    : near        ? CONFIG_CHAIN_ROWS_NEAR
                                  : CONFIG_CHAIN_ROWS;
    if (isnan(v->hunt))
        v->hunt = near ? CONFIG_HUNT_NEAR : CONFIG_HUNT;
}

static int settle(recipe_product *self, const config *c, flow_err *err)
{
    const student_pilot *pilot = &self->recipe.pilot;
    self->settled = *c;
    self->shift = list_of(pilot->shift, pilot->rows.dim);
    self->scale = list_of(pilot->scale, pilot->rows.dim);
    if (!self->shift || !self->scale)
        return flow_fail(err, FLOW_ENOMEM, "out of memory for a recipe");
    if (c->student.recipe == RECIPE_AUTO)
        settle_training(&self->settled, &self->recipe);
    settle_verdict(&self->settled.validate, self->recipe.sketched);
    if (c->student.start != START_PILOT || target_follows(c->target))
        return 0; /* a model has a frame of its own */
    config_student_frame *frame = &self->settled.student.frame;
    frame->shift = frame->shift ? frame->shift : self->shift;
    frame->scale = frame->scale ? frame->scale : self->scale;
    return 0;
}

/* The rows are on the line already: what is left is shift and scale. */
int recipe_start(distill_rows *out, const recipe_product *self, const flow_units *units,
                 flow_err *err)
{
    *out = (distill_rows){.n = 0};
    if (!self || !self->recipe.pilot.rows.n || self->settled.student.start != START_PILOT)
        return 0;
    const annealed *rows = &self->recipe.pilot.rows;
    double *u = malloc((rows->n * rows->dim + 1) * sizeof *u);
    if (!u)
        return flow_fail(err, FLOW_ENOMEM, "out of memory for %zu rows to start from", rows->n);
    size_t n = rows->n * rows->dim;
    bool own = target_follows(self->settled.target); /* rows are in the units of its flow */
    for (size_t i = 0; i < n; i++)
        u[i] = own ? rows->x[i] : flow_unit_placed(&units->column[i % rows->dim], rows->x[i]);
    *out = (distill_rows){.x = u, .n = rows->n, .precise = self->recipe.pilot.precise};
    return 0;
}

/* ---- the stage */

static int look_at(recipe_product *self, const stage_work *work, const target *t, flow_err *err)
{
    recipe_request request = request_of(work->config);
    target *metered = target_metered(t, &self->meter, err);
    double start = flow_seconds_of_process();
    int code = metered ? student_recipe_make(&self->recipe, metered, work->pool, &request, err)
                       : err->code;
    self->seconds = flow_seconds_of_process() - start;
    target_free(metered);
    return code ? code : settle(self, work->config, err);
}

/* Of what has context there is no pilot: nothing is settled. */
static int look(recipe_product *self, const stage_work *work, flow_err *err)
{
    target *energy = target_create(work->config->target, err);
    target *line = energy && energy->kinds ? target_on_the_line(energy, err) : energy;
    int code = line ? 0 : err->code;
    self->settled = *work->config;
    if (line && !line->context)
        code = look_at(self, work, line, err);
    if (line != energy)
        target_free(line);
    target_free(energy);
    return code;
}

static void tell(const recipe_product *self, const config *c)
{
    const annealed *rows = &self->recipe.pilot.rows;
    progress_end("%zu rows annealed to the target; log Z is about %.2f", rows->n, rows->log_z);
    if (c->student.recipe == RECIPE_AUTO)
        wrap_print("so", self->recipe.text);
}

/* The rows, for a student that is trained when the recipe is not looked for again. */
static int write_rows(const recipe_product *self, const rundir *dir, flow_err *err)
{
    const annealed *rows = &self->recipe.pilot.rows;
    char path[RUNDIR_PATH];
    return rundir_path(dir, path, ROWS, err)
               ? file_npy_write(path, rows->x, rows->n, rows->dim, FLOW_F64, err)
               : err->code;
}

static int run(void *product, const stage_work *work, const void *const *inputs, flow_err *err)
{
    recipe_product *self = product;
    (void)inputs;
    progress_begin(stage_recipe.name, 0);
    int code = look(self, work, err);
    bool looked = self->recipe.pilot.rows.n > 0,
         settled = work->config->student.recipe == RECIPE_AUTO;
    if (!code && looked && settled)
        code = rundir_write_text(work->dir, TEXT, self->recipe.text, err);
    if (!code && looked)
        code = write_rows(self, work->dir, err);
    if (code) {
        progress_clear();
        return flow_fail_prefix(err, stage_recipe.name);
    }
    if (!work->quiet && looked)
        tell(self, work->config);
    return 0;
}

/* ---- what is kept */

/* Of what settle_training settles, the numbers. */
static const kept_field of_config[] = {KEPT(config, student.flow_given, KEPT_BOOL),
                                       KEPT(config, student.train.steps, KEPT_WHOLE),
                                       KEPT(config, student.train.lr, KEPT_REAL),
                                       KEPT(config, student.train.gradient, KEPT_INT),
                                       KEPT(config, student.train.temper, KEPT_REAL),
                                       KEPT(config, student.train.temper_until, KEPT_REAL),
                                       KEPT(config, student.train.warmup, KEPT_WHOLE),
                                       {NULL, KEPT_REAL, 0, 0}};

static const kept_field of_look[] = {KEPT(recipe_product, recipe.sketched, KEPT_INT),
                                     KEPT(recipe_product, recipe.pilot.precise, KEPT_INT),
                                     {NULL, KEPT_REAL, 0, 0}};

/* Its counters are atomic, but as wide as any. */
static const kept_field of_price[] = {KEPT(recipe_product, meter.densities, KEPT_WHOLE),
                                      KEPT(recipe_product, meter.gradients, KEPT_WHOLE),
                                      KEPT(recipe_product, meter.draws, KEPT_WHOLE),
                                      KEPT(recipe_product, meter.nanoseconds, KEPT_WHOLE),
                                      KEPT(recipe_product, seconds, KEPT_REAL),
                                      {NULL, KEPT_REAL, 0, 0}};

static json_t *object_or_null(const json_t *value)
{
    return value ? json_deep_copy(value) : json_null();
}

static json_t *store(const void *product)
{
    const recipe_product *self = product;
    const config_student *s = &self->settled.student;
    json_t *out = json_object();
    flow_json_set(&out, "settled", kept_json(of_config, &self->settled));
    flow_json_set(&out, "look", kept_json(of_look, self));
    flow_json_set(&out, "price", kept_json(of_price, self));
    flow_json_set(&out, "flow", object_or_null(s->flow));
    flow_json_set(&out, "objective", object_or_null(s->train.objective));
    flow_json_set(&out, "shift", object_or_null(s->frame.shift));
    flow_json_set(&out, "scale", object_or_null(s->frame.scale));
    flow_json_set(&out, "looked", json_boolean(self->recipe.pilot.rows.n > 0));
    return out;
}

/* An object that is kept as long as the product; NULL for null. */
static const json_t *hold(recipe_product *self, const json_t *kept, const char *key)
{
    json_t *value = json_object_get(kept, key);
    return json_is_null(value) || json_object_set(self->kept, key, value) ? NULL : value;
}

static int read_rows(recipe_product *self, const rundir *dir, flow_err *err)
{
    char path[RUNDIR_PATH];
    annealed *rows = &self->recipe.pilot.rows;
    file_table *table =
        rundir_path(dir, path, ROWS, err) ? file_read(path, FILE_HEADER_NO, err) : NULL;
    if (!table)
        return err->code;
    rows->n = table->rows;
    rows->dim = table->cols;
    rows->x = table->values;
    table->values = NULL;
    file_table_free(table);
    return 0;
}

static int load(void *product, const stage_work *work, const void *const *inputs,
                const json_t *kept, flow_err *err)
{
    recipe_product *self = product;
    config *out = &self->settled;
    (void)inputs;
    *out = *work->config;
    self->kept = json_object();
    out->student.flow = hold(self, kept, "flow");
    out->student.train.objective = hold(self, kept, "objective");
    out->student.frame.shift = hold(self, kept, "shift");
    out->student.frame.scale = hold(self, kept, "scale");
    if (kept_read(out, of_config, json_object_get(kept, "settled"), err) ||
        kept_read(self, of_look, json_object_get(kept, "look"), err) ||
        kept_read(self, of_price, json_object_get(kept, "price"), err))
        return err->code;
    settle_verdict(&out->validate, self->recipe.sketched);
    return json_is_true(json_object_get(kept, "looked")) ? read_rows(self, work->dir, err) : 0;
}

static const config *settled(const void *product)
{
    return &((const recipe_product *)product)->settled;
}

static bool is_due(const config *c)
{
    return c->target && !flow_preset_follows(c->student.flow) &&
           (c->student.recipe == RECIPE_AUTO || c->student.start == START_PILOT);
}

static void release(void *product)
{
    recipe_product *self = product;
    student_recipe_close(&self->recipe);
    json_decref(self->shift);
    json_decref(self->scale);
    json_decref(self->kept);
}

/* A flow that is the default is not looked for where somebody has said it. */
static void derives(json_t **slice, const config *c)
{
    flow_json_set(slice, "student.flow (given)", json_boolean(c->student.flow_given));
}

const stage stage_recipe = {.name = "recipe",
                            .doc = "looks at a target and settles how a student is trained for it",
                            .abi = 2,
                            .keys = (const char *const[]){"seed", "target", "student", NULL},
                            .derives = derives,
                            .inputs = (const stage *const[]){NULL},
                            .outputs = (const char *const[]){TEXT, NULL},
                            .is_due = is_due,
                            .product_size = sizeof(recipe_product),
                            .run = run,
                            .settled = settled,
                            .store = store,
                            .load = load,
                            .release = release};
