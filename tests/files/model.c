/* Model files: the way there and back, and every kind of file that is not one. */
#include "files/model.h"
#include "files/safetensors.h"
#include "tests/common/examples.h"
#include "tests/common/temp.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { DIM = 3, CONTEXT = 2, ROWS = 7 };

static flow_err err;
static flow_model model;
static const pcg_stream stream = {.seed = 9, .stage = PCG_TEST, .purpose = PCG_BASE};

static flow_units *units_of(size_t dim)
{
    flow_units *units = flow_units_create(dim, &err);
    cr_assert_not_null(units);
    for (size_t i = 0; i < dim; i++) {
        units->column[i].shift = 0.713 + (double)i;
        units->column[i].scale = 2.385 - 0.5 * (double)i;
    }
    return units;
}

static void set_up_with(size_t context, const char *text)
{
    err = (flow_err)FLOW_ERR_INIT;
    json_t *layers = json_loads(text, 0, NULL);
    json_t *d = describe_one(DIM, context, "noise_to_data", layers);
    model = (flow_model){.flow = flow_create(d, FLOW_F32, &err),
                         .units = units_of(DIM),
                         .names = json_pack("[s, s, s]", "a", "b \"c\"", "\xc3\xbc"),
                         .role = "student"};
    cr_assert(model.flow, "%s", err.text);
    randomise_parameters(model.flow, 0.5, 3);
    if (context) {
        model.context_units = units_of(context);
        model.context_names = json_pack("[s, s]", "u", "v");
    }
    json_decref(d);
    temp_open();
}

static void set_up(size_t context)
{
    set_up_with(context, "[{\"kind\": \"actnorm\"}, {\"kind\": \"lu_linear\"}]");
}

static void tear_down(void)
{
    flow_free(model.flow);
    flow_units_free(model.units);
    flow_units_free(model.context_units);
    json_decref(model.names);
    json_decref(model.context_names);
    temp_close();
}

/* ---- there and back */

/* Masked weights among them, layers within layers, and steps that each have their own. */
static const char all_sorts[] =
    "[{\"kind\": \"actnorm\"}, {\"kind\": \"inverted\", \"layers\": [\"lu_linear\"]}, {\"kind\": "
    "\"unrolled\", \"iterations\": 3}, {\"kind\": \"unrolled\", \"tied\": true, \"groups\": 2}]";

static void check_round_trip(size_t context)
{
    double x[2][ROWS * DIM], logp[2][ROWS], c[ROWS * CONTEXT];
    set_up_with(context, all_sorts);
    random_numbers(c, ROWS * CONTEXT, 1, 4);
    const char *path = temp_path("m");
    cr_assert_eq(flow_model_write(&model, path, &err), 0, "%s", err.text);
    flow_model *back = flow_model_read(path, &err);
    cr_assert(back, "%s", err.text);
    cr_expect_str_eq(back->role, "student");
    cr_expect(json_equal(back->names, model.names));
    cr_expect_eq(json_equal(back->context_names, model.context_names), context > 0);
    cr_expect_eq(flow_get_precision(back->flow), FLOW_F32);
    const flow_model *both[] = {&model, back};
    flow_pool *pool = flow_pool_create(1, &err);
    for (int i = 0; i < 2; i++)
        cr_assert_eq(flow_model_sample(both[i], pool, x[i], logp[i], context ? c : NULL, stream, 5,
                                       ROWS, &err),
                     0, "%s", err.text);
    cr_expect_arr_eq(x[0], x[1], sizeof x[0]);
    cr_expect_arr_eq(logp[0], logp[1], sizeof logp[0]);
    cr_assert_eq(flow_model_log_prob(back, pool, logp[1], x[0], context ? c : NULL, ROWS, &err), 0);
    for (size_t r = 0; r < ROWS; r++) /* single precision, both ways */
        cr_expect_float_eq(logp[0][r], logp[1][r], 1e-4);
    flow_pool_free(pool);
    flow_model_free(back);
    tear_down();
}

Test(model, there_and_back)
{
    check_round_trip(0);
}

