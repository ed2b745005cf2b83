#define FLOW_BITS 64
#define FLOW_ISA generic
#include "tests/common/examples.h"

#include "flow/layer/activation.h"
#include "flow/layer/transformer.h"
#include "tests/common/sanitized.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- autoregressive: every transformer x every activation x these bodies */

static const char *const transformer_examples[] = {
    "{\"kind\": \"affine\", \"scale_bound\": 1.7}",
    "{\"kind\": \"spline\", \"bins\": 4, \"bound\": 2.3}",
    "{\"kind\": \"additive\"}",
    "{\"kind\": \"circular_spline\", \"bins\": 5}",
};
enum { N_EXAMPLES = sizeof transformer_examples / sizeof *transformer_examples };

/* Unequal widths, some smaller than D so that not every degree has a unit. */
static const struct {
    const char *hidden;
    int residual;
} bodies[] = {
    {"[11]", 0}, {"[13, 9]", 0}, {"[18, 3, 7]", 0}, {"[10]", 1}, {"[7]", 3},
};
enum { N_BODIES = sizeof bodies / sizeof bodies[0] };

static size_t n_transformers(void)
{
    size_t count = 0;
    while (transformer_kinds[count])
        count++;
    return count;
}

static size_t n_activations(void)
{
    size_t count = 0;
    while (activation_kinds[count].apply)
        count++;
    return count;
}

static size_t autoregressive_count(void)
{
    return n_transformers() * n_activations() * N_BODIES;
}

/* A new reference to the example of a transformer, NULL if it has none. */
static json_t *transformer_example(const char *name)
{
    for (size_t i = 0; i < N_EXAMPLES; i++) {
        json_t *object = json_loads(transformer_examples[i], 0, NULL);
        if (strcmp(json_string_value(json_object_get(object, "kind")), name) == 0)
            return object;
        json_decref(object);
    }
    return NULL;
}

/* Coordinates on circles, the transformer's if it is a circular one: every second, or all but the first. */
static void put_circles(json_t *layer, const transformer *tau, size_t index, size_t dim)
{
    json_t *list = json_array();
    for (size_t i = 0; i < dim && tau->circular; i++)
        if (index % 3 == 2 ? i > 0 : i % 2 == index % 3)
            json_array_append_new(list, json_integer((json_int_t)i));
    if (tau->circular) {
        json_object_set_new(layer, "circle_transformer", transformer_example(tau->kind.name));
        json_object_set_new(layer, "transformer", transformer_example("spline"));
        json_object_set(layer, "circles", list);
    }
    json_decref(list);
}

static json_t *make_autoregressive(size_t index, size_t dim)
{
    size_t body = index % N_BODIES, f = index / N_BODIES % n_activations();
    const transformer *tau = transformer_kinds[index / N_BODIES / n_activations()];
    json_t *layer =
        json_pack("{s:s, s:o, s:{s:s, s:s, s:o, s:i}}", "kind", "autoregressive", "transformer",
                  transformer_example(tau->kind.name), "conditioner", "kind", "mlp", "activation",
                  activation_kinds[f].kind.name, "hidden", json_loads(bodies[body].hidden, 0, NULL),
                  "residual", bodies[body].residual);
    put_circles(layer, tau, index, dim);
    return layer;
}

/* ---- the same with fewer groups than dimensions, and with a first group that stays as it is: every
 * transformer x these, bodies and activations in turn */

static const struct {
    size_t groups; /* 0: D */
    const char *first;
} groupings[] = {
    {2, "identity"}, {2, "free"}, {3, "identity"}, {3, "free"}, {1, "free"}, {0, "identity"},
};
enum { N_GROUPINGS = sizeof groupings / sizeof groupings[0] };

static size_t grouped_count(void)
{
    return n_transformers() * N_GROUPINGS * 2;
}

