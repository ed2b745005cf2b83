/* Every registered layer kind on every backend of this machine: descriptions and parameters. The
 * maps are in conformance_map.c, the derivatives in conformance_gradients.c. */
#include "tests/common/backends.h"
#include "tests/common/check.h"
#include "tests/common/examples.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

/* ---- the registry */

ParameterizedTestParameters(conformance, every_kind_has_an_example)
{
    return every_backend();
}

ParameterizedTest(size_t *b, conformance, every_kind_has_an_example)
{
    const char *missing = example_missing();
    const flow_kind *kind;
    cr_assert_null(missing, "'%s' has no example in tests/common/examples.c", missing);
    size_t count = 0;
    for (; (kind = flow_backend_at(*b)->kind(FLOW_LAYER_KIND, count)); count++)
        cr_assert(kind->doc && *kind->doc, "%s has no doc", kind->name);
    cr_assert_gt(count, 0);
}

/* ---- describe -> create gives the same map */

static void check_description(flow_case *c)
{
    flow_err err = FLOW_ERR_INIT;
    json_t *first = flow_describe(c->flow);
    flow *again = flow_create_on(c->flow->backend, first, SIZE_MAX, &err);
    cr_assert(again, "%s: %s", c->name, err.text);
    json_t *second = flow_describe(again);
    cr_assert(json_equal(first, second), "%s: described differently the second time", c->name);
    cr_assert_eq(flow_n_params(again), flow_n_params(c->flow));
    cr_assert_eq(flow_n_weights(again), flow_n_weights(c->flow));
    flow_case_run(c);
    memcpy(flow_params(again), flow_params_const(c->flow), flow_params_bytes(again));
    flow_pass *pass = flow_pass_create(again, c->n, 0, &err);
    double *y = malloc(c->n * (c->dim + 1) * sizeof *y), *logdet = y + c->n * c->dim;
    flow_pass_forward(pass, NULL, y, logdet, c->x, c->c, c->n);
    check_same(y, c->y, c->n * c->dim, "y after describe and create, %s", c->name);
    check_same(logdet, c->logdet, c->n, "logdet after describe and create, %s", c->name);
    free(y);
    flow_pass_free(pass);
    flow_free(again);
    json_decref(first);
    json_decref(second);
}

ParameterizedTestParameters(conformance, description_gives_the_same_map)
{
    return every_backend();
}

ParameterizedTest(size_t *b, conformance, description_gives_the_same_map)
{
    flow_case_each(flow_backend_at(*b), 5, 3, check_description);
}

/* ---- tensors */

static size_t tensor_count(const flow *f, flow_tensor_info *info, size_t t)
{
    flow_tensor(f, info, t);
    return info->rows * (info->cols ? info->cols : 1);
}

/* A name is "layers.<number>.<name>", and not used before. */
static void check_name(const flow_case *c, size_t t, const flow_tensor_info *info)
{
    size_t len = strlen(info->name);
    cr_assert(strncmp(info->name, "layers.", 7) == 0 && info->name[8] == '.' && len > 9 &&
                  (size_t)(info->name[7] - '0') < c->flow->stack.n_layers &&
                  len < sizeof info->name,
              "%s: tensor %zu is called '%s'", c->name, t, info->name);
    for (size_t s = 0; s < t; s++) {
        flow_tensor_info other;
        flow_tensor(c->flow, &other, s);
        cr_assert_str_neq(other.name, info->name, "%s: two tensors of one name", c->name);
    }
}

/* Values that are set come back with the same bits, or as zero where they are masked. Returns how
 * many are not masked. */
static size_t set_and_get(flow_case *c, size_t t)
{
    flow_tensor_info info;
    size_t count = tensor_count(c->flow, &info, t), kept = 0;
    double *set = malloc(count * sizeof *set), *got = malloc(count * sizeof *got);
    random_numbers(set, count, 2.385, 4711 + t);
    set_tensor(c->flow, t, set);
    flow_tensor_get(c->flow, got, t);
    for (size_t i = 0; i < count; i++) {
        kept += got[i] != 0;
        set[i] = got[i] == 0 ? 0 : set[i];
    }
    check_same(got, set, count, "%s of %s", info.name, c->name);
    free(set);
    free(got);
    return kept;
}

