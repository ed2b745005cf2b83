#include "student/recipe.h"

#include "flow/preset.h"
#include "student/covariance.h"
#include "student/objective.h"
#include "teacher/target_in_units.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- what the rows say */

enum { PIECES_ROWS = 512 };
static const double ALL_IN_PIECES = 0.97; /* share of the rows */
static const double NORMAL = 0.1;         /* nats: nearer than this to a normal, affine layers do */
static const double HEAVY = 8;            /* standard deviations: splines end well before */
static const double UNEVEN =
    0.2; /* nats a dimension: further from a normal than one that is merely bent */
static const double FLAT =
    2.3; /* fourth moment of a column in its widths, 3 of a normal: two lumps, or edges, have less */

typedef enum shape {
    SHAPE_NORMAL,
    SHAPE_BENT,
    SHAPE_LUMPS,
    SHAPE_UNEVEN,
    SHAPE_HEAVY,
    SHAPE_PIECES,
    SHAPE_MANY
} shape;

static const char *const shapes[] = {
    "They lie in one piece that is near a normal",
    "They lie in one piece that is far from a normal",
    "They lie in lumps that ways between neighbours join",
    "They lie in one piece whose widths differ from place to place",
    "They lie in one piece with heavy tails",
    "They lie in pieces that no way between neighbours joins",
    "They lie in more pieces than so many rows can tell apart",
};

static shape shape_of(const student_recipe *self)
{
    if (self->pieces.n > 1)
        return self->pieces.in_pieces >= ALL_IN_PIECES ? SHAPE_PIECES : SHAPE_MANY;
    if (self->pieces.largest < ALL_IN_PIECES)
        return SHAPE_MANY;
    if (self->farthest > HEAVY)
        return SHAPE_HEAVY;
    if (self->distance > UNEVEN * (double)self->pilot.rows.dim)
        return self->flattest < FLAT ? SHAPE_LUMPS : SHAPE_UNEVEN;
    return self->distance < NORMAL ? SHAPE_NORMAL : SHAPE_BENT;
}

/* log p~ in the student's units. */
static double *log_p_of(const student_pilot *pilot)
{
    const annealed *rows = &pilot->rows;
    double *out = malloc(rows->n * sizeof *out), volume = 0;
    for (size_t i = 0; i < rows->dim; i++)
        volume += log(pilot->scale[i]);
    for (size_t r = 0; out && r < rows->n; r++)
        out[r] = rows->log_p[r] + volume;
    return out;
}

/* u has mean 0 and width 1 in each column. */
static void measure_columns(student_recipe *self)
{
    const annealed *rows = &self->pilot.rows;
    self->flattest = INFINITY;
    for (size_t i = 0; i < rows->dim; i++) {
        double fourth = 0;
        for (size_t r = 0; r < rows->n; r++) {
            double u = self->pilot.u[r * rows->dim + i];
            self->farthest = fmax(self->farthest, fabs(u));
            fourth += u * u * u * u / (double)rows->n;
        }
        self->flattest = fmin(self->flattest, fourth);
    }
}

/* Half the variance of log p~ + |L^-1 (u - mean)|^2 / 2 over the rows, less what so few rows make of a normal,
 * D (D + 3) / 4 n. */
static double distance_from(const double *mean, const double *lower, const student_pilot *pilot,
                            const double *log_p, double *work)
{
    size_t n = pilot->rows.n, dim = pilot->rows.dim;
    double sum = 0, squares = 0, d = (double)dim;
    for (size_t r = 0; r < n; r++) {
        double ratio =
            log_p[r] + 0.5 * covariance_square(lower, mean, pilot->u + r * dim, dim, work);
        sum += ratio;
        squares += ratio * ratio;
    }
    double variance = (squares - sum * sum / (double)n) / (double)(n - 1);
    return fmax(0, 0.5 * variance - d * (d + 3) / (4 * (double)n));
}

static int measure(student_recipe *self, const double *log_p, flow_err *err)
{
    const student_pilot *pilot = &self->pilot;
    size_t n = pilot->rows.n, dim = pilot->rows.dim;
    double *mean = malloc((dim + 2) * dim * sizeof *mean), *work = mean + dim, *a = work + dim;
    if (!mean)
        return flow_fail(err, FLOW_ENOMEM, "out of memory for a recipe");
    measure_columns(self);
    covariance_mean(mean, pilot->u, n, dim);
    covariance_of(a, mean, pilot->u, n, dim, n > 2 * dim ? 1 : 0.5);
    self->distance =
        covariance_factor(a, dim) == 0 ? distance_from(mean, a, pilot, log_p, work) : INFINITY;
    free(mean);
    return 0;
}

static int look(student_recipe *self, const target *t, flow_pool *pool, flow_err *err)
{
    const student_pilot *pilot = &self->pilot;
    size_t n = pilot->rows.n < PIECES_ROWS ? pilot->rows.n : PIECES_ROWS;
    target *scaled = target_in_units(t, pilot->shift, pilot->scale, err);
    double *log_p = log_p_of(pilot);
    int code = scaled && log_p ? 0 : flow_fail(err, FLOW_ENOMEM, "out of memory for a recipe");
    if (!code)
        code = pieces_count(&self->pieces, scaled, pool, pilot->u, log_p, n, err);
    if (!code)
        code = measure(self, log_p, err);
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
    double lr;
    size_t steps;
    distill_gradient gradient;
    const char *objective; /* JSON */
    const char *why;
} plan;