/* What a dimension does not allow becomes what it does: at most D groups, and one group is free. */
static json_t *make_grouped(size_t index, size_t dim)
{
    size_t g = index / 2 % N_GROUPINGS, tau = index / 2 / N_GROUPINGS;
    size_t groups = groupings[g].groups && groupings[g].groups < dim ? groupings[g].groups : dim;
    size_t body = (index + tau) % N_BODIES, f = index % n_activations();
    json_t *layer = make_autoregressive((tau * n_activations() + f) * N_BODIES + body, dim);
    json_object_set_new(layer, "groups", json_integer((json_int_t)groups));
    json_object_set_new(layer, "first", json_string(groups > 1 ? groupings[g].first : "free"));
    return layer;
}

/* ---- unrolled: every transformer x T = 1, 2, 3 x tied or not, each group its own coordinate; and all of
 * these groupings, with T and tied in turn */

enum { N_ITERATIONS = 3 };

static json_t *unroll(json_t *layer, size_t index)
{
    json_object_set_new(layer, "kind", json_string("unrolled"));
    json_object_set_new(layer, "iterations", json_integer((json_int_t)(1 + index % N_ITERATIONS)));
    json_object_set_new(layer, "tied", json_boolean(index / N_ITERATIONS % 2));
    return layer;
}

static size_t unrolled_count(void)
{
    return n_transformers() * N_ITERATIONS * 2;
}

static json_t *make_unrolled(size_t index, size_t dim)
{
    size_t tau = index / N_ITERATIONS / 2, f = index % n_activations(), body = index % N_BODIES;
    return unroll(make_autoregressive((tau * n_activations() + f) * N_BODIES + body, dim), index);
}

static json_t *make_unrolled_groups(size_t index, size_t dim)
{
    return unroll(make_grouped(index, dim), index);
}

/* ---- the other kinds */

static size_t one(void)
{
    return 1;
}

static json_t *make_permutation(size_t index, size_t dim)
{
    const pcg_stream stream = {.seed = 90210 + index, .stage = PCG_TEST, .purpose = PCG_PERMUTE};
    size_t *order = malloc(dim * sizeof *order);
    pcg_permutation(order, dim, stream, 3);
    json_t *list = json_array();
    for (size_t i = 0; i < dim; i++)
        json_array_append_new(list, json_integer((json_int_t)order[i]));
    free(order);
    return json_pack("{s:s, s:o}", "kind", "permutation", "order", list);
}

static json_t *make_lu_linear(size_t index, size_t dim)
{
    (void)index, (void)dim;
    return json_pack("{s:s}", "kind", "lu_linear");
}

static json_t *make_actnorm(size_t index, size_t dim)
{
    (void)index, (void)dim;
    return json_pack("{s:s}", "kind", "actnorm");
}

static json_t *make_context_linear(size_t index, size_t dim)
{
    (void)index, (void)dim;
    return json_pack("{s:s}", "kind", "context_linear");
}

enum { PART_LIST = 3 }; /* number of the example whose part is a list */

/* Every second coordinate, the others left as they are. */
static json_t *make_listed_part(size_t dim)
{
    json_t *list = json_array();
    for (size_t i = 0; i < dim; i += 2)
        json_array_append_new(list, json_integer((json_int_t)i));
    return json_pack("{s:s, s:o, s:[o, o, o]}", "kind", "part", "columns", list, "layers",
                     make_actnorm(0, dim), make_autoregressive(1, json_array_size(list)),
                     make_lu_linear(0, dim));
}

/* What a part is made around: an inner part, a coupling, and layers that want whole vectors or data. */
static json_t *make_part(size_t index, size_t dim)
{
    size_t first = index ? dim / 3 : 0, count = index ? dim - first : (dim + 1) / 2;
    if (index == PART_LIST)
        return make_listed_part(dim);
    json_t *layers =
        index == 0 ? json_pack("[o, o, o, o]", make_grouped(0, count), make_lu_linear(0, count),
                               make_actnorm(0, count), make_autoregressive(N_BODIES + 1, count))
                   : json_pack("[o, o, o]", make_autoregressive(3, count),
                               make_part(index - 1, count), make_lu_linear(0, count));
    return json_pack("{s:s, s:I, s:I, s:o}", "kind", "part", "first", (json_int_t)first, "count",
                     (json_int_t)count, "layers", layers);
}

static size_t part_count(void)
{
    return PART_LIST + 1; /* before it, layers deep */
}