/* The other tensors do not notice when tensor t is set. */
static void check_neighbours(flow_case *c, size_t t)
{
    for (size_t s = 0; s < flow_n_tensors(c->flow); s++) {
        flow_tensor_info info;
        size_t count = tensor_count(c->flow, &info, s);
        double *before = malloc(2 * count * sizeof *before), *after = before + count;
        flow_tensor_get(c->flow, before, s);
        if (s != t)
            set_and_get(c, t);
        flow_tensor_get(c->flow, after, s);
        check_same(after, before, count, "%s after setting tensor %zu, %s", info.name, t, c->name);
        free(before);
    }
}

static void check_tensors(flow_case *c)
{
    size_t live = 0;
    for (size_t t = 0; t < flow_n_tensors(c->flow); t++) {
        flow_tensor_info info;
        flow_tensor(c->flow, &info, t);
        check_name(c, t, &info);
        live += set_and_get(c, t);
        check_neighbours(c, t);
    }
    cr_assert_eq(live, flow_n_weights(c->flow), "%s: %zu parameters can be set, %zu are counted",
                 c->name, live, flow_n_weights(c->flow));
    cr_assert_leq(live, flow_n_params(c->flow));
}

ParameterizedTestParameters(conformance, tensors_round_trip)
{
    return every_backend();
}

ParameterizedTest(size_t *b, conformance, tensors_round_trip)
{
    flow_case_each(flow_backend_at(*b), 5, 2, check_tensors);
}

/* ---- initial parameters: the same stream gives the same bits, all finite; and fresh layers are
 * the identity, or a permutation */

static void check_init(flow_case *c)
{
    const pcg_stream stream = {.seed = 815, .stage = PCG_TEST, .purpose = PCG_INIT};
    size_t bytes = flow_params_bytes(c->flow);
    char *first = malloc(bytes + 1);
    flow_init(c->flow, stream);
    memcpy(first, flow_params_const(c->flow), bytes);
    memset(flow_params(c->flow), 0x5a, bytes); /* init must write everything */
    flow_init(c->flow, stream);
    cr_assert(memcmp(first, flow_params_const(c->flow), bytes) == 0, "%s: init", c->name);
    free(first);
    flow_case_run(c);
    for (size_t r = 0; r < c->n; r++) {
        double in = 0, out = 0; /* a sum of cubes does not see the order */
        for (size_t i = r * c->dim; i < (r + 1) * c->dim; i++) {
            in += c->x[i] * c->x[i] * c->x[i];
            out += c->y[i] * c->y[i] * c->y[i];
        }
        /* splines and bounded scales compute the identity to rounding, f32: 1e-6 of |x|^3 < 100 */
        check_close(&out, &in, 1, 0, 2e-4, "fresh layer, %s", c->name);
        check_close(&c->logdet[r], &(double){0}, 1, 0, 2e-5, "fresh logdet, %s", c->name);
    }
}

ParameterizedTestParameters(conformance, fresh_layers_do_nothing)
{
    return every_backend();
}

ParameterizedTest(size_t *b, conformance, fresh_layers_do_nothing)
{
    flow_case_each(flow_backend_at(*b), 17, 7, check_init);
}

/* ---- descriptions that are refused: dim, layers, and a word that the message must hold */

/* The description of an autoregressive layer: everything must be in it. */
#define LAYER(TAU, NET)                                                                            \
    "[{\"kind\": \"autoregressive\", \"transformer\": " TAU ", \"conditioner\": " NET ", "         \
    "\"groups\": \"auto\", \"first\": \"free\"}]"
