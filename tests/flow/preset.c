/* The usual stacks: which layers, in which order, with which options. */
#include "flow/preset.h"

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

Test(preset, options_arrive)
{
    flow_spec spec = usual();
    json_t *want = json_loads(
        "{\"kind\": \"autoregressive\", \"transformer\": {\"kind\": \"affine\", \"scale_bound\": "
        "1.713}, "
        "\"conditioner\": {\"kind\": \"mlp\", \"activation\": \"silu\", \"hidden\": [13, 9], "
        "\"residual\": 0}}",
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
        "{\"kind\": \"mlp\", \"activation\": \"silu\", \"hidden\": [13], \"residual\": 3}}",
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
