/* The usual stacks: which layers, in which order, with which options. */
#include "flow/preset.h"
#include "flow/unroll.h"

#include "tests/common/examples.h"
#include "tests/common/spec.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static const size_t hidden[] = {13, 9};

static flow_spec usual(void)
{
    return (flow_spec){.dim = 5,
                       .context = 2,
                       .direction = FLOW_DATA_TO_NOISE,
                       .layers = 3,
                       .hidden = hidden,
                       .n_hidden = 2,
                       .activation = "silu",
                       .transformer = "affine",
                       .bins = 7,
                       .bound = 2.385,
                       .scale_bound = 1.713,
                       .permute = FLOW_REVERSE,
                       .stream = {.seed = 88, .stage = PCG_TEST, .purpose = PCG_PERMUTE}};
}

static json_t *describe(const flow_spec *spec)
{
    flow_err err = FLOW_ERR_INIT;
    json_t *d = flow_spec_describe(spec, &err);
    cr_assert(d, "%s", err.text);
    return d;
}

static const char *kind_at(const json_t *description, size_t layer)
{
    const json_t *list = json_object_get(description, "layers");
    return json_string_value(json_object_get(json_array_get(list, layer), "kind"));
}

static void check_kinds(const flow_spec *spec, const char *const *want, size_t count)
{
    json_t *d = describe(spec);
    cr_assert_eq(json_array_size(json_object_get(d, "layers")), count);
    for (size_t l = 0; l < count; l++)
        cr_assert_str_eq(kind_at(d, l), want[l], "layer %zu", l);
    json_decref(d);
}

Test(preset, kinds_in_order)
{
    flow_spec spec = usual();
    const char *const plain[] = {"autoregressive", "permutation", "autoregressive", "permutation",
                                 "autoregressive"};
    check_kinds(&spec, plain, 5);
    spec.permute = FLOW_IN_ORDER;
    const char *const in_order[] = {"autoregressive", "autoregressive", "autoregressive"};
    check_kinds(&spec, in_order, 3);
    spec = usual();
    spec.layers = 2;
    spec.lu = spec.actnorm = 1;
    const char *const full[] = {"lu_linear", "actnorm", "autoregressive", "permutation",
                                "lu_linear", "actnorm", "autoregressive"};
    check_kinds(&spec, full, 7);
}

Test(preset, context_next_to_the_data)
{
    flow_spec spec = usual();
    spec.layers = 2;
    spec.context_linear = 1;
    const char *const density[] = {"context_linear", "autoregressive", "permutation",
                                   "autoregressive"};
    check_kinds(&spec, density, 4);
    spec.direction = FLOW_NOISE_TO_DATA;
    const char *const sampler[] = {"autoregressive", "permutation", "autoregressive", "inverted"};
    check_kinds(&spec, sampler, 4);
    json_t *d = describe(&spec), *last = json_array_get(json_object_get(d, "layers"), 3);
    json_t *want =
        json_pack("{s:s, s:[{s:s}]}", "kind", "inverted", "layers", "kind", "context_linear");
    cr_assert(json_equal(last, want));
    json_decref(want);
    json_decref(d);
    spec.context = 0;
    check_kinds(&spec, sampler, 3);
}

Test(preset, options_arrive)
{
    flow_spec spec = usual();
    json_t *want = json_loads(
        "{\"kind\": \"autoregressive\", \"transformer\": {\"kind\": \"affine\", \"scale_bound\": "
        "1.713}, "
        "\"conditioner\": {\"kind\": \"mlp\", \"activation\": \"silu\", \"hidden\": [13, 9], "
        "\"residual\": 0}, \"groups\": \"auto\", \"first\": \"free\"}",
        0, NULL);
    json_t *d = describe(&spec);
    cr_assert(json_equal(json_array_get(json_object_get(d, "layers"), 2), want));
    cr_assert_eq(json_integer_value(json_object_get(d, "dim")), 5);
    cr_assert_eq(json_integer_value(json_object_get(d, "context")), 2);
    cr_assert_str_eq(json_string_value(json_object_get(d, "direction")), "data_to_noise");
    json_decref(want);
    json_decref(d);
    spec.transformer = "spline";
    spec.n_hidden = 1;
    spec.residual = 3;
    spec.direction = FLOW_NOISE_TO_DATA;
    want = json_loads(
        "{\"kind\": \"autoregressive\", \"transformer\": {\"kind\": \"spline\", \"bins\": 7, "
        "\"bound\": 2.385, \"min_share\": 0.001, \"min_slope\": 0.001}, \"conditioner\": "
        "{\"kind\": \"mlp\", \"activation\": \"silu\", \"hidden\": [13], \"residual\": 3}, "
        "\"groups\": \"auto\", \"first\": \"free\"}",
        0, NULL);
    d = describe(&spec);
    cr_assert(json_equal(json_array_get(json_object_get(d, "layers"), 0), want));
    cr_assert_str_eq(json_string_value(json_object_get(d, "direction")), "noise_to_data");
    json_decref(want);
    json_decref(d);
}