#define GROUPED(GROUPS, FIRST)                                                                     \
    "[{\"kind\": \"autoregressive\", \"transformer\": {\"kind\": \"additive\"}, \"conditioner\": " \
    "{\"kind\": \"mlp\", \"hidden\": [5], \"residual\": 0, \"activation\": \"elu\"}, "             \
    "\"groups\": " GROUPS ", \"first\": \"" FIRST "\"}]"
#define UNROLLED(ITERATIONS, TIED, GROUPS, FIRST)                                                  \
    "[{\"kind\": \"unrolled\", \"transformer\": {\"kind\": \"additive\"}, \"conditioner\": "       \
    "{\"kind\": \"mlp\", \"hidden\": [5], \"residual\": 0, \"activation\": \"elu\"}, "             \
    "\"groups\": " GROUPS ", \"first\": \"" FIRST "\", \"iterations\": " ITERATIONS                \
    ", \"tied\": " TIED "}]"
#define NET(HIDDEN, RESIDUAL, ACTIVATION)                                                          \
    "{\"kind\": \"mlp\", \"hidden\": " HIDDEN ", \"residual\": " RESIDUAL                          \
    ", \"activation\": \"" ACTIVATION "\"}"
#define AFFINE "{\"kind\": \"affine\", \"scale_bound\": 3}"
#define SPLINE(BINS, BOUND)                                                                        \
    "{\"kind\": \"spline\", \"min_share\": 0.001, \"min_slope\": 0.001, \"bins\": " BINS           \
    ", \"bound\": " BOUND "}"

