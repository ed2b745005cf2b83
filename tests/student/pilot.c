/* What a look at a target from outside finds: its place, its widths, its pieces; and what a student makes of it. */
#include "student/normal_fit.h"
#include "student/objective.h"
#include "student/pieces.h"
#include "student/place.h"
#include "student/recipe.h"
#include "teacher/target_in_units.h"
#include "tests/common/check.h"
#include "tests/common/distilling.h"
#include "tests/common/examples.h"
#include "tests/common/far_modes.h"
#include "tests/common/gaussian.h"
#include "tests/student/recipe_made.h"

#include "flow/preset.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Forty widths away from where the pilot starts, and of very unlike widths. */
static void far_gaussian(gaussian *g)
{
    gaussian_init(g, 2, (double[]){20, 0, 0.01, 0.05}, (double[]){-300, 2});
}

Test(pilot, finds_place_and_width)
{
    gaussian g;
    student_pilot p;
    flow_err err = FLOW_ERR_INIT;
    flow_pool *pool = flow_pool_create(2, NULL);
    far_gaussian(&g);
    cr_assert_eq(student_pilot_run(&p, &g.base, pool, &pilot_effort_usual, 1000, 5, &err), 0, "%s",
                 err.text);
    cr_assert_float_eq(p.shift[0], -300, 9 * 20 / sqrt(1000));
    cr_assert_float_eq(p.shift[1], 2, 9 * 0.051 / sqrt(1000));
    cr_assert_float_eq(p.scale[0] / 20, 1, 0.2, "%g", p.scale[0]);
    cr_assert_float_eq(p.scale[1] / 0.05099, 1, 0.2, "%g", p.scale[1]);
    cr_assert(p.rounds >= 3 && p.evaluations > p.rows.evaluations);
    for (size_t r = 0; r < 2000; r++)
        cr_assert_float_eq(p.u[r], (p.rows.x[r] - p.shift[r % 2]) / p.scale[r % 2], 1e-12);
    student_pilot_close(&p);
    g.base.context = 1;
    cr_assert_eq(student_pilot_run(&p, &g.base, pool, &pilot_effort_usual, 1000, 5, &err),
                 FLOW_ECONFIG);
    student_pilot_close(&p);
    flow_pool_free(pool);
}

/* ---- other units */

Test(target_scaled, density_gradient_and_sampler)
{
    enum { N = 50 };
    gaussian g;
    flow_pool *pool = flow_pool_create(1, NULL);
    const double shift[] = {2.5, -1, 0.3}, scale[] = {0.2, 7, 1.9};
    double u[N * 3], x[N * 3], got[N], want[N], grad[N * 3], slope[N * 3];
    gaussian_init(&g, 3, lower3, mean3);
    g.base.log_z = 0.8;
    target *t = target_in_units(&g.base, shift, scale, NULL);
    cr_assert(t && t->log_z == 0.8 && t->flags == g.base.flags && t->ops->sample);
    cr_assert_eq(
        target_sample(t, pool, u, got, NULL, NULL, (pcg_stream){1, PCG_TEST, 1}, 0, N, NULL), 0);
    for (size_t i = 0; i < N * 3; i++)
        x[i] = shift[i % 3] + scale[i % 3] * u[i];
    cr_assert_eq(target_log_density(&g.base, pool, want, slope, NULL, x, NULL, N, NULL), 0);
    for (size_t r = 0; r < N; r++)
        want[r] += log(0.2 * 7 * 1.9);
    check_close(got, want, N, 1e-9, 1e-9, "log-densities of draws");
    cr_assert_eq(target_log_density(t, pool, got, grad, NULL, u, NULL, N, NULL), 0);
    check_close(got, want, N, 1e-9, 1e-9, "log-densities");
    for (size_t i = 0; i < N * 3; i++)
        slope[i] *= scale[i % 3];
    check_close(grad, slope, N * 3, 1e-9, 1e-9, "gradients");
    target_free(t);
    gaussian_take_sampler_away(&g);
    t = target_in_units(&g.base, shift, scale, NULL);
    cr_assert(t && !t->ops->sample);
    target_free(t);
    flow_pool_free(pool);
}

/* ---- pieces */

static pieces pieces_of(const target *t, size_t n)
{
    enum { N = 400 };
    static double x[N * 3], log_p[N];
    cr_assert_leq(n, N);
    pieces out;
    flow_pool *pool = flow_pool_create(2, NULL);
    cr_assert_eq(
        target_sample(t, pool, x, log_p, NULL, NULL, (pcg_stream){3, PCG_TEST, 2}, 0, N, NULL), 0);
    cr_assert_eq(pieces_count(&out, t, pool, x, log_p, n, NULL), 0);
    flow_pool_free(pool);
    return out;
}

