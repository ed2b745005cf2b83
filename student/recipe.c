#include "student/recipe.h"

#include "flow/preset.h"
#include "student/objective.h"
#include "student/recipe_look.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- what follows from it */

typedef struct plan {
    size_t layers, width, bins; /* bins 0: affine */
    size_t affine;              /* more layers behind those, affine ones */
    size_t components;          /* 0: a normal base */
    int linear;                 /* whether a linear map ends it */
    int tanh;                   /* in place of silu */
    double lr;
    size_t steps;
    double temper, temper_until; /* 0: not tempered */
    distill_gradient gradient;
    const char *objective; /* JSON */
    const char *why;
    /* The same where no gradient goes through the samples; NULL: as it is, by log-variance. */
    const char *blind_objective, *blind_why;
} plan;

enum { MOST_COMPONENTS = 256 }; /* of a mixture */

/* Reverse KL that is by the path gradient else. */
#define BLIND_KL                                                                                   \
    .blind_why = "reverse KL by log-variance, for which no gradient goes through the samples, "    \
                 "from the rows' mean and covariance"

/* For what own rows hardly reach. */
#define WIDE_ROWS                                                                                  \
    "{\"kind\": \"importance\", \"alpha\": 1.5, \"widen\": 0.2, \"widen_by\": 1.5, "               \
    "\"buffer\": 8192, \"every\": 40}"

/* By shape; width 0: by the dimension, components: for each piece. */
static const plan plans[] = {
    [RECIPE_NORMAL] =
        {.layers = 1,
         .width = 32,
         .linear = 1,
         .tanh = 1,
         .lr = 2e-3,
         .steps = 3000,
         .gradient = DISTILL_PATH,
         .objective = "{\"kind\": \"kl\"}",
         .why = "reverse KL by the path gradient, which has no noise where the student is "
                "right, from the rows' mean and covariance",
         BLIND_KL},
    [RECIPE_GENTLE] = {.layers = 3,
                       .linear = 1,
                       .lr = 2e-3,
                       .gradient = DISTILL_PATH,
                       .objective = "{\"kind\": \"kl\"}",
                       .why =
                           "reverse KL by the path gradient, from the rows' mean and covariance, "
                           "on affine layers of wide networks, for means and widths that "
                           "depend on many columns",
                       BLIND_KL},
    [RECIPE_BENT] = {.layers = 3,
                     .bins = 8,
                     .linear = 1,
                     .lr = 1e-3,
                     .steps = 5000,
                     .gradient = DISTILL_PATH,
                     .objective = "{\"kind\": \"kl\"}",
                     .why = "reverse KL by the path gradient on splines, from the rows' mean and "
                            "covariance: there is no mode to lose",
                     BLIND_KL},
    [RECIPE_LUMPS] =
        {.layers = 4,
         .width = 64,
         .bins = 12,
         .components = 64,
         .lr = 5e-3,
         .steps = 12000,
         .gradient = DISTILL_LOG_VARIANCE,
         .objective = "{\"kind\": \"mass_transport\", \"polish\": 0.4}",
         .why = "mass transport, which keeps lumps, on splines over a mixture base whose many "
                "components are placed by k-means; for the last two fifths reverse "
                "KL by log-variance, which clears what is between them"},
    [RECIPE_UNEVEN] = {.layers = 1,
                       .width = 64,
                       .bins = 8,
                       .affine = 2,
                       .tanh = 1,
                       .lr = 2e-3,
                       .steps = 30000,
                       .gradient = DISTILL_LOG_VARIANCE,
                       .objective = WIDE_ROWS,
                       .why =
                           "own rows weighed between forward KL and chi-square, which see a narrow "
                           "place that reverse KL leaves out, on splines below affine layers "
                           "that follow widths"},
    [RECIPE_HEAVY] = {.layers = 2,
                      .tanh = 1,
                      .width = 64,
                      .lr = 2e-3,
                      .steps = 30000,
                      .gradient = DISTILL_LOG_VARIANCE,
                      .objective = WIDE_ROWS,
                      .why = "own rows weighed between forward KL and chi-square, on affine "
                             "layers, whose scales reach further than splines, of "
                             "tanh, which does not run away where there was no row"},
    [RECIPE_STEEP] = {.layers = 5,
                      .width = 128,
                      .bins = 8,
                      .linear = 1,
                      .lr = 1e-3,
                      .steps = 30000,
                      .gradient = DISTILL_PATH,
                      .temper = 0.1,
                      .temper_until = 0.1,
                      .objective = "{\"kind\": \"two_sided\", \"start\": 0}",
                      .why = "both directions of KL on the same own rows, for the path gradient "
                             "alone leaves out what is beside the steep places, tempered at "
                             "first, without which a part of the mass can stay missing",
                      .blind_objective = WIDE_ROWS,
                      .blind_why = "own rows weighed between forward KL and chi-square, for which "
                                   "no gradient goes through the samples"},
    [RECIPE_PIECES] =
        {.layers = 1,
         .width = 16,
         .bins = 4,
         .components = 2,
         .lr = 3e-3,
         .steps = 3000,
         .gradient = DISTILL_LOG_VARIANCE,
         .objective = "{\"kind\": \"mass_transport\"}",
         .why = "mass transport, which keeps modes, on a mixture base with two components for "
                "each, placed by k-means, and a small network, which has little noise"},
    [RECIPE_MANY] = {.layers = 2,
                     .width = 64,
                     .bins = 12,
                     .linear = 1,
                     .lr = 3e-3,
                     .steps = 10000,
                     .gradient = DISTILL_LOG_VARIANCE,
                     .objective = "{\"kind\": \"mass_transport\"}",
                     .why = "mass transport, which keeps modes, on splines"},
};