static size_t order_at(const json_t *d, size_t layer, size_t i)
{
    const json_t *p = json_array_get(json_object_get(d, "layers"), layer);
    return (size_t)json_integer_value(json_array_get(json_object_get(p, "order"), i));
}

Test(preset, reverse_and_random_permutations)
{
    flow_spec spec = usual();
    json_t *d = describe(&spec);
    for (size_t i = 0; i < 5; i++)
        cr_assert_eq(order_at(d, 1, i), 4 - i);
    json_decref(d);
    spec.permute = FLOW_RANDOM;
    d = describe(&spec);
    for (size_t block = 1; block <= 2; block++) {
        size_t want[5];
        pcg_permutation(want, 5, spec.stream, block);
        for (size_t i = 0; i < 5; i++)
            cr_assert_eq(order_at(d, 2 * block - 1, i), want[i], "block %zu", block);
    }
    json_t *again = describe(&spec);
    cr_assert(json_equal(d, again));
    json_decref(again);
    spec.stream.seed++;
    again = describe(&spec);
    cr_assert_not(json_equal(d, again));
    json_decref(again);
    json_decref(d);
}

Test(preset, flows_of_both_directions)
{
    flow_err err = FLOW_ERR_INIT;
    flow_spec spec = usual();
    spec.lu = spec.actnorm = 1;
    for (int d = 0; d < 2; d++) {
        spec.direction = d ? FLOW_NOISE_TO_DATA : FLOW_DATA_TO_NOISE;
        flow *f = flow_spec_create(&spec, d ? FLOW_F64 : FLOW_F32, &err);
        cr_assert(f, "%s", err.text);
        cr_assert_eq(flow_get_direction(f), spec.direction);
        cr_assert_eq(flow_get_precision(f), d ? FLOW_F64 : FLOW_F32);
        cr_assert(flow_dim(f) == 5 && flow_context(f) == 2);
        flow_free(f);
    }
}

Test(preset, what_makes_no_sense_is_refused)
{
    const size_t none[] = {0};
    flow_spec bad[4];
    const char *words[] = {"activation", "cubic", "hidden", "dim"};
    for (size_t i = 0; i < 4; i++)
        bad[i] = usual();
    bad[0].activation = "sinus";
    bad[1].transformer = "cubic";
    bad[2].hidden = none;
    bad[2].n_hidden = 0;
    bad[3].dim = 0;
    for (size_t i = 0; i < 4; i++) {
        flow_err err = FLOW_ERR_INIT;
        cr_assert_null(flow_spec_create(&bad[i], FLOW_F32, &err), "case %zu", i);
        cr_assert_eq(err.code, FLOW_ECONFIG, "case %zu: code %d", i, err.code);
        cr_assert(strstr(err.text, words[i]), "case %zu: '%s'", i, err.text);
    }
}

/* ---- couplings */

static flow *create_preset(const char *text, size_t dim, flow_err *err)
{
    const flow_place place = {.dim = dim, .context = 2};
    json_t *given = json_loads(text, 0, NULL);
    json_t *preset = flow_kind_complete(&flow_presets, given, err);
    flow *f = preset ? flow_preset_create(preset, FLOW_DATA_TO_NOISE, &place, FLOW_F64, err) : NULL;
    json_decref(given);
    json_decref(preset);
    return f;
}