Test(pieces, one_and_three)
{
    gaussian g;
    target *t = far_modes_create();
    pieces three = pieces_of(t, 400), few = pieces_of(t, 11);
    gaussian_init(&g, 3, lower3, mean3);
    pieces one = pieces_of(&g.base, 400);
    cr_assert(one.n == 1 && one.largest == 1, "%zu, %g", one.n, one.largest);
    cr_assert_eq(three.n, FAR_MODES);
    cr_assert_float_eq(three.largest, far_modes_share[0], 0.11);
    cr_assert_eq(three.in_pieces, 1);
    cr_assert(few.largest < 0.9, "each is near each, yet %g of them are together", few.largest);
    for (size_t r = 0; r < three.rows; r++)
        cr_assert_lt(three.of[r], FAR_MODES, "row %zu", r);
    target_free(t);
    pieces_close(&three);
    pieces_close(&few);
    pieces_close(&one);
}

/* ---- where a student begins */

static flow *flow_from(const char *text, size_t dim)
{
    flow_err err = FLOW_ERR_INIT;
    const flow_place place = {.dim = dim, .stream = {1, PCG_TEST, PCG_PERMUTE}};
    json_t *said = json_loads(text, 0, NULL), *full = flow_kind_complete(&flow_presets, said, &err);
    flow_direction direction = flow_preset_direction(full, FLOW_NOISE_TO_DATA);
    flow *out = full ? flow_preset_create(full, direction, &place, FLOW_F64, &err) : NULL;
    cr_assert(out, "%s", err.text);
    flow_init(out, (pcg_stream){2, PCG_TEST, PCG_INIT});
    json_decref(full);
    json_decref(said);
    return out;
}

/* log q of fresh draws of the target, on the average. */
static double mean_log_q(const flow *student, const target *t)
{
    enum { N = 5000 };
    static double x[N * 3], log_p[N], log_q[N];
    double mean = 0;
    flow_pool *pool = flow_pool_create(1, NULL);
    cr_assert_eq(
        target_sample(t, pool, x, log_p, NULL, NULL, (pcg_stream){9, PCG_TEST, 2}, 0, N, NULL), 0);
    cr_assert_eq(flow_log_prob(student, pool, log_q, NULL, x, NULL, N, NULL), 0);
    for (size_t r = 0; r < N; r++)
        mean += (log_p[r] - log_q[r]) / N;
    flow_pool_free(pool);
    return mean;
}

static double kl_after_placing(const target *t, const char *description)
{
    enum { N = 2000 };
    static double x[N * 3], log_p[N];
    flow *student = flow_from(description, t->dim);
    flow_pool *pool = flow_pool_create(2, NULL);
    flow_err err = FLOW_ERR_INIT;
    cr_assert_eq(
        target_sample(t, pool, x, log_p, NULL, NULL, (pcg_stream){8, PCG_TEST, 2}, 0, N, NULL), 0);
    cr_assert_eq(student_place(student, pool, &(distill_rows){.x = x, .n = N},
                               (pcg_stream){4, PCG_TEST, 1}, &err),
                 0, "%s", err.text);
    double out = mean_log_q(student, t);
    flow_pool_free(pool);
    flow_free(student);
    return out;
}

#define LAYERS                                                                                     \
    "\"kind\": \"stack\", \"layers\": [{\"kind\": \"permutation\", \"pattern\": \"reverse\"}"

Test(place, a_linear_map_behind_the_layers)
{
    gaussian g;
    gaussian_init(&g, 3, lower3, mean3);
    double with = kl_after_placing(&g.base, "{" LAYERS ", {\"kind\": \"lu_linear\"}]}");
    cr_assert(with > -0.01 && with < 0.02, "%g nats", with);
    double without = kl_after_placing(&g.base, "{" LAYERS "]}");
    cr_assert(without > 0.2, "there was nothing to gain: %g", without);
}

#define MAF                                                                                        \
    "{\"kind\": \"maf\", \"layers\": 2, \"conditioner\": {\"kind\": \"mlp\", \"hidden\": [8]}, "   \
    "\"linear\": "

/* Of a flow that is parallel the other way round it is the first layer, and the inverse. */
Test(place, a_linear_map_before_the_layers)
{
    gaussian g;
    gaussian_init(&g, 3, lower3, mean3);
    double with = kl_after_placing(&g.base, MAF "\"lu\"}");
    cr_assert(with > -0.01 && with < 0.02, "%g nats", with);
    double without = kl_after_placing(&g.base, MAF "\"none\"}");
    cr_assert(without > 0.2, "there was nothing to gain: %g", without);
}

