/* tests/e2e/scenes_own.h -- scenes of students that have no draws of their target, for memory.c. */
#ifndef TESTS_E2E_SCENES_OWN_H
#define TESTS_E2E_SCENES_OWN_H

#include "student/against_chain.h"
#include "student/arrive.h"
#include "student/ascent.h"
#include "student/objective.h"
#include "student/place.h"
#include "student/recipe.h"
#include "student/sketch.h"
#include "teacher/target_in_units.h"
#include "tests/e2e/scenes.h"

/* Without slopes a pilot is short. */
static target *make_energy(flow_err *err)
{
    json_t *d = json_pack("{s:s, s:[f, f], s:[[f, f], [f, f]]}", "kind", "gaussian", "mean", 1.5,
                          -2.0, "covariance", 0.5, 0.2, 0.2, 0.7);
    target *out = d ? target_create(d, err) : NULL;
    if (!d)
        flow_fail(err, FLOW_ENOMEM, "no description");
    json_decref(d);
    if (out)
        out->flags &= ~(unsigned)TARGET_GRADIENT;
    return out;
}

static const char own_flow[] =
    "{\"kind\": \"stack\", \"layers\": [{\"kind\": \"autoregressive\", \"transformer\": "
    "\"affine\", "
    "\"conditioner\": {\"kind\": \"mlp\", \"hidden\": [4]}}, {\"kind\": \"lu_linear\"}], "
    "\"base\": {\"kind\": \"mixture\", \"components\": 2}}";

static flow *flow_of(const json_t *said, flow_err *err)
{
    const flow_place plain = {.dim = DIM, .stream = {.seed = 5}};
    json_t *whole = said ? flow_kind_complete(&flow_presets, said, err) : NULL;
    flow *out = whole ? flow_preset_create(whole, FLOW_NOISE_TO_DATA, &plain, FLOW_F32, err) : NULL;
    if (!said)
        flow_fail(err, FLOW_ENOMEM, "no flow was said");
    json_decref(whole);
    return out;
}

/* Five steps: one from given rows, three of the objective, one of the polish. */
static int learn_by(uint64_t *sum, const target *t, flow *f, json_t *objective, flow_err *err)
{
    const double rows[] = {0, 1, 1, 0, -1, 0.5, 0.2, -1, 1.4, 1.5, -0.3, 0.2};
    distill_options options = {.batch = 16,
                               .steps = 5,
                               .lr = 1e-2,
                               .average = 0.9,
                               .objective = objective,
                               .start = {rows, 6, 0},
                               .gradient = DISTILL_LOG_VARIANCE,
                               .temper = 1,
                               .late_batch = 1,
                               .late_from = 1,
                               .seed = 1};
    distill_state state;
    int code = student_distill(f, &state, pool, t, NULL, &options, NULL, NULL, err);
    if (!code)
        add_parameters(sum, f);
    return code;
}

static int learn_with(uint64_t *sum, const char *preset, const char *objective, unsigned flags,
                      flow_err *err)
{
    json_t *said = json_loads(preset, 0, NULL), *what = json_loads(objective, 0, NULL);
    target *t = make_energy(err);
    if (t)
        t->flags |= flags;
    flow *f = t ? flow_of(said, err) : NULL;
    int code = f && what ? learn_by(sum, t, f, what, err)
               : f       ? flow_fail(err, FLOW_ENOMEM, "no objective was said")
                         : err->code;
    flow_free(f);
    target_free(t);
    json_decref(what);
    json_decref(said);
    return code;
}

static int learn(uint64_t *sum, const char *objective, flow_err *err)
{
    return learn_with(sum, own_flow, objective, 0, err);
}

static int play_transport(uint64_t *sum, flow_err *err)
{
    return learn(sum,
                 "{\"kind\": \"mass_transport\", \"buffer\": 64, \"every\": 2, \"start\": 0.2, "
                 "\"polish\": 0.2}",
                 err);
}

static int play_importance(uint64_t *sum, flow_err *err)
{
    return learn(sum,
                 "{\"kind\": \"importance\", \"buffer\": 64, \"every\": 2, \"start\": 0.2, "
                 "\"tails\": \"pareto\", \"polish\": 0.2}",
                 err);
}

/* Whose noise has to move with all parameters: no mixture base. */
static int play_two_sided(uint64_t *sum, flow_err *err)
{
    return learn_with(sum,
                      "{\"kind\": \"iaf\", \"layers\": 1, \"conditioner\": {\"kind\": \"mlp\", "
                      "\"hidden\": [4]}}",
                      "{\"kind\": \"two_sided\", \"start\": 0.2, \"polish\": 0.2}", TARGET_GRADIENT,
                      err);
}

/* Three terms, and the rows of the third. */
static int play_cover(uint64_t *sum, flow_err *err)
{
    return learn_with(sum,
                      "{\"kind\": \"iaf\", \"layers\": 1, \"conditioner\": {\"kind\": \"mlp\", "
                      "\"hidden\": [4]}}",
                      "{\"kind\": \"kl\", \"cover\": 0.1}", 0, err);
}

static int play_fab(uint64_t *sum, flow_err *err)
{
    return learn(sum,
                 "{\"kind\": \"fab\", \"buffer\": 64, \"every\": 2, \"start\": 0.2, \"chains\": 8, "
                 "\"betas\": 2, \"polish\": 0.2}",
                 err);
}