static const struct {
    int dim, context;
    const char *layers, *word;
} refused[] = {
    {2, 0, "[{\"kind\": \"perceptron\"}]", "perceptron"},
    {2, 0, "[{}]", "kind"},
    {2, 0, "[17]", "kind"},
    {2, 0, "[null]", "kind"},
    {2, 0, "[{\"kind\": 3}]", "kind"},
    {2, 0, "[{\"kind\": \"actnorm\"}, {\"kind\": \"perceptron\"}]", "layer 1"},
    {2, 0, "[{\"kind\": \"permutation\"}]", "order"},
    {2, 0, "[{\"kind\": \"permutation\", \"order\": [0]}]", "order"},
    {2, 0, "[{\"kind\": \"permutation\", \"order\": [0, 1, 2]}]", "order"},
    {2, 0, "[{\"kind\": \"permutation\", \"order\": [1, 1]}]", "order"},
    {2, 0, "[{\"kind\": \"permutation\", \"order\": [0, 2]}]", "order"},
    {2, 0, "[{\"kind\": \"permutation\", \"order\": [-1, 0]}]", "order"},
    {2, 0, "[{\"kind\": \"permutation\", \"order\": [0.0, 1.0]}]", "order"},
    {2, 0, "[{\"kind\": \"permutation\", \"order\": \"reverse\"}]", "order"},
    {2, 0, "[{\"kind\": \"permutation\", \"order\": [1, 0], \"oder\": 1}]", "permutation"},
    {2, 0, "[{\"kind\": \"lu_linear\", \"bias\": true}]", "lu_linear"},
    {2, 0, "[{\"kind\": \"lu_linear\"}]", "scale_bound"},
    {2, 0, "[{\"kind\": \"permutation\", \"order\": [0, 1], \"pattern\": \"none\"}]", "excludes"},
    {2, 0, "[{\"kind\": \"permutation\", \"pattern\": \"swap\"}]", "order"},
    {2, 0, "[{\"kind\": \"actnorm\", \"scale\": 2.385}]", "actnorm"},
    {3, 1, "[{\"kind\": \"autoregressive\"}]", "'transformer' is missing"},
    {3, 1, "[{\"kind\": \"autoregressive\", \"transformer\": " AFFINE "}]",
     "'conditioner' is missing"},
    {3, 0, "[{\"kind\": \"autoregressive\", \"hidden\": [5]}]", "hidden"},
    {3, 0, LAYER(AFFINE, NET("[]", "0", "relu")), "hidden"},
    {3, 0, LAYER(AFFINE, NET("64", "0", "relu")), "hidden"},
    {3, 0, LAYER(AFFINE, NET("[0]", "0", "relu")), "hidden"},
    {3, 0, LAYER(AFFINE, NET("[-4]", "0", "relu")), "hidden"},
    {3, 0, LAYER(AFFINE, NET("[7.5]", "0", "relu")), "hidden"},
    {3, 0, LAYER(AFFINE, NET("[\"7\"]", "0", "relu")), "hidden"},
    {3, 0, LAYER(AFFINE, NET("[16385]", "0", "relu")), "hidden"},
    {3, 0, LAYER(AFFINE, NET("[9223372036854775807]", "0", "relu")), "hidden"},
    {3, 0, LAYER(AFFINE, NET("[5, 4294967301]", "0", "relu")), "hidden"},
    {3, 0, LAYER(AFFINE, NET("[2,2,2,2,2,2,2,2,2]", "0", "relu")), "hidden"},
    {3, 0, LAYER(AFFINE, NET("[5]", "-1", "relu")), "residual"},
    {3, 0, LAYER(AFFINE, NET("[5]", "17", "relu")), "residual"},
    {3, 0, LAYER(AFFINE, NET("[5]", "4294967296", "relu")), "residual"},
    {3, 0, LAYER(AFFINE, NET("[5]", "\"2\"", "relu")), "residual"},
    {3, 0, LAYER(AFFINE, NET("[5, 6]", "1", "relu")), "residual"},
    {3, 0, LAYER(AFFINE, NET("[5]", "0", "sin")), "sin"},
    {3, 0, LAYER(AFFINE, "{\"kind\": \"perceptron\"}"), "perceptron"},
    {3, 0, LAYER("{\"kind\": \"cubic\"}", NET("[5]", "0", "relu")), "cubic"},
    {3, 0, LAYER("\"affine\"", NET("[5]", "0", "relu")), "transformer"},
    {3, 0, LAYER(SPLINE("8", "5, \"hiden\": 3"), NET("[5]", "0", "relu")), "hiden"},
    {3, 0, LAYER(SPLINE("1", "5"), NET("[5]", "0", "relu")), "bins"},
    {3, 0, LAYER(SPLINE("65", "5"), NET("[5]", "0", "relu")), "bins"},
    {3, 0, LAYER(SPLINE("4294967304", "5"), NET("[5]", "0", "relu")), "bins"},
    {3, 0, LAYER(SPLINE("8.0", "5"), NET("[5]", "0", "relu")), "bins"},
    {3, 0, LAYER(SPLINE("8", "-2.5"), NET("[5]", "0", "relu")), "bound"},
    {3, 0, LAYER(SPLINE("8", "0"), NET("[5]", "0", "relu")), "bound"},
    {3, 0, LAYER(SPLINE("8", "1e9"), NET("[5]", "0", "relu")), "bound"},
    {3, 0, LAYER(SPLINE("8", "true"), NET("[5]", "0", "relu")), "bound"},
    {3, 0, LAYER("{\"kind\": \"affine\", \"scale_bound\": 0.0}", NET("[5]", "0", "relu")),
     "scale_bound"},
    {3, 0, LAYER("{\"kind\": \"affine\", \"scale_bound\": 20.5}", NET("[5]", "0", "relu")),
     "scale_bound"},
    {3, 0, LAYER("{\"kind\": \"affine\"}", NET("[5]", "0", "relu")), "scale_bound"},
    {3, 0, GROUPED("4", "free"), "4 groups of 3"},
    {3, 0, GROUPED("0", "free"), "groups"},
    {3, 0, GROUPED("2.5", "free"), "groups"},
    {3, 0, GROUPED("2", "same"), "first"},
    {3, 0, GROUPED("1", "identity"), "identity"},
    {3, 0, LAYER("{\"kind\": \"additive\", \"bins\": 3}", NET("[5]", "0", "elu")), "bins"},
    {3, 0,
     "[{\"kind\": \"part\", \"first\": 2, \"count\": 2, \"layers\": [{\"kind\": \"actnorm\"}]}]",
     "exceed"},
    {3, 0, "[{\"kind\": \"part\", \"first\": 3, \"count\": 1, \"layers\": []}]", "exceed"},
    {3, 0, "[{\"kind\": \"part\", \"first\": 0, \"count\": 0, \"layers\": []}]", "count"},
    {3, 0, "[{\"kind\": \"part\", \"first\": 0, \"layers\": []}]", "count"},
    {3, 0,
     "[{\"kind\": \"part\", \"first\": 0, \"count\": 2, \"layers\": [{\"kind\": \"actnorm\"}, "
     "{\"kind\": \"permutation\", \"order\": [0, 1, 2]}]}]",
     "part: layer 1: permutation"},
    {3, 0,
     "[{\"kind\": \"part\", \"first\": 0, \"count\": 2, \"layers\": [{\"kind\": \"perceptron\"}]}]",
     "perceptron"},
    {3, 0,
     "[{\"kind\": \"part\", \"first\": 0, \"count\": 2, \"layers\": [{\"kind\": \"part\", "
     "\"first\": 0, \"count\": 2, \"layers\": [{\"kind\": \"part\", \"first\": 0, \"count\": 2, "
     "\"layers\": [{\"kind\": \"part\", \"first\": 0, \"count\": 2, \"layers\": [{\"kind\": "
     "\"part\", \"first\": 0, \"count\": 2, \"layers\": [{\"kind\": \"actnorm\"}]}]}]}]}]}]",
     "deep"},
    {3, 0, "[{\"kind\": \"part\", \"first\": 0, \"count\": 2, \"layers\": 3}]", "layers"},
    {3, 0, "[{\"kind\": \"inverted\"}]", "layers"},
    {3, 0, "[{\"kind\": \"inverted\", \"layers\": [{\"kind\": \"actnorm\"}, {\"kind\": \"lu\"}]}]",
     "inverted: layer 1"},
    {3, 0, UNROLLED("0", "true", "2", "free"), "iterations"},
    {3, 0, UNROLLED("257", "true", "2", "free"), "iterations"},
    {3, 0, UNROLLED("2", "1", "2", "free"), "tied"},
    {3, 0, UNROLLED("2", "true", "4", "free"), "unrolled: 4 groups of 3"},
    {3, 0, UNROLLED("2", "true", "1", "identity"), "unrolled: first identity"},
    {3, 0, UNROLLED("2", "true, \"steps\": 2", "2", "free"), "steps"},
};
enum { N_REFUSED = sizeof refused / sizeof refused[0] };

