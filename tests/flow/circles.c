/* Flows some of whose columns are on circles: presets find out by themselves where, densities do not know how often a
 * point was taken round, and no layer for lines gets hold of an angle. */
#include "flow/circles.h"
#include "flow/circle.h"
#include "flow/preset.h"
#include "flow/unroll.h"
#include "tests/common/backends.h"
#include "tests/common/check.h"
#include "tests/common/examples.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { D = 5, ROWS = 40 };

static const unsigned char circles[D] = {0, 1, 0, 1, 1}, all[D] = {1, 1, 1, 1, 1};
static const pcg_stream noise = {.seed = 5, .stage = PCG_TEST, .purpose = PCG_BASE};

static flow *make(const char *text, flow_direction direction, const unsigned char *circle,
                  flow_err *err)
{
    const flow_place place = {.dim = D,
                              .circles = circle,
                              .stream = {.seed = 3, .stage = PCG_TEST, .purpose = PCG_PERMUTE}};
    json_t *given = json_loads(text, JSON_DECODE_ANY, NULL);
    json_t *preset = given ? flow_kind_complete(&flow_presets, given, err) : NULL;
    cr_assert(preset, "%s: %s", text, err->text);
    flow *out = flow_preset_create(preset, direction, &place, FLOW_F64, err);
    json_decref(given);
    json_decref(preset);
    if (out)
        randomise_parameters(out, 0.9, 7);
    return out;
}

static flow *made(const char *text, flow_direction direction, const unsigned char *circle)
{
    flow_err err = FLOW_ERR_INIT;
    flow *out = make(text, direction, circle, &err);
    cr_assert(out, "%s: %s", text, err.text);
    return out;
}

/* log p of rows x, and of the same rows with column i taken round `turns` times. */
static void check_turns(const flow *f, flow_pool *pool, const double *x, size_t i, int turns,
                        const char *what)
{
    double turned[ROWS * D], logp[ROWS], again[ROWS];
    memcpy(turned, x, sizeof turned);
    for (size_t r = 0; r < ROWS; r++)
        turned[r * D + i] += 2 * FLOW_PI * turns;
    cr_assert_eq(flow_log_prob(f, pool, logp, NULL, x, NULL, ROWS, NULL), 0);
    cr_assert_eq(flow_log_prob(f, pool, again, NULL, turned, NULL, ROWS, NULL), 0);
    check_close(again, logp, ROWS, 1e-9, 1e-9, "%s, column %zu, %d turns", what, i, turns);
}

/* Samples are within a turn, their log q is what the density says, and the density is that of a circle. */
static void check_flow(const flow *f, const unsigned char *circle, const char *what)
{
    flow_pool *pool = flow_pool_create(1, NULL);
    double x[ROWS * D], logq[ROWS], logp[ROWS];
    const unsigned char *own = flow_circles(f);
    cr_assert(own && memcmp(own, circle, D) == 0, "%s has other circles", what);
    cr_assert_eq(flow_sample(f, pool, x, logq, NULL, noise, 0, ROWS, NULL), 0);
    cr_assert_eq(flow_log_prob(f, pool, logp, NULL, x, NULL, ROWS, NULL), 0);
    check_close(logp, logq, ROWS, 1e-9, 1e-9, "log q of samples, %s", what);
    for (size_t k = 0; k < ROWS * D; k++)
        cr_assert(!circle[k % D] || (x[k] >= -FLOW_PI && x[k] < FLOW_PI), "%s: %g", what, x[k]);
    for (size_t i = 0; i < D; i++)
        for (int turns = -2; turns <= 1 && circle[i]; turns++)
            check_turns(f, pool, x, i, turns, what);
    flow_pool_free(pool);
}