static int add_recipe(uint64_t *sum, const student_recipe *r, const target *t, flow_err *err)
{
    target *scaled = target_in_units(t, r->pilot.shift, r->pilot.scale, err);
    int code = scaled ? add_json(sum, json_incref(r->flow), err) : err->code;
    add(sum, r->text, strlen(r->text));
    add(sum, r->pilot.u, r->pilot.rows.n * DIM * sizeof *r->pilot.u);
    target_free(scaled);
    return code;
}

/* A student that was not trained against chains on its target. */
static int play_chain(uint64_t *sum, flow_err *err)
{
    student_against_chain figures = {.rows = 0};
    student_chain_rows kept = {NULL, 0};
    student_sides sides = {.n = 0};
    json_t *said = json_loads(own_flow, 0, NULL);
    target *t = make_energy(err);
    flow *f = t ? flow_of(said, err) : NULL;
    int code = f ? student_sides_init(&sides, t, pool, NULL, 50, 3, err) : err->code;
    if (!code)
        code = student_sides_meet(&sides, f, err);
    if (!code)
        code = student_against_chain_measure(
            &figures, &sides, &(student_chain_question){f, 0, NULL, 1, 0, 1e-3, &kept}, err);
    if (!code) {
        add(sum, figures.bins, sizeof figures.bins);
        add(sum, kept.x, kept.n * DIM * sizeof *kept.x);
    }
    free(kept.x);
    student_sides_release(&sides);
    flow_free(f);
    target_free(t);
    json_decref(said);
    return code;
}

static int play_recipe(uint64_t *sum, flow_err *err)
{
    const recipe_request request = {.options = {.batch = 16, .seed = 1}, .rows = 16};
    student_recipe recipe = {.evaluations = 0};
    target *t = make_energy(err);
    int code = t ? student_recipe_make(&recipe, t, pool, &request, err) : err->code;
    if (!code)
        code = add_recipe(sum, &recipe, t, err);
    if (t)
        student_recipe_close(&recipe);
    target_free(t);
    return code;
}

/* Of a normal with slopes: rows by weight in the place of annealed ones. */
static int play_sketch(uint64_t *sum, flow_err *err)
{
    student_sketch s = {.holds = 0};
    target *t = make_energy(err);
    if (t)
        t->flags |= TARGET_GRADIENT;
    int code = t ? student_sketch_run(&s, t, pool, 1, err) : err->code;
    if (!code)
        add(sum, s.pilot.u, s.pilot.rows.n * 2 * sizeof *s.pilot.u);
    if (t)
        student_sketch_close(&s);
    target_free(t);
    return code;
}

/* A top, from a point that is off it, and rows led to one. */
static int play_ascent(uint64_t *sum, flow_err *err)
{
    size_t evaluations = 0;
    double x[6] = {9, 4, -3, 2.5, 7, 1}, h[4] = {1, 0, 0, 1}, log_p[3] = {-1e3, -1e3, -1e3};
    target *t = make_energy(err);
    if (t)
        t->flags |= TARGET_GRADIENT;
    int code = t ? ascent_run(x, h, &evaluations, t, pool, err) : err->code;
    if (!code)
        code = rows_arrive(x, log_p, &evaluations, t, pool, (double[]){1, 0, 0, 1}, -2, 3, 9, err);
    if (!code)
        add(sum, x, sizeof x);
    target_free(t);
    return code;
}

/* A student of two numbers and an angle, placed on rows. */
static int play_place(uint64_t *sum, flow_err *err)
{
    static const unsigned char circles[3] = {0, 1, 0};
    static double u[16 * 3];
    const distill_rows rows = {.x = u, .n = 16};
    const flow_place at = {.dim = 3, .stream = stream, .circles = circles};
    pcg_normals(u, stream, 0, 16, 3);
    json_t *said = json_loads(own_flow, 0, NULL);
    json_t *full = said ? flow_kind_complete(&flow_presets, said, err) : NULL;
    flow *f = full ? flow_preset_create(full, FLOW_NOISE_TO_DATA, &at, FLOW_F32, err) : NULL;
    int code = f           ? student_place(f, pool, &rows, stream, err)
               : err->code ? err->code
                           : flow_fail(err, FLOW_ENOMEM, "a student");
    if (!code)
        add_parameters(sum, f);
    flow_free(f);
    json_decref(full);
    json_decref(said);
    return code;
}

/* An angle, another one and a number that is cut off. */
static int look_at_circles(uint64_t *sum, const target *t, flow_err *err)
{
    student_pilot pilot;
    normal_look look;
    int code = student_pilot_run(&pilot, t, pool, &pilot_effort_usual, 16, 1, err);
    if (!code)
        code = normal_look_at(&look, pilot.u, pilot.rows.log_p, 16, t->dim, t->circles, err);
    if (!code)
        add(sum, &look.distance, sizeof look.distance);
    student_pilot_close(&pilot);
    return code;
}

static int play_around(uint64_t *sum, flow_err *err)
{
    static char text[PLUGIN_TEXT];
    plugin_text(text, "tests/plugins/mises.so", "\"columns\": {\"z\": [-1, 1]}");
    json_t *description = json_loads(text, 0, NULL);
    target *t = description ? target_create(description, err) : NULL;
    target *line = t ? target_on_the_line(t, err) : NULL;
    int code = line        ? look_at_circles(sum, line, err)
               : err->code ? err->code
                           : flow_fail(err, FLOW_ENOMEM, "circles");
    target_free(line);
    target_free(t);
    json_decref(description);
    return code;
}

#endif