Test(model, there_and_back_with_context)
{
    check_round_trip(CONTEXT);
}

Test(model, the_same_model_has_the_same_bytes)
{
    size_t sizes[2];
    set_up(CONTEXT);
    cr_assert_eq(flow_model_write(&model, temp_path("m"), &err), 0);
    cr_assert_eq(flow_model_write(&model, temp_path("n"), &err), 0);
    char *one = temp_slurp(temp_path("m"), &sizes[0]), *two = temp_slurp(temp_path("n"), &sizes[1]);
    cr_assert_eq(sizes[0], sizes[1]);
    cr_expect_arr_eq(one, two, sizes[0]);
    free(one);
    free(two);
    tear_down();
}

static void expect_ranges(const flow_model *back, const double *wanted)
{
    cr_assert_not_null(back, "%s", err.text);
    cr_assert_eq(!back->ranges, !wanted);
    cr_assert_eq(!back->context_ranges, !wanted);
    if (!wanted)
        return;
    cr_expect_arr_eq(back->ranges, wanted, 2 * DIM * sizeof *wanted);
    cr_expect_arr_eq(back->context_ranges, wanted + 1, 2 * CONTEXT * sizeof *wanted);
}

Test(model, ranges_of_training_are_kept_where_there_are_any)
{
    double ranges[2 * DIM] = {-0.1, 0.3, 0.3, 1e300, 1e300, 1e301};
    set_up(CONTEXT);
    cr_assert_eq(flow_model_write(&model, temp_path("without"), &err), 0);
    model.ranges = ranges;
    model.context_ranges = ranges + 1;
    cr_assert_eq(flow_model_write(&model, temp_path("with"), &err), 0, "%s", err.text);
    flow_model *without = flow_model_read(temp_path("without"), &err);
    flow_model *with = flow_model_read(temp_path("with"), &err);
    expect_ranges(without, NULL);
    expect_ranges(with, ranges);
    flow_model_free(without);
    flow_model_free(with);
    tear_down();
}

Test(model, quantities_are_kept_where_there_are_any)
{
    set_up(0);
    cr_assert_eq(flow_model_write(&model, temp_path("without"), &err), 0);
    model.quantities = json_pack("{s:[s, s], s:b}", "names", "tau", "theta.1", "instead", 1);
    cr_assert_eq(flow_model_write(&model, temp_path("with"), &err), 0, "%s", err.text);
    flow_model *without = flow_model_read(temp_path("without"), &err);
    flow_model *with = flow_model_read(temp_path("with"), &err);
    cr_assert(without && with, "%s", err.text);
    cr_expect_null(without->quantities);
    cr_expect(json_equal(with->quantities, model.quantities));
    flow_model_free(without);
    flow_model_free(with);
    json_decref(model.quantities);
    tear_down();
}

/* ---- files of format 1 */

static json_t *layers_of(const char *text)
{
    json_t *layers = json_loads(text, 0, NULL);
    cr_assert(layers, "%s", text);
    return layers;
}

/* The same weights under the description that format 1 had: NULL with *err, or the model that is read. */
static flow_model *read_as_first(const char *first)
{
    size_t len;
    cr_assert_eq(flow_model_write(&model, temp_path("m"), &err), 0, "%s", err.text);
    file_tensors *file = file_tensors_read(temp_path("m"), &err);
    cr_assert_eq(file_tensors_set_metadata(file, "format", "distill.model.1", &err), 0);
    cr_assert_eq(file_tensors_set_metadata(file, "flow", first, &err), 0);
    cr_assert_eq(file_tensors_write(file, temp_path("first"), &err), 0);
    file_tensors_free(file);
    char *bytes = temp_slurp(temp_path("first"), &len);
    flow_model *back = flow_model_read_bytes(bytes, len, "first", &err);
    free(bytes);
    return back;
}

