#include "student/recipe.h"

#include "flow/preset.h"
#include "student/fill.h"
#include "student/objective.h"
#include "teacher/target_in_units.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- what the rows say */

enum { PIECES_ROWS = 512, FEW = 4 };      /* FEW: dimensions */
static const double ALL_IN_PIECES = 0.97; /* share of the rows */
static const double NORMAL = 0.1;         /* nats: nearer than this to a normal, affine layers do */
enum { NEAR_STEPS = 250, NEAR_MORE = 15000 }; /* steps after a sketch; and so many more a nat */
static const double GENTLE =
    0.06; /* nats a dimension: nearer than this, what bends is means and widths */
static const double HEAVY = 8; /* standard deviations: splines end well before */
static const double UNEVEN =
    0.2; /* nats a dimension: further from a normal than one that is merely bent */
static const double FLAT =
    2.3; /* fourth moment of a column in its widths, 3 of a normal: two lumps, or edges, have less */

typedef enum shape {
    SHAPE_NORMAL,
    SHAPE_GENTLE,
    SHAPE_BENT,
    SHAPE_LUMPS,
    SHAPE_UNEVEN,
    SHAPE_HEAVY,
    SHAPE_STEEP,
    SHAPE_PIECES,
    SHAPE_MANY
} shape;

static const char *const shapes[] = {
    "They lie in one piece that is near a normal",
    "They lie in one piece that is a normal bent a little",
    "They lie in one piece that is far from a normal",
    "They lie in lumps that ways between neighbours join",
    "They lie in one piece whose widths differ from place to place",
    "They lie in one piece with heavy tails",
    "They are of a trained flow, which is steep",
    "They lie in pieces that no way between neighbours joins",
    "They lie in more pieces than so many rows can tell apart",
};

/* One in few dimensions is not too steep for what is made for modes. */
static bool is_steep(const student_recipe *self)
{
    return self->is_flow && self->pilot.rows.dim > FEW && self->normal.distance >= NORMAL;
}

static shape shape_of(const student_recipe *self)
{
    if (is_steep(self))
        return SHAPE_STEEP;
    if (self->pieces.n > 1)
        return self->pieces.in_pieces >= ALL_IN_PIECES ? SHAPE_PIECES : SHAPE_MANY;
    if (self->pieces.largest < ALL_IN_PIECES)
        return SHAPE_MANY;
    if (self->normal.farthest > HEAVY)
        return SHAPE_HEAVY;
    double each = self->normal.distance / (double)self->pilot.rows.dim;
    if (each > UNEVEN)
        return self->normal.flattest < FLAT ? SHAPE_LUMPS : SHAPE_UNEVEN;
    if (self->normal.distance < NORMAL)
        return SHAPE_NORMAL;
    return each < GENTLE && self->normal.flattest >= FLAT ? SHAPE_GENTLE : SHAPE_BENT;
}

/* log p~ in the student's units. */
static double *log_p_of(const student_pilot *pilot, const target *t, flow_err *err)
{
    const annealed *rows = &pilot->rows;
    flow_units *units = target_placed_units(t, pilot->shift, pilot->scale, err);
    double *x = malloc(rows->n * rows->dim * sizeof *x), *out = calloc(rows->n, sizeof *out);
    if (units && x && out)
        flow_units_to_user(units, x, out, pilot->u, rows->n);
    for (size_t r = 0; out && r < rows->n; r++)
        out[r] += rows->log_p[r];
    bool good = units && x && out;
    flow_units_free(units);
    free(x);
    if (good)
        return out;
    free(out);
    flow_fail(err, FLOW_ENOMEM, "out of memory for a recipe");
    return NULL;
}

/* Where all the pieces are known. */
static int fill(student_recipe *self, const target *t, flow_pool *pool, uint64_t seed,
                flow_err *err)
{
    return self->pieces.n > 1 && self->pieces.in_pieces >= ALL_IN_PIECES
               ? student_fill(&self->pilot, t, pool, &self->pieces, seed, err)
               : 0;
}