/* Which coordinate moves when the parameters are not zero: all of them, after two layers. */
static void check_all_move(const char *preset, size_t dim)
{
    flow_err err = FLOW_ERR_INIT;
    flow *f = create_preset(preset, dim, &err);
    cr_assert(f, "%s: %s", preset, err.text);
    randomise_parameters(f, 0.8, 5);
    flow_pass *pass = flow_pass_create(f, 1, 0, &err);
    double x[7], y[7], other[7], context[2] = {0.3, -0.7}, moved[2] = {1.3, 0.2}, l;
    random_numbers(x, dim, 1.1, 3);
    flow_pass_forward(pass, NULL, y, &l, x, context, 1);
    flow_pass_forward(pass, NULL, other, &l, x, moved, 1);
    for (size_t i = 0; i < dim; i++)
        cr_expect_neq(y[i], other[i], "%s: coordinate %zu of %zu sees no context", preset, i, dim);
    flow_pass_free(pass);
    flow_free(f);
}

Test(preset, couplings_move_every_coordinate)
{
    static const char *const presets[] = {
        "{\"kind\": \"nice\", \"layers\": 3}", "{\"kind\": \"realnvp\", \"layers\": 3}",
        "{\"kind\": \"realnvp\", \"layers\": 3, \"transformer\": \"spline\", \"linear\": \"lu\"}"};
    for (size_t i = 0; i < 3; i++)
        for (size_t dim = 2; dim <= 7; dim++)
            check_all_move(presets[i], dim);
    flow_err err = FLOW_ERR_INIT;
    cr_assert_null(create_preset(presets[1], 1, &err));
    cr_assert(err.code == FLOW_ECONFIG && strstr(err.text, "two coordinates"), "%s", err.text);
}

/* NICE keeps volumes but for the scale at its end, whose log is the log-det of every point. */
Test(preset, nice_has_one_volume)
{
    flow_err err = FLOW_ERR_INIT;
    flow *f = create_preset("{\"kind\": \"nice\"}", 4, &err);
    cr_assert(f, "%s", err.text);
    randomise_parameters(f, 0.6, 8);
    flow_pass *pass = flow_pass_create(f, 2, 0, &err);
    double x[8], y[8], context[4], l[2];
    random_numbers(x, 8, 1.7, 1);
    random_numbers(context, 4, 1.7, 2);
    flow_pass_forward(pass, NULL, y, l, x, context, 2);
    cr_expect(l[0] == l[1] && l[0] != 0, "%g %g", l[0], l[1]);
    flow_pass_free(pass);
    flow_free(f);
}

Test(preset, a_preset_for_the_other_direction_is_refused)
{
    flow_err err = FLOW_ERR_INIT;
    cr_assert_null(create_preset("{\"kind\": \"iaf\"}", 3, &err));
    cr_assert(err.code == FLOW_ECONFIG && strstr(err.text, "the other way round"), "%s", err.text);
}

Test(preset, which_direction_it_is_for)
{
    static const struct {
        const char *kind;
        flow_direction either[2];
    } want[] = {{"maf", {FLOW_DATA_TO_NOISE, FLOW_DATA_TO_NOISE}},
                {"iaf", {FLOW_NOISE_TO_DATA, FLOW_NOISE_TO_DATA}},
                {"realnvp", {FLOW_DATA_TO_NOISE, FLOW_NOISE_TO_DATA}}};
    for (size_t k = 0; k < 3; k++) {
        json_t *preset = json_pack("{s:s}", "kind", want[k].kind);
        cr_expect_eq(flow_preset_direction(preset, FLOW_DATA_TO_NOISE), want[k].either[0]);
        cr_expect_eq(flow_preset_direction(preset, FLOW_NOISE_TO_DATA), want[k].either[1]);
        json_decref(preset);
    }
}

/* ---- a preset that follows a teacher */

Test(preset, unrolled_follows_a_teacher)
{
    flow_err err = FLOW_ERR_INIT;
    const flow_place place = {.dim = 3, .context = 2};
    json_t *given = json_pack("{s:s, s:i}", "kind", "unrolled", "iterations", 3);
    json_t *preset = flow_kind_complete(&flow_presets, given, &err);
    flow *teacher = create_preset("{\"kind\": \"maf\", \"layers\": 2}", 3, &err);
    cr_assert(preset && teacher && flow_preset_follows(preset), "%s", err.text);
    flow_unrolling how;
    cr_assert_eq(flow_preset_unrolling(&how, preset, &err), 0, "%s", err.text);
    cr_assert(how.iterations == 3 && !how.tied && how.width == 1);
    cr_assert_null(flow_preset_describe(preset, FLOW_NOISE_TO_DATA, &place, &err));
    cr_assert(err.code == FLOW_ECONFIG && strstr(err.text, "teacher"), "%s", err.text);
    cr_assert_null(create_preset("{\"kind\": \"unrolled\"}", 3, &err));
    cr_assert(strstr(err.text, "the other way round"), "%s", err.text);
    json_t *other = json_pack("{s:s}", "kind", "iaf");
    cr_assert_eq(flow_preset_follows(other), 0);
    json_decref(other);
    json_decref(given);
    json_decref(preset);
    flow_free(teacher);
}