/* Layers whose log-determinant is the same everywhere, and others; in one another. */
static json_t *make_inverted(size_t index, size_t dim)
{
    static json_t *(*const layers[][2])(size_t index, size_t dim) = {
        {make_lu_linear, make_permutation}, {make_actnorm, make_lu_linear},
        {make_grouped, make_actnorm},       {make_inverted, make_part},
        {make_unrolled, make_inverted},     {make_context_linear, make_grouped}};
    json_t *list = json_pack("[o, o]", layers[index][0](index == 3 ? 1 : index, dim),
                             layers[index][1](index % 2, dim));
    return json_pack("{s:s, s:o}", "kind", "inverted", "layers", list);
}

static size_t inverted_count(void)
{
    return 6;
}

/* Layers of all kinds on top of each other. */
static json_t *make_stack(size_t index, size_t dim)
{
    size_t last = autoregressive_count() - 1;
    (void)index;
    return json_pack("[o, o, o, o, o]", make_actnorm(0, dim), make_autoregressive(N_BODIES, dim),
                     make_permutation(1, dim), make_lu_linear(0, dim),
                     make_autoregressive(last, dim));
}

/* ---- the table */

static const struct {
    const char *kind;
    size_t (*count)(void);
    json_t *(*make)(size_t index, size_t dim);
} kinds[] = {
    {"permutation", one, make_permutation},
    {"lu_linear", one, make_lu_linear},
    {"actnorm", one, make_actnorm},
    {"autoregressive", autoregressive_count, make_autoregressive},
    {"autoregressive", grouped_count, make_grouped},
    {"part", part_count, make_part},
    {"unrolled", unrolled_count, make_unrolled},
    {"unrolled", grouped_count, make_unrolled_groups},
    {"inverted", inverted_count, make_inverted},
    {"context_linear", one, make_context_linear},
    {"stack", one, make_stack}, /* not a kind, but it must keep the same promises */
};
enum { N_KINDS = sizeof kinds / sizeof kinds[0] };

size_t example_count(void)
{
    size_t count = 0;
    for (size_t k = 0; k < N_KINDS; k++)
        count += kinds[k].count();
    return count;
}

/* The kind of an example; *example becomes the number within the kind. */
static size_t kind_of(size_t *example)
{
    size_t k = 0;
    for (; *example >= kinds[k].count(); k++)
        *example -= kinds[k].count();
    return k;
}

json_t *example_layer(size_t example, size_t dim)
{
    size_t k = kind_of(&example);
    return kinds[k].make(example, dim);
}

int example_is(size_t example, const char *kind)
{
    return strcmp(kinds[kind_of(&example)].kind, kind) == 0;
}

size_t example_groups(size_t example, size_t dim)
{
    json_t *layer = example_layer(example, dim);
    json_t *groups = json_object_get(layer, "groups");
    size_t count = groups ? (size_t)json_integer_value(groups) : dim;
    json_decref(layer);
    return example_is(example, "autoregressive") || example_is(example, "unrolled") ? count : 0;
}

void example_transformer(size_t example, char name[32])
{
    json_t *layer = example_layer(example, 2);
    const char *tau =
        json_string_value(json_object_get(json_object_get(layer, "transformer"), "kind"));
    snprintf(name, 32, "%s", tau ? tau : "");
    json_decref(layer);
}

const char *example_missing(void)
{
    const flow_kind *kind;
    for (size_t i = 0; (kind = flow_layers.at(i)); i++) {
        size_t k = 0;
        while (k < N_KINDS && strcmp(kinds[k].kind, kind->name) != 0)
            k++;
        if (k == N_KINDS)
            return kind->name;
    }
    for (size_t i = 0; (kind = flow_transformers.at(i)); i++) {
        json_t *example = transformer_example(kind->name);
        json_decref(example);
        if (!example)
            return kind->name;
    }
    return NULL;
}

/* Every layer with its defaults filled in. */
static json_t *complete_layers(json_t *layers)
{
    json_t *out = json_array();
    flow_err err = FLOW_ERR_INIT;
    for (size_t i = 0; i < json_array_size(layers); i++) {
        json_t *layer = flow_kind_complete(&flow_layers, json_array_get(layers, i), &err);
        cr_assert(layer, "%s", err.text);
        json_array_append_new(out, layer);
    }
    json_decref(layers);
    return out;
}