ParameterizedTestParameters(conformance, bad_layers_are_refused)
{
    return every_backend();
}

ParameterizedTest(size_t *b, conformance, bad_layers_are_refused)
{
    for (size_t i = 0; i < N_REFUSED; i++) {
        flow_err err = FLOW_ERR_INIT;
        json_t *layers = json_loads(refused[i].layers, 0, NULL);
        cr_assert(layers, "%s", refused[i].layers);
        json_t *d = json_pack("{s:i, s:i, s:s, s:o}", "dim", refused[i].dim, "context",
                              refused[i].context, "direction", "noise_to_data", "layers", layers);
        flow *f = flow_create_on(flow_backend_at(*b), d, SIZE_MAX, &err);
        cr_assert_null(f, "%s was accepted", refused[i].layers);
        cr_assert_eq(err.code, FLOW_ECONFIG, "%s: code %d", refused[i].layers, err.code);
        cr_assert(strstr(err.text, refused[i].word) && strstr(err.text, "layer "),
                  "%s: '%s' does not name %s", refused[i].layers, err.text, refused[i].word);
        cr_assert_null(strchr(err.text, '\n'), "%s: more than a line", refused[i].layers);
        cr_assert_null(flow_create_on(flow_backend_at(*b), d, SIZE_MAX, NULL), "without an err");
        json_decref(d);
    }
}