#define FIRST(TAU)                                                                                 \
    "{\"base\": \"normal\", \"context\": 0, \"dim\": 3, \"direction\": \"noise_to_data\", "        \
    "\"layers\": "                                                                                 \
    "[{\"kind\": \"lu_linear\"}, {\"kind\": \"permutation\", \"order\": [2, 1, 0]}, {\"kind\": "   \
    "\"autoregressive\", \"activation\": \"tanh\", \"hidden\": [5], \"residual\": 1, " TAU "}]}"

Test(model, files_of_format_1)
{
    set_up(0);
    flow_free(model.flow);
    json_t *d = describe_one(
        DIM, 0, "noise_to_data",
        layers_of(
            "[\"lu_linear\", {\"kind\": \"permutation\", \"order\": [2, 1, 0]}, {\"kind\": "
            "\"autoregressive\", \"transformer\": {\"kind\": \"spline\", \"bins\": 3, \"bound\": "
            "2.5}, "
            "\"conditioner\": {\"activation\": \"tanh\", \"hidden\": [5], \"residual\": 1}}]"));
    model.flow = flow_create(d, FLOW_F32, &err);
    cr_assert(model.flow, "%s", err.text);
    randomise_parameters(model.flow, 0.5, 3);
    flow_model *back =
        read_as_first(FIRST("\"transformer\": \"spline\", \"bins\": 3, \"bound\": 2.5"));
    cr_assert(back, "%s", err.text);
    json_t *now = flow_describe(model.flow), *then = flow_describe(back->flow);
    cr_expect(json_equal(now, then));
    json_decref(now);
    json_decref(then);
    json_decref(d);
    flow_model_free(back);
    cr_expect_null(read_as_first(FIRST("\"transformer\": \"spline\", \"bins\": 3")));
    cr_expect(strstr(err.text, "key 'bound' is missing"), "%s", err.text);
    cr_expect_null(read_as_first(FIRST("\"transformer\": \"cubic\"")));
    cr_expect(strstr(err.text, "no transformer 'cubic'"), "%s", err.text);
    cr_expect_null(read_as_first(FIRST("\"bins\": 3")));
    tear_down();
}

/* ---- what is none */

/* A change to a good file, and a word of what must be said about it. */
typedef struct spoiling {
    const char *key, *value; /* of the metadata; value NULL: taken out */
    const char *tensor;      /* this one ... */
    enum { DROP, TURN, WIDEN, NAN_IN, AS_F64, ADD } what; /* ... is changed so */
    const char *says;
} spoiling;

static void copy_metadata(file_tensors *out, const file_tensors *in, const spoiling *s)
{
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)file_tensors_metadata_all(in), key, value)
    {
        bool here = s->key && strcmp(key, s->key) == 0;
        const char *text = here ? s->value : json_string_value(value);
        if (text)
            cr_assert_eq(file_tensors_set_metadata(out, key, text, &err), 0);
    }
}

static void copy_tensor(file_tensors *out, const file_tensors *in, size_t index, const spoiling *s)
{
    file_tensors_entry e;
    file_tensors_info(in, &e, index);
    bool here = s->tensor && strcmp(e.name, s->tensor) == 0;
    if (here && s->what == DROP)
        return;
    double *values = calloc(2 * e.count + 1, sizeof *values);
    file_tensors_get(in, values, index);
    if (here && s->what == NAN_IN)
        values[e.count - 1] = NAN;
    size_t flat[] = {1, e.count};
    bool turned = here && s->what == TURN;
    if (here && s->what == WIDEN)
        e.dims[e.rank - 1] *= 2;
    cr_assert_eq(file_tensors_add(out, e.name, here && s->what == AS_F64 ? FLOW_F64 : e.dtype,
                                  turned ? flat : e.dims, turned ? 2 : e.rank, values, &err),
                 0, "%s", err.text);
    if (here && s->what == ADD)
        cr_assert_eq(file_tensors_add(out, "extra", e.dtype, e.dims, e.rank, values, &err), 0);
    free(values);
}