/* Noise that is on circles where the first layer has them. */
static json_t *base_for(const json_t *layers)
{
    json_t *circles = json_object_get(json_array_get(layers, 0), "circles");
    if (json_array_size(circles) == 0)
        return json_pack("{s:s, s:b}", "kind", "normal", "learn", 0);
    return json_pack("{s:s, s:O, s:{s:s, s:b}}", "kind", "circular", "circles", circles, "others",
                     "kind", "normal", "learn", 0);
}

json_t *describe_one(size_t dim, size_t context, const char *direction, json_t *layer)
{
    json_t *layers = json_is_array(layer) ? layer : json_pack("[o]", layer);
    json_t *base = base_for(layers);
    return json_pack("{s:I, s:I, s:s, s:o, s:o}", "dim", (json_int_t)dim, "context",
                     (json_int_t)context, "direction", direction, "base", base, "layers",
                     complete_layers(layers));
}

/* ---- random numbers */

static const pcg_stream numbers = {.stage = PCG_TEST, .purpose = PCG_BASE};

void random_numbers(double *out, size_t count, double width, uint64_t seed)
{
    pcg_stream stream = numbers;
    stream.seed = seed;
    pcg_normals(out, stream, 0, count, 1);
    for (size_t i = 0; i < count; i++)
        out[i] = (double)(float)(width * out[i]);
}

void set_tensor(flow *target, size_t t, double *values)
{
    flow_err err = FLOW_ERR_INIT;
    flow_tensor_info info;
    flow_tensor(target, &info, t);
    unsigned char *live = malloc(info.cols + 1);
    for (size_t row = 0; row < info.rows && info.cols; row++) {
        flow_tensor_live(target, live, t, row);
        for (size_t col = 0; col < info.cols; col++)
            values[row * info.cols + col] *= live[col];
    }
    free(live);
    cr_assert_eq(flow_tensor_set(target, values, t, &err), 0, "%s", err.text);
}

void randomise_parameters(flow *target, double width, uint64_t seed)
{
    pcg_stream stream = numbers;
    stream.seed = seed;
    for (size_t t = 0; t < flow_n_tensors(target); t++) {
        flow_tensor_info info;
        flow_tensor(target, &info, t);
        size_t count = info.rows * (info.cols ? info.cols : 1);
        double scale = info.cols ? 1.7 * width / sqrt((double)info.cols) : width;
        double *values = malloc((count + 1) * sizeof *values);
        pcg_uniforms(values, stream, (uint64_t)t << 32, count, 1);
        for (size_t i = 0; i < count; i++)
            values[i] = (double)(float)(scale * (2 * values[i] - 1));
        set_tensor(target, t, values);
        free(values);
    }
}

flow *random_flow(const flow_backend *backend, const flow_spec *spec, double width)
{
    flow_err err = FLOW_ERR_INIT;
    json_t *d = flow_spec_describe(spec, &err);
    flow *f = d ? flow_create_on(backend, d, SIZE_MAX, &err) : NULL;
    cr_assert(f, "%s", err.text);
    randomise_parameters(f, width, 99);
    json_decref(d);
    return f;
}

flow *random_teacher(size_t dim, size_t context, double width)
{
    static const size_t hidden[] = {16};
    const flow_spec spec = {.dim = dim,
                            .context = context,
                            .direction = FLOW_DATA_TO_NOISE,
                            .layers = 2,
                            .hidden = hidden,
                            .n_hidden = 1,
                            .activation = "silu",
                            .transformer = "affine",
                            .scale_bound = 1.5,
                            .permute = FLOW_REVERSE,
                            .lu = 1};
    return random_flow(flow_backend_find(FLOW_F64, NULL), &spec, width);
}

double *random_numbers_new(size_t count, double width, uint64_t seed)
{
    double *out = malloc((count + 1) * sizeof *out);
    random_numbers(out, count, width, seed);
    return out;
}