enum { FEW = 4, MOST_COMPONENTS = 256 }; /* dimensions; of a mixture */

/* By shape; width 0: by the dimension, components: for each piece. */
static const plan plans[] = {
    [SHAPE_NORMAL] =
        {.layers = 1,
         .width = 32,
         .linear = 1,
         .lr = 2e-3,
         .steps = 3000,
         .gradient = DISTILL_PATH,
         .objective = "{\"kind\": \"kl\"}",
         .why = "reverse KL by the path gradient, which has no noise where the student is "
                "right, from the rows' mean and covariance"},
    [SHAPE_BENT] = {.layers = 3,
                    .bins = 8,
                    .linear = 1,
                    .lr = 1e-3,
                    .steps = 5000,
                    .gradient = DISTILL_PATH,
                    .objective = "{\"kind\": \"kl\"}",
                    .why = "reverse KL by the path gradient on splines, from the rows' mean and "
                           "covariance: there is no mode to lose"},
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
                      .lr = 2e-3,
                      .steps = 8000,
                      .gradient = DISTILL_LOG_VARIANCE,
                      .objective = "{\"kind\": \"importance\", \"alpha\": 1.5, \"widen\": 0.1}",
                      .why =
                          "own rows weighed between forward KL and chi-square, which see a narrow "
                          "place that reverse KL leaves out, on splines below affine layers "
                          "that follow widths"},
    [SHAPE_HEAVY] = {.layers = 2,
                     .width = 64,
                     .lr = 2e-3,
                     .steps = 8000,
                     .gradient = DISTILL_LOG_VARIANCE,
                     .objective = "{\"kind\": \"importance\", \"alpha\": 1.5, \"widen\": 0.1}",
                     .why = "own rows weighed between forward KL and chi-square, on affine "
                            "layers, whose scales reach further than splines, of "
                            "tanh, which does not run away where there was no row"},
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
                    .steps = 6000,
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

static plan plan_of(const student_recipe *self)
{
    size_t dim = self->pilot.rows.dim, n = self->pieces.n;
    bool is_few = dim <= FEW && shape_of(self) != SHAPE_NORMAL;
    plan out = is_few ? few : plans[shape_of(self)];
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
             transformer, p->width, p->width, p->bins && !p->affine ? "silu" : "tanh");
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
    snprintf(
        self->text, sizeof self->text,
        "%zu rows in %zu dimensions were annealed from a normal of width %.3g, in %zu steps "
        "and %.2g evaluations; log Z is about %.2f. %s (%zu of them, %.0f %% of the rows in the "
        "largest; %.2g nats from a normal; farthest %.1f standard deviations; flattest fourth "
        "moment %.2g). So: %s; %zu "
        "layers of %s%s, %zu wide%s%s; %zu steps of %zu rows at %.2g.",
        rows->n, rows->dim, self->pilot.start, rows->steps, (double)self->evaluations, rows->log_z,
        shapes[shape_of(self)], self->pieces.n, 100 * self->pieces.largest, self->distance,
        self->farthest, self->flattest,
        request->objective ? "the objective that was asked for" : p->why, p->layers,
        p->bins ? "splines" : "affine maps", p->affine ? " and two affine ones" : "", p->width,
        p->linear ? ", a linear map behind them" : "",
        request->flow ? " were what it would have had for a flow, but another was asked for" : "",
        o->steps, o->batch, o->lr);
}

static int decide(student_recipe *self, const target *t, const recipe_request *request,
                  flow_err *err)
{
    plan p = plan_of(self);
    distill_options *o = &self->options;
    *o = request->options;
    self->flow = complete(&flow_presets, request->flow, flow_of(&p), err);
    if (self->flow)
        self->objective = complete(&objective_registry, request->objective,
                                   json_loads(p.objective, 0, NULL), err);
    if (!self->flow || !self->objective)
        return err->code ? err->code : flow_fail(err, FLOW_ENOMEM, "out of memory for a recipe");
    o->objective = self->objective;
    o->start = student_pilot_start(&self->pilot);
    o->steps = request->steps_fixed ? o->steps : p.steps;
    o->lr = request->lr_fixed ? o->lr : p.lr;
    if (!request->gradient_fixed)
        o->gradient = t->flags & TARGET_GRADIENT ? p.gradient : DISTILL_LOG_VARIANCE;
    tell(self, request, &p);
    return 0;
}

int student_recipe_make(student_recipe *self, const target *t, flow_pool *pool,
                        const recipe_request *request, flow_err *err)
{
    flow_err local = FLOW_ERR_INIT;
    *self = (student_recipe){.evaluations = 0};
    int code = student_pilot_run(&self->pilot, t, pool, request->rows ? request->rows : RECIPE_ROWS,
                                 request->options.seed, &local);
    if (!code)
        code = look(self, t, pool, &local);
    self->evaluations = self->pilot.evaluations + self->pieces.evaluations;
    if (!code)
        code = decide(self, t, request, &local);
    return code ? flow_fail(err, (flow_code)code, "%s", local.text) : 0;
}

void student_recipe_close(student_recipe *self)
{
    student_pilot_close(&self->pilot);
    json_decref(self->flow);
    json_decref(self->objective);
    self->flow = self->objective = NULL;
}