Test(place, components_of_a_mixture)
{
    target *t = far_modes_create();
    double kl =
        kl_after_placing(t, "{" LAYERS "], \"base\": {\"kind\": \"mixture\", \"components\": 3}}");
    cr_assert(kl > -0.02 && kl < 0.05, "%g nats", kl);
    kl = kl_after_placing(t, MAF "\"none\", \"base\": {\"kind\": \"mixture\", \"components\": 3}}");
    cr_assert(kl > -0.02 && kl < 0.05, "%g nats, the other way round", kl);
    kl = kl_after_placing(t, "{" LAYERS "], \"base\": {\"kind\": \"mixture\", \"components\": 9}}");
    cr_assert(kl > -0.02 && kl < 0.15, "%g nats with more than there are modes", kl);
    target_free(t);
}

/* ---- recipes */

static const char *kind_of(const json_t *object)
{
    return json_string_value(json_object_get(object, "kind"));
}

Test(recipe, what_it_picks_and_says)
{
    gaussian g;
    target *modes = far_modes_create();
    const recipe_request request = {.options = distilling_options(), .rows = 600};
    far_gaussian(&g);
    student_recipe one = recipe_made(&g.base, &request, 1), three = recipe_made(modes, &request, 1);
    cr_assert_str_eq(kind_of(one.objective), "kl");
    cr_assert(one.options.gradient == DISTILL_PATH && one.options.start.n == NORMAL_FIT_ROWS);
    cr_assert(strstr(one.text, "near a normal") && strstr(one.text, "path gradient"), "%s",
              one.text);
    cr_assert_str_eq(kind_of(three.objective), "mass_transport");
    cr_assert_str_eq(kind_of(json_object_get(three.flow, "base")), "mixture");
    cr_assert_eq(three.pieces.n, FAR_MODES);
    cr_assert(strstr(three.text, "3 of them") && strstr(three.text, "mixture"), "%s", three.text);
    student_recipe_close(&one);
    student_recipe_close(&three);
    target_free(modes);
}

/* Of a posterior that is all but a normal: where it is bent enough to show, so can be its student's first column. */
static void expect_transformer(const char *model, const char *table, const char *wanted)
{
    char text[256];
    flow_err err = FLOW_ERR_INIT;
    snprintf(text, sizeof text,
             "{\"kind\": \"posterior\", \"model\": \"%s\", \"data\": "
             "\"configs/data/posteriordb/%s.csv\"}",
             model, table);
    json_t *said = json_loads(text, 0, NULL);
    target *t = target_create(said, &err);
    cr_assert(t, "%s", err.text);
    const recipe_request request = {.options = distilling_options()};
    student_recipe r = recipe_made(t, &request, 1);
    json_t *layer = json_array_get(json_object_get(r.flow, "layers"), 0);
    cr_expect(strstr(r.text, "near a normal"), "%s", r.text);
    cr_expect_str_eq(kind_of(json_object_get(layer, "transformer")), wanted);
    student_recipe_close(&r);
    target_free(t);
    json_decref(said);
}

Test(recipe, near_a_normal_and_a_little_further)
{
    expect_transformer("kidscore_momiq", "kidiq", "affine");
    expect_transformer("blr", "sblrc", "spline");
}

Test(recipe, a_posterior_that_is_bent_a_little)
{
    flow_err err = FLOW_ERR_INIT;
    json_t *said =
        json_loads("{\"kind\": \"posterior\", \"model\": \"eight_schools_noncentered\"}", 0, NULL);
    target *t = target_create(said, &err);
    cr_assert(t, "%s", err.text);
    const recipe_request request = {.options = distilling_options(), .rows = 600};
    student_recipe r = recipe_made(t, &request, 1);
    json_t *layer = json_array_get(json_object_get(r.flow, "layers"), 0);
    cr_assert(strstr(r.text, "bent a little"), "%s", r.text);
    cr_assert_str_eq(kind_of(json_object_get(layer, "transformer")), "affine");
    cr_assert(r.options.gradient == DISTILL_PATH && r.options.steps == 625 * t->dim);
    student_recipe_close(&r);
    target_free(t);
    json_decref(said);
}

/* What a trained flow of random weights, far from a normal, gets. */
static student_recipe recipe_for_flow(size_t dim, const recipe_request *request)
{
    const flow_place place = {.dim = dim, .stream = {1, PCG_TEST, PCG_PERMUTE}};
    json_t *name = json_pack("{s:s, s:i}", "kind", "maf", "layers", 2);
    json_t *preset = flow_kind_complete(&flow_presets, name, NULL);
    flow *teacher = flow_preset_create(preset, FLOW_DATA_TO_NOISE, &place, FLOW_F64, NULL);
    cr_assert(teacher);
    randomise_parameters(teacher, 0.3, 3);
    target *t = target_from_flow(teacher, NULL);
    student_recipe out = recipe_made(t, request, 1);
    target_free(t);
    flow_free(teacher);
    json_decref(preset);
    json_decref(name);
    return out;
}