/* Of any shape but a normal one, in RECIPE_FEW dimensions. */
static const plan few = {
    .layers = 4,
    .width = 64,
    .bins = 12,
    .components = 3,
    .lr = 3e-3,
    .steps = 5000,
    .gradient = DISTILL_LOG_VARIANCE,
    .objective = "{\"kind\": \"mass_transport\", \"polish\": 0.3}",
    .why = "mass transport, which keeps modes, on splines over a mixture base whose "
           "components are placed by k-means; at last reverse KL by log-variance, which "
           "clears what is between them"};

/* The same where nothing is on a line, and a base is uniform whatever it would be there. */
static const plan few_around = {
    .layers = 4,
    .width = 64,
    .bins = 12,
    .lr = 3e-3,
    .steps = 5000,
    .gradient = DISTILL_LOG_VARIANCE,
    .objective = "{\"kind\": \"mass_transport\", \"polish\": 0.3}",
    .why = "mass transport, which keeps modes, on splines round the circles; at last reverse KL by "
           "log-variance, which clears what is between them"};

/* A network for means that depend on all columns before has more to learn where those are many. */
static void fit_to_columns(plan *p, size_t dim)
{
    p->width = dim <= 16 ? 64 : dim <= 40 ? 128 : 192;
    p->steps = dim <= 8 ? 5000 : dim < 48 ? 625 * dim : 30000;
}

/* With circles: components of a base cannot be placed on them, affine maps are none of theirs, and their splines do not care
 * how widths differ. */
static recipe_shape shape_around(const student_recipe *self)
{
    recipe_shape is = recipe_shape_of(self);
    bool bends = is == RECIPE_NORMAL || is == RECIPE_GENTLE || is == RECIPE_UNEVEN;
    return bends ? RECIPE_BENT : is == RECIPE_PIECES ? RECIPE_MANY : is;
}

/* Nats: an affine layer cannot bend its first column, which is told where a normal is further off. */
static const double ROUND = 0.005;

static plan plan_of(const student_recipe *self)
{
    size_t dim = self->pilot.rows.dim, n = self->pieces.n;
    recipe_shape is = self->circles ? shape_around(self) : recipe_shape_of(self);
    bool is_few = dim <= RECIPE_FEW && is != RECIPE_NORMAL;
    plan out = !is_few ? plans[is] : self->circles == dim ? few_around : few;
    if (self->circles && recipe_shape_of(self) == RECIPE_UNEVEN && !is_few)
        out.steps *= 3; /* angles that go with one another */
    if (is == RECIPE_GENTLE && !is_few)
        fit_to_columns(&out, dim);
    if (is == RECIPE_NORMAL && self->normal.distance >= ROUND)
        out.bins = 8;
    if (out.width == 0)
        out.width = dim <= 40 ? 64 : 128;
    out.components *= is_few && n < RECIPE_FEW ? RECIPE_FEW : n;
    if (out.components > MOST_COMPONENTS)
        out.components = MOST_COMPONENTS;
    return out;
}