/* The bytes of the model's file with one thing spoilt. */
static unsigned char *spoil(size_t *len, const spoiling *s)
{
    const char *path = temp_path("m");
    cr_assert_eq(flow_model_write(&model, path, &err), 0, "%s", err.text);
    file_tensors *in = file_tensors_read(path, &err), *out = file_tensors_create(&err);
    cr_assert(in && out);
    copy_metadata(out, in, s);
    for (size_t i = 0; i < file_tensors_count(in); i++)
        copy_tensor(out, in, i, s);
    unsigned char *bytes = file_tensors_write_bytes(out, len, &err);
    cr_assert_not_null(bytes);
    file_tensors_free(in);
    file_tensors_free(out);
    return bytes;
}

static void expect_refused(const spoiling *s)
{
    size_t len;
    unsigned char *bytes = spoil(&len, s);
    err = (flow_err)FLOW_ERR_INIT;
    flow_model *back = flow_model_read_bytes(bytes, len, "spoilt", &err);
    cr_expect_null(back, "read although %s%s", s->key ? s->key : s->tensor, " is spoilt");
    cr_expect_eq(err.code, FLOW_EDATA, "%s", err.text);
    cr_expect(strncmp(err.text, "spoilt: ", 8) == 0 && strstr(err.text, s->says), "'%s' lacks '%s'",
              err.text, s->says);
    flow_model_free(back);
    free(bytes);
}

Test(model, a_copy_with_nothing_spoilt_is_read)
{
    size_t len;
    set_up(CONTEXT);
    unsigned char *bytes = spoil(&len, &(spoiling){.says = ""});
    flow_model *back = flow_model_read_bytes(bytes, len, "copy", &err);
    cr_expect(back, "%s", err.text);
    flow_model_free(back);
    free(bytes);
    tear_down();
}

Test(model, metadata_that_are_wrong)
{
    static const char units[] = "{\"columns\": [{\"shift\": 0, \"scale\": 1}]}";
    static const spoiling all[] = {
        {.key = "format", .says = "metadata 'format'"},
        {.key = "format", .value = "distill.model.0", .says = "metadata 'format'"},
        {.key = "role", .says = "'role'"},
        {.key = "role", .value = "pupil", .says = "'role'"},
        {.key = "flow", .says = "no metadata 'flow'"},
        {.key = "flow", .value = "{", .says = "metadata 'flow'"},
        {.key = "flow", .value = "[1]", .says = "flow description"},
        {.key = "flow", .value = "{\"dim\": 3}", .says = "flow description"},
        {.key = "flow",
         .value = "{\"dim\": 3, \"direction\": \"noise_to_data\", \"base\": \"normal\", "
                  "\"layers\": [{\"kind\": \"x\"}]}",
         .says = "layer 0"},
        {.key = "flow",
         .value = "{\"dim\": 3, \"direction\": \"noise_to_data\", \"layers\": []}",
         .says = "key 'base' is missing"},
        {.key = "flow",
         .value = "{\"dim\": 3, \"direction\": \"noise_to_data\", \"base\": \"normal\", "
                  "\"layers\": [{\"kind\": \"actnorm\"}, {\"kind\": \"lu_linear\"}]}",
         .says = "key 'scale_bound' is missing"},
        {.key = "units", .says = "no metadata 'units'"},
        {.key = "units", .value = "3", .says = "units"},
        {.key = "units", .value = units, .says = "metadata 'units': 1 columns, the flow has 3"},
        {.key = "names", .says = "no metadata 'names'"},
        {.key = "names", .value = "[\"a\", \"b\"]", .says = "wants a list of 3 strings"},
        {.key = "names", .value = "[\"a\", \"b\", 3]", .says = "wants a list of 3 strings"},
        {.key = "names", .value = "{}", .says = "wants a list of 3 strings"},
        {.key = "context_units", .says = "no metadata 'context_units'"},
        {.key = "context_units", .value = units, .says = "metadata 'context_units': 1 columns"},
        {.key = "context_names", .says = "no metadata 'context_names'"},
        {.key = "context_names", .value = "[]", .says = "wants a list of 2 strings"},
        {.key = "ranges", .value = "[", .says = "metadata 'ranges'"},
        {.key = "ranges", .value = "{}", .says = "'ranges': wants a list of 3 pairs"},
        {.key = "ranges", .value = "[[0, 1], [0, 1]]", .says = "wants a list of 3 pairs"},
        {.key = "ranges", .value = "[[0, 1], [0, 1], [0]]", .says = "wants a list of 3 pairs"},
        {.key = "ranges", .value = "[[0, 1], [0, 1], [1, 0]]", .says = "wants a list of 3 pairs"},
        {.key = "ranges", .value = "[[0, 1], [0, 1], [0, \"1\"]]", .says = "list of 3 pairs"},
        {.key = "context_ranges", .value = "[[0, 1]]", .says = "'context_ranges': wants a list"},
        {.key = "quantities", .value = "{", .says = "metadata 'quantities'"},
        {.key = "quantities", .value = "[\"a\"]", .says = "'quantities': wants names"},
        {.key = "quantities", .value = "{\"names\": [\"a\"]}", .says = "'quantities': wants"},
        {.key = "quantities",
         .value = "{\"names\": [], \"instead\": true}",
         .says = "'quantities': wants"},
        {.key = "quantities",
         .value = "{\"names\": [3], \"instead\": true}",
         .says = "'quantities': wants"},
        {.key = "quantities",
         .value = "{\"names\": [\"a\"], \"instead\": 1}",
         .says = "'quantities': wants"}};
    double ranges[2 * DIM] = {0};
    set_up(CONTEXT);
    model.quantities = json_pack("{s:[s], s:b}", "names", "tau", "instead", 1);
    model.ranges = model.context_ranges = ranges;
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        expect_refused(&all[i]);
    json_decref(model.quantities);
    tear_down();
}