Test(recipe, of_a_trained_flow)
{
    recipe_request request = {.options = distilling_options(), .rows = 128};
    student_recipe five = recipe_for_flow(5, &request), two = recipe_for_flow(2, &request);
    cr_assert_str_eq(kind_of(five.objective), "two_sided", "%s", five.text);
    cr_assert(five.options.temper < 1 && five.options.temper_until < 0.5);
    cr_assert(strstr(five.text, "trained flow") && five.is_flow, "%s", five.text);
    cr_assert_str_neq(kind_of(two.objective), "two_sided", "%s", two.text);
    student_recipe_close(&five);
    student_recipe_close(&two);
    json_t *said = json_string("importance");
    request.objective = said;
    five = recipe_for_flow(5, &request);
    cr_assert(five.options.temper == 1, "it is not the objective's that was asked for");
    student_recipe_close(&five);
    json_decref(said);
}

static void check_told(const char *energy, const char *word)
{
    flow_err err = FLOW_ERR_INIT;
    json_t *d = json_loads(energy, 0, NULL);
    target *t = target_create(d, &err);
    cr_assert(t, "%s", err.text);
    const recipe_request request = {.options = distilling_options(), .rows = 600};
    student_recipe r = recipe_made(t, &request, 1);
    cr_expect(strstr(r.text, word), "%s: %s", energy, r.text);
    student_recipe_close(&r);
    target_free(t);
    json_decref(d);
}

/* Both are one piece that is far from a normal: particles of several shapes, and a neck. */
Test(recipe, lumps_and_necks_are_told_apart)
{
    check_told("{\"kind\": \"double_well\"}", "They lie in lumps");
    check_told("{\"kind\": \"posterior\", \"model\": \"eight_schools_centered\"}",
               "widths differ from place to place");
}

Test(recipe, keeps_what_is_fixed_and_its_bits)
{
    target *t = far_modes_create();
    json_t *objective = json_string("importance"), *preset = json_string("iaf");
    recipe_request request = {.options = distilling_options(),
                              .steps_fixed = 1,
                              .lr_fixed = 1,
                              .gradient_fixed = 1,
                              .objective = objective,
                              .flow = preset,
                              .rows = 300};
    student_recipe a = recipe_made(t, &request, 1), b = recipe_made(t, &request, 3);
    cr_assert_str_eq(kind_of(a.objective), "importance");
    cr_assert_str_eq(kind_of(a.flow), "iaf");
    cr_assert(a.options.steps == request.options.steps && a.options.lr == request.options.lr &&
              a.options.gradient == request.options.gradient);
    cr_assert_str_eq(a.text, b.text);
    cr_assert(memcmp(a.pilot.u, b.pilot.u, 600 * sizeof *a.pilot.u) == 0);
    student_recipe_close(&a);
    student_recipe_close(&b);
    json_decref(objective);
    json_decref(preset);
    target_free(t);
}

/* A MAF has no gradient through its samples. */
Test(recipe, of_a_flow_that_is_parallel_the_other_way_round)
{
    gaussian g;
    json_t *preset = json_string("maf");
    const recipe_request request = {.options = distilling_options(), .flow = preset, .rows = 300};
    far_gaussian(&g);
    student_recipe r = recipe_made(&g.base, &request, 1);
    cr_assert_str_eq(kind_of(r.flow), "maf");
    cr_assert_eq(r.options.gradient, DISTILL_LOG_VARIANCE);
    cr_assert(strstr(r.text, "by log-variance") && !strstr(r.text, "path gradient"), "%s", r.text);
    student_recipe_close(&r);
    json_decref(preset);
}

/* The recipe, followed: far modes in units that nobody was told of. */
Test(recipe, leads_to_a_student)
{
    target *modes = far_modes_create();
    target *t = target_in_units(modes, (double[]){5, -3}, (double[]){0.05, 0.2}, NULL);
    recipe_request request = {.options = distilling_options(), .steps_fixed = 1, .rows = 600};
    request.options.steps = 600;
    student_recipe r = recipe_made(t, &request, 1);
    target *scaled = target_in_units(t, r.pilot.shift, r.pilot.scale, NULL);
    distilling d = {.teacher = scaled, .options = r.options};
    char *text = json_dumps(r.flow, 0);
    d.student = flow_from(text, 2);
    cr_assert_eq(distilling_run(&d), 0, "%s", d.err.text);
    check_kl(&d, 1, 0.03);
    check_kl(&d, 0, 0.03);
    free(text);
    flow_free(d.student);
    target_free(scaled);
    student_recipe_close(&r);
    target_free(t);
    target_free(modes);
}
