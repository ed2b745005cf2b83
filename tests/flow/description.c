/* Descriptions of flows that are refused: the head (layers are in conformance.c), and too many weights. */
#include "flow/flow.h"
#include "tests/common/spec.h"

#include <criterion/criterion.h>
#include <string.h>

/* A word that the message must hold. */
static const struct {
    const char *text, *word;
} refused[] = {
    {"null", "object"},
    {"[]", "object"},
    {"{\"direction\": \"data_to_noise\", \"layers\": []}", "dim"},
    {"{\"dim\": 2, \"layers\": []}", "direction"},
    {"{\"dim\": 2, \"direction\": \"data_to_noise\"}", "layers"},
    {"{\"dim\": 0, \"direction\": \"data_to_noise\", \"layers\": []}", "dim"},
    {"{\"dim\": -3, \"direction\": \"data_to_noise\", \"layers\": []}", "dim"},
    {"{\"dim\": 65537, \"direction\": \"data_to_noise\", \"layers\": []}", "dim"},
    {"{\"dim\": 9223372036854775807, \"direction\": \"data_to_noise\", \"layers\": []}", "dim"},
    {"{\"dim\": 2.5, \"direction\": \"data_to_noise\", \"layers\": []}", "integer"},
    {"{\"dim\": \"2\", \"direction\": \"data_to_noise\", \"layers\": []}", "integer"},
    {"{\"dim\": 2, \"context\": -1, \"direction\": \"data_to_noise\", \"layers\": []}", "context"},
    {"{\"dim\": 2, \"context\": 70000, \"direction\": \"data_to_noise\", \"layers\": []}",
     "context"},
    {"{\"dim\": 2, \"direction\": \"sideways\", \"layers\": []}", "sideways"},
    {"{\"dim\": 2, \"direction\": \"data_to_noise\", \"layers\": {}}", "layers"},
    {"{\"dim\": 2, \"direction\": \"data_to_noise\", \"layers\": \"none\"}", "layers"},
    {"{\"dim\": 2, \"direction\": \"data_to_noise\", \"base\": \"cauchy\", \"layers\": []}",
     "cauchy"},
    {"{\"dim\": 2, \"direction\": \"data_to_noise\", \"layers\": [], \"layer\": 3}", "layer"},
};

Test(description, bad_descriptions_are_refused)
{
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        flow_err err = FLOW_ERR_INIT;
        json_t *d = json_loads(refused[i].text, JSON_DECODE_ANY, NULL);
        cr_assert(d, "%s", refused[i].text);
        cr_assert_null(flow_create(d, FLOW_F64, &err), "%s was accepted", refused[i].text);
        cr_assert_eq(err.code, FLOW_ECONFIG, "%s: code %d", refused[i].text, err.code);
        cr_assert(strstr(err.text, refused[i].word) && strstr(err.text, "flow description"),
                  "%s: '%s' does not name %s", refused[i].text, err.text, refused[i].word);
        cr_assert_null(flow_create(d, FLOW_F32, NULL), "without an err");
        json_decref(d);
    }
}

/* As many weights as the flow has are enough, one less is refused. */
Test(description, bounded_by_weights)
{
    flow_err err = FLOW_ERR_INIT;
    static const size_t hidden[] = {11, 9};
    flow_spec spec = {.dim = 3,
                      .context = 2,
                      .layers = 2,
                      .hidden = hidden,
                      .n_hidden = 2,
                      .activation = "silu",
                      .transformer = "affine",
                      .scale_bound = 2.1,
                      .lu = 1,
                      .actnorm = 1};
    json_t *d = flow_spec_describe(&spec, NULL);
    flow *f = flow_create(d, FLOW_F32, &err);
    size_t weights = flow_n_weights(f);
    flow *same = flow_create_within(d, FLOW_F32, weights, &err);
    cr_assert(same && flow_n_weights(same) == weights, "%s", err.text);
    cr_assert_null(flow_create_within(d, FLOW_F32, weights - 1, &err));
    cr_assert(err.code == FLOW_ECONFIG || err.code == FLOW_EDATA, "code %d", err.code);
    flow_free(f);
    flow_free(same);
    flow_free(NULL);
    flow_pass_free(NULL);
    json_decref(d);
}