/* By the key alone; and with steps that are to be found. */
Test(preset, iterations_tell_an_unrolled_one)
{
    flow_err err = FLOW_ERR_INIT;
    const char *const given[] = {"{\"iterations\": \"auto\", \"width\": 0.5, \"tied\": true}",
                                 "{\"kind\": \"unrolled\"}"};
    for (size_t k = 0; k < 2; k++) {
        json_t *object = json_loads(given[k], 0, NULL);
        json_t *preset = flow_kind_complete(&flow_presets, object, &err);
        flow_unrolling how;
        cr_assert(preset && flow_preset_follows(preset), "%s", err.text);
        cr_assert_eq(flow_preset_unrolling(&how, preset, &err), 0, "%s", err.text);
        cr_expect(how.iterations == 0 && how.tied == !k && how.width == (k ? 1 : 0.5), "%zu", k);
        json_decref(object);
        json_decref(preset);
    }
}

/* ---- layers spelt out */

static void check_settled(const char *spelt, const char *want)
{
    flow_err err = FLOW_ERR_INIT;
    flow_place place = {.dim = 4, .stream = {.seed = 5, .stage = PCG_TEST}};
    json_t *given = json_loads(spelt, 0, NULL), *list = json_loads(want, 0, NULL);
    json_t *preset = flow_kind_complete(&flow_presets, given, &err);
    cr_assert(preset, "%s: %s", spelt, err.text);
    json_t *got = flow_layers_settle(json_object_get(preset, "layers"), &place, &err);
    cr_assert(got, "%s: %s", spelt, err.text);
    char *text = json_dumps(got, JSON_COMPACT);
    cr_expect(json_equal(got, list), "%s becomes %s", spelt, text);
    free(text);
    json_decref(given);
    json_decref(list);
    json_decref(preset);
    json_decref(got);
}

Test(preset, spelt_layers_settle)
{
    check_settled(
        "{\"layers\": [{\"kind\": \"permutation\", \"pattern\": \"swap\"}, \"actnorm\"]}",
        "[{\"kind\": \"permutation\", \"order\": [2, 3, 0, 1]}, {\"kind\": \"actnorm\"}]");
    check_settled(
        "{\"layers\": [{\"repeat\": 2, \"layers\": [{\"repeat\": 2, \"layers\": [\"actnorm\"]}, "
        "{\"kind\": \"permutation\", \"order\": [0, 2, 1, 3]}]}]}",
        "[{\"kind\": \"actnorm\"}, {\"kind\": \"actnorm\"}, {\"kind\": \"permutation\", "
        "\"order\": [0, 2, 1, 3]}, {\"kind\": \"actnorm\"}, {\"kind\": \"actnorm\"}, {\"kind\": "
        "\"permutation\", \"order\": [0, 2, 1, 3]}]");
    check_settled(
        "{\"layers\": [{\"kind\": \"part\", \"first\": 1, \"count\": 3, \"layers\": [{\"kind\": "
        "\"permutation\", \"pattern\": \"reverse\"}]}]}",
        "[{\"kind\": \"part\", \"first\": 1, \"count\": 3, \"layers\": [{\"kind\": "
        "\"permutation\", \"order\": [2, 1, 0]}]}]");
}

Test(preset, too_many_layers_are_refused)
{
    flow_err err = FLOW_ERR_INIT;
    flow *f =
        create_preset("{\"layers\": [{\"repeat\": 33, \"layers\": [{\"repeat\": 32, \"layers\": "
                      "[\"actnorm\"]}]}]}",
                      2, &err);
    cr_assert_null(f);
    cr_assert(err.code == FLOW_ECONFIG && strstr(err.text, "more than 1024 layers"), "%s",
              err.text);
}