static const struct {
    const char *text;
    int directions; /* 1: data to noise, 2: noise to data */
} presets[] = {
    {"{\"kind\": \"maf\", \"layers\": 3, \"conditioner\": {\"kind\": \"mlp\", \"hidden\": [11]}, "
     "\"actnorm\": true}",
     1},
    {"{\"kind\": \"maf\", \"layers\": 2, \"conditioner\": {\"kind\": \"mlp\", \"hidden\": [9]}, "
     "\"permute\": \"random\", "
     "\"transformer\": "
     "\"affine\", \"base\": {\"kind\": \"student_t\", \"learn\": true}}",
     1},
    {"{\"kind\": \"maf\", \"layers\": 3, \"conditioner\": {\"kind\": \"mlp\", \"hidden\": [9]}, "
     "\"permute\": \"swap\", \"linear\": "
     "\"none\"}",
     1},
    {"{\"kind\": \"iaf\", \"layers\": 3, \"conditioner\": {\"kind\": \"mlp\", \"hidden\": [11]}, "
     "\"permute\": \"random\"}",
     2},
    {"{\"kind\": \"realnvp\", \"layers\": 4, \"conditioner\": {\"kind\": \"mlp\", \"hidden\": "
     "[11]}, \"linear\": \"lu\"}",
     3},
    {"{\"kind\": \"nice\", \"layers\": 4, \"conditioner\": {\"kind\": \"mlp\", \"hidden\": [11]}}",
     3},
    {"{\"layers\": [{\"repeat\": 2, \"layers\": [\"lu_linear\", {\"kind\": \"autoregressive\"}, "
     "{\"kind\": \"permutation\", \"pattern\": \"random\"}]}, \"actnorm\"]}",
     3},
};
enum { N_PRESETS = sizeof presets / sizeof presets[0] };

Test(circles, presets_know_where_they_are)
{
    for (size_t p = 0; p < N_PRESETS; p++)
        for (int which = 0; which < 2; which++)
            for (int k = 0; k < 2; k++) {
                flow_direction direction = which ? FLOW_NOISE_TO_DATA : FLOW_DATA_TO_NOISE;
                if (!(presets[p].directions & (1 << which)))
                    continue;
                const unsigned char *circle = k ? all : circles;
                flow *f = made(presets[p].text, direction, circle);
                check_flow(f, circle, presets[p].text);
                flow_free(f);
            }
}

Test(circles, none_leaves_a_preset_as_it_was)
{
    static const unsigned char none[D] = {0};
    for (size_t p = 0; p < N_PRESETS; p++) {
        flow_direction direction =
            presets[p].directions & 1 ? FLOW_DATA_TO_NOISE : FLOW_NOISE_TO_DATA;
        flow *plain = made(presets[p].text, direction, NULL);
        flow *f = made(presets[p].text, direction, none);
        json_t *want = flow_describe(plain), *got = flow_describe(f);
        cr_assert(!flow_circles(f) && json_equal(got, want), "%s", presets[p].text);
        char *said = json_dumps(got, 0);
        cr_assert_null(strstr(said, "circle"), "%s", presets[p].text);
        free(said);
        json_decref(want);
        json_decref(got);
        flow_free(plain);
        flow_free(f);
    }
}

/* With as many steps as groups the teacher's samples; with fewer a flow of its own, on the same circles. */
Test(circles, a_teacher_is_unrolled_with_its_circles)
{
    flow *teacher = made(presets[0].text, FLOW_DATA_TO_NOISE, circles);
    flow_pool *pool = flow_pool_create(1, NULL);
    double want[ROWS * D], got[ROWS * D];
    flow_sample(teacher, pool, want, NULL, NULL, noise, 0, ROWS, NULL);
    for (size_t steps = 1; steps <= D; steps += 2)
        for (int narrow = 0; narrow < 2; narrow++) {
            const flow_unrolling how = {.iterations = steps, .width = narrow ? 0.6 : 1};
            flow *student = flow_unroll(teacher, &how, FLOW_F64, NULL);
            cr_assert(student);
            check_flow(student, circles, "a student");
            flow_sample(student, pool, got, NULL, NULL, noise, 0, ROWS, NULL);
            if (steps == D && !narrow)
                check_close(got, want, ROWS * D, 1e-9, 1e-9, "samples");
            flow_free(student);
        }
    flow_pool_free(pool);
    flow_free(teacher);
}

/* Over a torus of two columns, one of them given the other, by the trapezoidal rule. */
Test(circles, a_density_on_a_torus_integrates_to_one)
{
    enum { SIDE = 400 };
    const flow_place place = {.dim = 2, .circles = all};
    json_t *given = json_loads(
        "{\"kind\": \"maf\", \"layers\": 2, \"conditioner\": {\"kind\": \"mlp\", \"hidden\": [9]}}",
        0, NULL);
    json_t *preset = flow_kind_complete(&flow_presets, given, NULL);
    flow *f = flow_preset_create(preset, FLOW_DATA_TO_NOISE, &place, FLOW_F64, NULL);
    flow_pool *pool = flow_pool_create(1, NULL);
    double x[2 * SIDE], logp[SIDE], step = 2 * FLOW_PI / SIDE, sum = 0;
    randomise_parameters(f, 0.7, 11);
    for (size_t i = 0; i < SIDE; i++) {
        for (size_t r = 0; r < SIDE; r++) {
            x[2 * r] = step * (double)i - FLOW_PI;
            x[2 * r + 1] = step * (double)r - FLOW_PI;
        }
        flow_log_prob(f, pool, logp, NULL, x, NULL, SIDE, NULL);
        for (size_t r = 0; r < SIDE; r++)
            sum += step * step * exp(logp[r]);
    }
    /* slopes have corners at the knots: second order */
    check_close(&sum, &(double){1}, 1, 0, 1e-3, "integral over the torus");
    flow_pool_free(pool);
    flow_free(f);
    json_decref(given);
    json_decref(preset);
}