/* layers.0 is an actnorm: shift and log_scale; layers.1 a LU: bias and lu. */
Test(model, tensors_that_are_wrong)
{
    static const spoiling all[] = {
        {.tensor = "layers.0.shift", .what = DROP, .says = "more weights than"},
        {.tensor = "layers.1.lu", .what = ADD, .says = "the flow has"},
        {.tensor = "layers.1.lu", .what = TURN, .says = "tensor layers.1.lu: wrong shape"},
        {.tensor = "layers.1.lu", .what = WIDEN, .says = "tensor layers.1.lu: wrong shape"},
        {.tensor = "layers.0.shift", .what = WIDEN, .says = "tensor layers.0.shift: wrong shape"},
        {.tensor = "layers.0.shift", .what = TURN, .says = "tensor layers.0.shift: wrong shape"},
        {.tensor = "layers.0.log_scale", .what = NAN_IN, .says = "layers.0.log_scale: not finite"},
        {.tensor = "layers.1.bias", .what = AS_F64, .says = "not of the precision of the others"}};
    set_up(0);
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        expect_refused(&all[i]);
    tear_down();
}

/* The description alone must not make the reader take memory. */
Test(model, more_weights_than_the_file_has)
{
    static const spoiling large = {
        .key = "flow",
        .value = "{\"dim\": 60000, \"context\": 0, \"direction\": \"noise_to_data\", \"base\": "
                 "\"normal\", "
                 "\"layers\": [{\"kind\": \"lu_linear\", \"scale_bound\": 5.0}]}",
        .says = "more weights than"};
    set_up(0);
    expect_refused(&large);
    tear_down();
}

Test(model, every_shorter_file_is_refused)
{
    size_t len;
    set_up(0);
    unsigned char *bytes = spoil(&len, &(spoiling){.says = ""});
    for (size_t shorter = 0; shorter < len; shorter++) {
        flow_model *back = flow_model_read_bytes(bytes, shorter, "cut", &err);
        cr_expect(!back && err.code == FLOW_EDATA, "%zu of %zu bytes: %s", shorter, len, err.text);
        flow_model_free(back);
    }
    free(bytes);
    tear_down();
}

Test(model, a_file_that_is_not_there)
{
    set_up(0);
    cr_expect_null(flow_model_read(temp_path("none"), &err));
    cr_expect_eq(err.code, FLOW_ENOINPUT);
    cr_expect_eq(flow_model_write(&model, temp_path("none/m"), &err), FLOW_ECREATE);
    tear_down();
}