/* ---- as descriptions */

enum { FLOW_TEXT = 4096 };

static size_t append(char *text, size_t at, const char *what)
{
    int n = snprintf(text + at, FLOW_TEXT - at, "%s", what);
    return at + (size_t)n;
}

/* Layer number i, from the noise. */
static void write_layer(char *text, size_t size, const plan *p, size_t i)
{
    char transformer[64];
    bool spline = p->bins && i < p->layers;
    snprintf(transformer, sizeof transformer,
             spline ? "\"spline\", \"bins\": %zu" : "\"affine\", \"scale_bound\": 8", p->bins);
    snprintf(text, size,
             "{\"kind\": \"autoregressive\", \"transformer\": {\"kind\": %s}, \"conditioner\": "
             "{\"kind\": \"mlp\", \"hidden\": [%zu, %zu], \"activation\": \"%s\"}}",
             transformer, p->width, p->width, p->tanh ? "tanh" : "silu");
}

/* A preset: NULL if memory is out. */
static json_t *flow_of(const plan *p)
{
    char text[FLOW_TEXT], layer[512], base[64] = "{\"kind\": \"normal\"}";
    size_t at = append(text, 0, "{\"kind\": \"stack\", \"layers\": [");
    for (size_t i = 0; i < p->layers + p->affine; i++) {
        write_layer(layer, sizeof layer, p, i);
        at = append(text, at, i ? ", {\"kind\": \"permutation\", \"pattern\": \"reverse\"}, " : "");
        at = append(text, at, layer);
    }
    if (p->components)
        snprintf(base, sizeof base, "{\"kind\": \"mixture\", \"components\": %zu}", p->components);
    at = append(text, at, p->linear ? ", {\"kind\": \"lu_linear\"}], \"base\": " : "], \"base\": ");
    at = append(text, at, base);
    append(text, at, "}");
    return json_loads(text, 0, NULL);
}

/* A complete object of the registry from one of the user's, borrowed, or else from `found`, which is released. */
static json_t *complete(const flow_registry *registry, const json_t *said, json_t *found,
                        flow_err *err)
{
    json_t *out = said || found ? flow_kind_complete(registry, said ? said : found, err) : NULL;
    json_decref(found);
    return out;
}

/* ---- */

/* How its rows were found; returns the length of that. */
static size_t tell_of_rows(student_recipe *self, const char *circles)
{
    const annealed *rows = &self->pilot.rows;
    int n =
        self->sketched
            ? snprintf(self->text, sizeof self->text,
                       "%d rows in %zu dimensions were annealed from a normal of width %.3g, in "
                       "%zu steps; all of them are where a normal is whose weights are even, "
                       "and %zu rows were drawn from that, by weight: %.2g evaluations in all; log "
                       "Z is %.2f.",
                       SKETCH_ROWS, rows->dim, self->pilot.start, rows->steps, rows->n,
                       (double)self->evaluations, rows->log_z)
            : snprintf(self->text, sizeof self->text,
                       "%zu rows in %zu dimensions%s were annealed from a normal of width "
                       "%.3g, in %zu steps and %.2g evaluations; log Z is about %.2f.",
                       rows->n - self->pilot.filled, rows->dim, circles, self->pilot.start,
                       rows->steps, (double)self->evaluations, rows->log_z);
    return n > 0 ? (size_t)n : 0;
}

static const char FEWER[] = " Of the verdict's chains and hunt, too, a quarter is enough.";

