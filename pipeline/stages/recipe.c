/* pipeline/stages/recipe.c -- a look at a target before a student is trained for it (student/recipe.h): what the config
 * left open is settled by it, and the settled config takes the place of the other. */
#include "pipeline/stages/recipe.h"

#include "flow/clock.h"
#include "flow/preset.h"
#include "pipeline/config/settings.h"
#include "pipeline/console/progress.h"
#include "pipeline/console/wrap.h"
#include "pipeline/stages/record.h"
#include "pipeline/stages/stage.h"
#include "teacher/target_in_units.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char TEXT[] = "recipe.txt";

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

/* A target that is told by little is judged by little, too. */
static void settle_verdict(config_validate *v, int near)
{
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
    if (c->validate.chain != CHAIN_OFF)
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
    if (!code)
        code = record_resolved(work->dir, &self->settled, err);
    if (code) {
        progress_clear();
        return flow_fail_prefix(err, stage_recipe.name);
    }
    if (!work->quiet && looked)
        tell(self, work->config);
    return 0;
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
}

const stage stage_recipe = {
    .name = "recipe",
    .doc = "looks at a target and settles how a student is trained for it",
    .keys = (const char *const[]){"seed", "target", "student", "validate", NULL},
    .inputs = (const stage *const[]){NULL},
    .outputs = (const char *const[]){TEXT, NULL},
    .is_due = is_due,
    .product_size = sizeof(recipe_product),
    .run = run,
    .settled = settled,
    .release = release};