/* ---- what does not fit */

static const struct {
    const char *layers, *base, *word;
} refused[] = {
    {"[\"lu_linear\"]", "[1]", "lu_linear is for lines, and coordinate 1 is on a circle"},
    {"[{\"kind\": \"autoregressive\", \"circles\": [0]}]", "[1]", "coordinate 0 is on a line"},
    {"[{\"kind\": \"autoregressive\"}]", "[0]", "coordinate 0 is on a circle"},
    {"[{\"kind\": \"autoregressive\", \"circles\": [0, 0]}]", "[0]", "each once"},
    {"[{\"kind\": \"autoregressive\", \"circles\": [5]}]", "[0]", "below 5"},
    {"[{\"kind\": \"autoregressive\", \"circles\": [0], \"circular\": \"spline\"}]", "[0]",
     "spline is no map of the circle"},
    {"[{\"kind\": \"autoregressive\", \"transformer\": \"circular_spline\"}]", "[0]",
     "it is for circular"},
    {"[{\"kind\": \"part\", \"count\": 2, \"layers\": [\"actnorm\"]}]", "[1]",
     "part: layer 0: actnorm"},
    {"[{\"kind\": \"part\", \"columns\": [0, 2], \"layers\": [\"actnorm\"]}]", "[2]",
     "part: layer 0: actnorm"},
    {"[{\"kind\": \"part\", \"columns\": [2, 0], \"layers\": [\"actnorm\"]}]", "[1]", "rising"},
    {"[{\"kind\": \"part\", \"columns\": [0, 5], \"layers\": [\"actnorm\"]}]", "[1]", "below 5"},
    {"[{\"kind\": \"inverted\", \"layers\": [\"actnorm\"]}]", "[1]", "inverted: layer 0: actnorm"},
    {"[{\"kind\": \"permutation\", \"order\": [1, 0, 2, 3, 4]}, {\"kind\": \"part\", \"first\": 1, "
     "\"count\": 4, \"layers\": [\"actnorm\"]}]",
     "[1]", "layer 1: part: layer 0: actnorm"},
};

Test(circles, what_does_not_fit_is_refused)
{
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        char text[600];
        flow_err err = FLOW_ERR_INIT;
        snprintf(text, sizeof text,
                 "{\"layers\": %s, \"base\": {\"kind\": \"circular\", \"circles\": %s}}",
                 refused[i].layers, refused[i].base);
        cr_assert_null(make(text, FLOW_DATA_TO_NOISE, NULL, &err), "%s is taken", text);
        cr_assert_eq(err.code, FLOW_ECONFIG);
        cr_assert(strstr(err.text, refused[i].word), "%s: '%s' lacks '%s'", text, err.text,
                  refused[i].word);
    }
}

static bool can(const char *text)
{
    json_t *given = json_loads(text, 0, NULL);
    json_t *preset = flow_kind_complete(&flow_presets, given, NULL);
    bool out = flow_preset_can_circle(preset, FLOW_DATA_TO_NOISE);
    json_decref(given);
    json_decref(preset);
    return out;
}

Test(circles, spelt_layers_that_can_and_that_cannot)
{
    cr_assert(can("{\"kind\": \"maf\"}"));
    cr_assert(can("{\"kind\": \"realnvp\"}"));
    cr_assert(can(presets[N_PRESETS - 1].text));
    cr_assert_not(
        can("{\"layers\": [{\"kind\": \"part\", \"count\": 1, \"layers\": [\"actnorm\"]}]}"));
    cr_assert_not(can("{\"layers\": [{\"kind\": \"autoregressive\", \"circles\": [0]}]}"));
    cr_assert(can("{\"layers\": [{\"kind\": \"autoregressive\", \"circles\": [0]}], \"base\": "
                  "{\"kind\": \"circular\", \"circles\": [0]}}"));
}