static void tell(student_recipe *self, const recipe_request *request, const plan *p)
{
    const distill_options *o = &self->options;
    char filled[64] = "", circles[80] = "";
    if (self->circles)
        snprintf(circles, sizeof circles, ", %zu of them circles, all round which they start,",
                 self->circles);
    if (self->pilot.filled)
        snprintf(filled, sizeof filled, "; %zu more rows for pieces that had few",
                 self->pilot.filled);
    size_t at = tell_of_rows(self, circles);
    snprintf(self->text + at, sizeof self->text - at,
             " %s (%zu of them, %.0f %% of the rows in the "
             "largest; %.2g nats from a normal; farthest %.1f standard deviations, flattest fourth "
             "moment %.2g%s). So: %s; %zu layers of %s%s, %zu wide%s%s; %zu steps of %zu rows at "
             "%.2g.%s",
             recipe_shapes[recipe_shape_of(self)], self->pieces.n, 100 * self->pieces.largest,
             self->normal.distance, self->normal.farthest, self->normal.flattest, filled,
             request->objective ? "the objective that was asked for" : p->why, p->layers,
             p->bins ? "splines" : "affine maps", p->affine ? " and two affine ones" : "", p->width,
             p->linear ? ", a linear map behind them" : "",
             request->flow ? " were what it would have had for a flow, but another was asked for"
                           : "",
             o->steps, o->batch, o->lr, self->sketched ? FEWER : "");
}

/* Whether a gradient goes from the target through the samples of such a flow. */
static bool has_slopes(const target *t, const json_t *preset)
{
    return t->flags & TARGET_GRADIENT &&
           flow_preset_direction(preset, FLOW_NOISE_TO_DATA) == FLOW_NOISE_TO_DATA;
}

static void do_without_slopes(plan *p)
{
    p->gradient = DISTILL_LOG_VARIANCE;
    p->why = p->blind_why ? p->blind_why : p->why;
    if (!p->blind_objective)
        return;
    p->objective = p->blind_objective;
    p->temper = 0;
}

/* ---- after a sketch */

enum { NEAR_STEPS = 300, NEAR_MORE = 15000 }; /* steps; and so many more a nat */
static const double NEAR_LR = 2e-2;

/* A student of another's choice, or trained otherwise, may have more to learn than the plan's. */
static bool takes_few(const student_recipe *self, const recipe_request *request)
{
    return self->sketched && !request->flow && !request->objective && !request->gradient_fixed &&
           !request->steps_fixed && !request->lr_fixed;
}

/* It starts with the target's own mean and covariance: what is left to learn is what the distance says. */
static void take_few(plan *p, double distance)
{
    p->steps = NEAR_STEPS + (size_t)(NEAR_MORE * distance);
    p->lr = NEAR_LR;
}

static int decide(student_recipe *self, const target *t, const recipe_request *request,
                  flow_err *err)
{
    plan p = plan_of(self);
    distill_options *o = &self->options;
    *o = request->options;
    self->flow = complete(&flow_presets, request->flow, flow_of(&p), err);
    if (self->flow && !has_slopes(t, self->flow))
        do_without_slopes(&p);
    if (self->flow)
        self->objective = complete(&objective_registry, request->objective,
                                   json_loads(p.objective, 0, NULL), err);
    if (!self->flow || !self->objective)
        return err->code ? err->code : flow_fail(err, FLOW_ENOMEM, "out of memory for a recipe");
    o->objective = self->objective;
    o->start = student_pilot_start(&self->pilot);
    if (takes_few(self, request))
        take_few(&p, self->normal.distance);
    o->steps = request->steps_fixed ? o->steps : p.steps;
    o->lr = request->lr_fixed ? o->lr : p.lr;
    if (!request->gradient_fixed)
        o->gradient = p.gradient;
    if (p.temper > 0 && !request->objective && !(o->temper < 1)) {
        o->temper = p.temper;
        o->temper_until = p.temper_until;
    }
    tell(self, request, &p);
    return 0;
}

int student_recipe_make(student_recipe *self, const target *t, flow_pool *pool,
                        const recipe_request *request, flow_err *err)
{
    flow_err local = FLOW_ERR_INIT;
    *self = (student_recipe){.is_flow = t->flow != NULL};
    for (size_t i = 0; i < t->dim; i++)
        self->circles += target_turns(t, i);
    int code = recipe_look(self, t, pool, request, &local);
    if (!code)
        code = decide(self, t, request, &local);
    return code ? flow_fail(err, (flow_code)code, "%s", local.text) : 0;
}

void student_recipe_close(student_recipe *self)
{
    student_pilot_close(&self->pilot);
    pieces_close(&self->pieces);
    json_decref(self->flow);
    json_decref(self->objective);
    self->flow = self->objective = NULL;
}