static int look(student_recipe *self, const target *t, flow_pool *pool, flow_err *err)
{
    const student_pilot *pilot = &self->pilot;
    size_t n = pilot->rows.n < PIECES_ROWS ? pilot->rows.n : PIECES_ROWS;
    target *scaled = target_in_units(t, pilot->shift, pilot->scale, err);
    double *log_p = scaled ? log_p_of(pilot, t, err) : NULL;
    int code = log_p ? 0 : err->code;
    if (!code && !self->sketched)
        code = pieces_count(&self->pieces, scaled, pool, pilot->u, log_p, n, err);
    if (!code)
        code =
            normal_look_at(&self->normal, pilot->u, log_p, pilot->rows.n, t->dim, t->circles, err);
    free(log_p);
    target_free(scaled);
    return code;
}

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
    [SHAPE_NORMAL] =
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
    [SHAPE_GENTLE] = {.layers = 3,
                      .linear = 1,
                      .lr = 2e-3,
                      .gradient = DISTILL_PATH,
                      .objective = "{\"kind\": \"kl\"}",
                      .why = "reverse KL by the path gradient, from the rows' mean and covariance, "
                             "on affine layers of wide networks, for means and widths that "
                             "depend on many columns",
                      BLIND_KL},
    [SHAPE_BENT] = {.layers = 3,
                    .bins = 8,
                    .linear = 1,
                    .lr = 1e-3,
                    .steps = 5000,
                    .gradient = DISTILL_PATH,
                    .objective = "{\"kind\": \"kl\"}",
                    .why = "reverse KL by the path gradient on splines, from the rows' mean and "
                           "covariance: there is no mode to lose",
                    BLIND_KL},
    [SHAPE_LUMPS] =
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
    [SHAPE_UNEVEN] = {.layers = 1,
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
    [SHAPE_HEAVY] = {.layers = 2,
                     .tanh = 1,
                     .width = 64,
                     .lr = 2e-3,
                     .steps = 30000,
                     .gradient = DISTILL_LOG_VARIANCE,
                     .objective = WIDE_ROWS,
                     .why = "own rows weighed between forward KL and chi-square, on affine "
                            "layers, whose scales reach further than splines, of "
                            "tanh, which does not run away where there was no row"},
    [SHAPE_STEEP] = {.layers = 5,
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
    [SHAPE_PIECES] =
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
    [SHAPE_MANY] = {.layers = 2,
                    .width = 64,
                    .bins = 12,
                    .linear = 1,
                    .lr = 3e-3,
                    .steps = 10000,
                    .gradient = DISTILL_LOG_VARIANCE,
                    .objective = "{\"kind\": \"mass_transport\"}",
                    .why = "mass transport, which keeps modes, on splines"},
};

/* Of any shape but a normal one, in FEW dimensions. */
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
static shape shape_around(const student_recipe *self)
{
    shape is = shape_of(self);
    bool bends = is == SHAPE_NORMAL || is == SHAPE_GENTLE || is == SHAPE_UNEVEN;
    return bends ? SHAPE_BENT : is == SHAPE_PIECES ? SHAPE_MANY : is;
}

static plan plan_of(const student_recipe *self)
{
    size_t dim = self->pilot.rows.dim, n = self->pieces.n;
    shape is = self->circles ? shape_around(self) : shape_of(self);
    bool is_few = dim <= FEW && is != SHAPE_NORMAL;
    plan out = !is_few ? plans[is] : self->circles == dim ? few_around : few;
    if (self->circles && shape_of(self) == SHAPE_UNEVEN && !is_few)
        out.steps *= 3; /* angles that go with one another */
    if (is == SHAPE_GENTLE && !is_few)
        fit_to_columns(&out, dim);
    if (out.width == 0)
        out.width = dim <= 40 ? 64 : 128;
    out.components *= is_few && n < FEW ? FEW : n;
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

static void tell(student_recipe *self, const recipe_request *request, const plan *p)
{
    const annealed *rows = &self->pilot.rows;
    const distill_options *o = &self->options;
    char filled[64] = "", circles[80] = "";
    if (self->circles)
        snprintf(circles, sizeof circles, ", %zu of them circles, all round which they start,",
                 self->circles);
    if (self->pilot.filled)
        snprintf(filled, sizeof filled, "; %zu more rows for pieces that had few",
                 self->pilot.filled);
    snprintf(
        self->text, sizeof self->text,
        "%zu rows in %zu dimensions%s were annealed from a normal of width %.3g, in %zu steps "
        "and %.2g evaluations; log Z is about %.2f. %s (%zu of them, %.0f %% of the rows in the "
        "largest; %.2g nats from a normal; farthest %.1f standard deviations, flattest fourth "
        "moment %.2g%s). So: %s; %zu layers of %s%s, %zu wide%s%s; %zu steps of %zu rows at %.2g.",
        rows->n - self->pilot.filled, rows->dim, circles, self->pilot.start, rows->steps,
        (double)self->evaluations, rows->log_z, shapes[shape_of(self)], self->pieces.n,
        100 * self->pieces.largest, self->normal.distance, self->normal.farthest,
        self->normal.flattest, filled,
        request->objective ? "the objective that was asked for" : p->why, p->layers,
        p->bins ? "splines" : "affine maps", p->affine ? " and two affine ones" : "", p->width,
        p->linear ? ", a linear map behind them" : "",
        request->flow ? " were what it would have had for a flow, but another was asked for" : "",
        o->steps, o->batch, o->lr);
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

/* From a normal of the target's own moments what is left to learn is what its distance says. */
static size_t steps_near(double distance)
{
    return NEAR_STEPS + (size_t)(NEAR_MORE * distance);
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
    if (self->sketched)
        p.steps = steps_near(self->normal.distance);
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

/* ---- the two ways of looking */

/* Its rows are the recipe's from here on. Those of one normal are one piece. */
static int take_sketch(student_recipe *self, student_sketch *from, const target *t,
                       flow_pool *pool, flow_err *err)
{
    self->pilot = from->pilot;
    self->pieces = (pieces){.n = 1, .largest = 1, .in_pieces = 1};
    self->sketched = 1;
    from->pilot = (student_pilot){.rounds = 0};
    return look(self, t, pool, err);
}

static int send_pilot(student_recipe *self, const target *t, flow_pool *pool,
                      const recipe_request *request, flow_err *err)
{
    uint64_t seed = request->options.seed;
    size_t rows = request->rows ? request->rows : RECIPE_ROWS;
    int code = student_pilot_run(&self->pilot, t, pool, &pilot_effort_usual, rows, seed, err);
    if (!code)
        code = look(self, t, pool, err);
    if (!code)
        code = fill(self, t, pool, seed, err);
    self->evaluations += self->pilot.evaluations + self->pieces.evaluations;
    return code;
}

static void forget(student_recipe *self)
{
    student_pilot_close(&self->pilot);
    pieces_close(&self->pieces);
    self->sketched = 0;
}

/* Where it does not hold, or is no normal after all, nothing is left of it but what it asked. */
static int sketch(student_recipe *self, const target *t, flow_pool *pool, uint64_t seed,
                  flow_err *err)
{
    student_sketch s;
    if (!student_sketch_suits(t))
        return 0;
    int code = student_sketch_run(&s, t, pool, seed, err);
    self->evaluations = s.evaluations;
    if (!code && s.holds)
        code = take_sketch(self, &s, t, pool, err);
    student_sketch_close(&s);
    if (self->sketched && shape_of(self) != SHAPE_NORMAL)
        forget(self);
    return code;
}

int student_recipe_make(student_recipe *self, const target *t, flow_pool *pool,
                        const recipe_request *request, flow_err *err)
{
    flow_err local = FLOW_ERR_INIT;
    *self = (student_recipe){.is_flow = t->flow != NULL};
    for (size_t i = 0; i < t->dim; i++)
        self->circles += target_turns(t, i);
    int code = request->no_sketch ? 0 : sketch(self, t, pool, request->options.seed, &local);
    if (!code && !self->sketched)
        code = send_pilot(self, t, pool, request, &local);
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
