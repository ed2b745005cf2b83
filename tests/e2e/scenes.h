/* tests/e2e/scenes.h -- a small life of the library, in scenes, for memory.c: each adds up what it got. */
#ifndef TESTS_E2E_SCENES_H
#define TESTS_E2E_SCENES_H

#include "files/model.h"
#include "files/npy.h"
#include "files/read.h"
#include "flow/alone.h"
#include "flow/blas.h"
#include "flow/json.h"
#include "flow/preset.h"
#include "flow/round.h"
#include "flow/unroll.h"
#include "student/search.h"
#include "student/validate.h"
#include "teacher/fit.h"
#include "teacher/look.h"
#include "teacher/scale.h"
#include "tests/e2e/failing.h"

enum { ROWS = 60, DIM = 2, CONTEXT = 1 };

static flow_pool *pool;
static char folder[] = "/tmp/distill-memory-XXXXXX", path[sizeof folder + 16];
static const pcg_stream stream = {.seed = 5, .stage = PCG_TEST, .purpose = PCG_BASE};

/* FNV-1a. */
static void add(uint64_t *sum, const void *bytes, size_t n)
{
    for (const unsigned char *at = bytes; n-- > 0; at++)
        *sum = (*sum ^ *at) * 1099511628211u;
}

static void add_file(uint64_t *sum)
{
    char bytes[4096];
    FILE *in = fopen(path, "rb");
    for (size_t n; in && (n = fread(bytes, 1, sizeof bytes, in)) > 0;)
        add(sum, bytes, n);
    if (in)
        fclose(in);
}

static void add_parameters(uint64_t *sum, const flow *f)
{
    add(sum, flow_params_const(f), flow_params_bytes(f));
}

static int add_json(uint64_t *sum, json_t *value, flow_err *err)
{
    char *text = flow_json_text(value, JSON_COMPACT | JSON_SORT_KEYS);
    json_decref(value);
    if (!text)
        return flow_fail(err, FLOW_ENOMEM, "no text of a document");
    add(sum, text, strlen(text));
    free(text);
    return FLOW_OK;
}

/* Every kind of layer, transformer and conditioner is in it, and what a user may say besides. */
static const char layers[] =
    "[{\"kind\": \"context_linear\"},"
    " {\"kind\": \"actnorm\"},"
    " {\"kind\": \"autoregressive\", \"transformer\": {\"kind\": \"spline\", \"bins\": 4},"
    "  \"conditioner\": {\"kind\": \"mlp\", \"hidden\": [7], \"residual\": 1}},"
    " {\"repeat\": 2, \"layers\": [{\"kind\": \"permutation\", \"pattern\": \"random\"}]},"
    " {\"kind\": \"part\", \"first\": 1, \"count\": 1, \"layers\":"
    "  [{\"kind\": \"autoregressive\", \"transformer\": \"additive\"}]},"
    " {\"kind\": \"lu_linear\"},"
    " {\"kind\": \"autoregressive\", \"transformer\": \"affine\","
    "  \"conditioner\": {\"kind\": \"mlp\", \"hidden\": [5, 6], \"activation\": \"relu\"}},"
    " {\"kind\": \"unrolled\", \"transformer\": \"affine\", \"iterations\": 3,"
    "  \"conditioner\": {\"kind\": \"mlp\", \"hidden\": [4]}},"
    " {\"kind\": \"inverted\", \"layers\": [{\"kind\": \"context_linear\"}]}]";
/* What cannot stand among these. */
static const char circular_layers[] = "{\"layers\": [{\"kind\": \"autoregressive\", \"circles\": "
                                      "[0], \"circular\": \"circular_spline\"}],"
                                      " \"base\": {\"kind\": \"circular\", \"circles\": [0]}}";
enum { NOT_UNROLLED = 2 }; /* the last ones are layers of a student already */
static const flow_place home = {.dim = DIM, .context = CONTEXT, .stream = {.seed = 5}};
static json_t *stack;
static json_t *descriptions[2]; /* by direction */
static data_set *data;
static file_table *table;
static flow *made[2]; /* by direction, with parameters */
static flow *taught;  /* of layers that can be unrolled */

static int play_flow(uint64_t *sum, flow_err *err)
{
    flow *f = flow_create(descriptions[FLOW_DATA_TO_NOISE], FLOW_F32, err);
    flow *precise = f ? flow_convert(f, FLOW_F64, err) : NULL;
    int code = precise ? add_json(sum, flow_describe(precise), err) : err->code;
    if (precise)
        add_parameters(sum, precise);
    flow_free(f);
    flow_free(precise);
    return code;
}

/* What a user says, with its defaults filled in. */
static int play_preset(uint64_t *sum, flow_err *err)
{
    json_t *whole = flow_kind_complete(&flow_presets, stack, err);
    flow *f = whole ? flow_preset_create(whole, FLOW_DATA_TO_NOISE, &home, FLOW_F32, err) : NULL;
    int code = f ? add_json(sum, flow_describe(f), err) : err->code;
    json_decref(whole);
    flow_free(f);
    return code;
}

/* One column on a circle: `object`, a student of it, and a layer of that alone. */
static int play_turning(uint64_t *sum, json_t *object, flow_err *err)
{
    static const unsigned char circles[DIM] = {1};
    const flow_unrolling how = {.iterations = 2, .width = 1};
    flow_place at = home;
    at.circles = circles;
    json_t *whole = object ? flow_kind_complete(&flow_presets, object, err) : NULL;
    flow *f = whole ? flow_preset_create(whole, FLOW_DATA_TO_NOISE, &at, FLOW_F32, err) : NULL;
    flow *student = f ? flow_unroll(f, &how, FLOW_F32, err) : NULL;
    flow *one = student ? flow_alone(student, 0, err) : NULL;
    int code = !object ? flow_fail(err, FLOW_ENOMEM, "out of memory for a description")
               : one   ? add_json(sum, flow_describe(student), err)
                       : err->code;
    json_decref(object);
    json_decref(whole);
    flow_free(f);
    flow_free(student);
    flow_free(one);
    return code;
}

static int play_circles(uint64_t *sum, flow_err *err)
{
    int code = play_turning(sum, json_string("maf"), err);
    return code ? code : play_turning(sum, json_loads(circular_layers, 0, NULL), err);
}

static int play_unroll(uint64_t *sum, flow_err *err)
{
    const flow_unrolling how = {.iterations = 2, .width = 0.6};
    flow *f = flow_unroll(taught, &how, FLOW_F64, err);
    int code = f ? add_json(sum, flow_describe(f), err) : err->code;
    if (f)
        add_parameters(sum, f);
    flow_free(f);
    return code;
}

/* Samples go through it before it is there. */
static int play_round(uint64_t *sum, flow_err *err)
{
    flow *f = flow_round(made[FLOW_NOISE_TO_DATA], FLOW_NETWORK_INT8, err);
    if (f)
        add_parameters(sum, f);
    flow_free(f);
    return f ? 0 : err->code;
}

static int play_pool(uint64_t *sum, flow_err *err)
{
    flow_pool *own = flow_pool_create(1, err);
    if (!own)
        return err->code;
    *sum += flow_pool_threads(own);
    flow_pool_free(own);
    return FLOW_OK;
}

static int play_sample(uint64_t *sum, flow_err *err)
{
    double x[ROWS * DIM], z[ROWS * DIM], logp[ROWS];
    const flow *f = made[FLOW_NOISE_TO_DATA];
    int code = flow_sample(f, pool, x, logp, data->train.context.at, stream, 3, 40, err);
    if (!code)
        code = flow_log_prob(f, pool, logp, z, x, data->train.context.at, 40, err);
    if (code)
        return code;
    add(sum, x, 40 * DIM * sizeof *x);
    add(sum, z, 40 * DIM * sizeof *z);
    add(sum, logp, 40 * sizeof *logp);
    return FLOW_OK;
}

static int read_model(uint64_t *sum, flow_err *err)
{
    double x[20 * DIM], logp[20];
    flow_model *model = flow_model_read(path, err);
    int code = model ? flow_model_sample_tempered(model, pool, x, logp, data->train.context.at,
                                                  stream, 0, 20, 0.8, err)
                     : err->code;
    if (!code)
        code = flow_model_log_prob(model, pool, logp, x, data->train.context.at, 20, err);
    if (!code) {
        add_parameters(sum, model->flow);
        add(sum, logp, sizeof logp);
        add(sum, model->ranges, 2 * DIM * sizeof *model->ranges);
        add(sum, model->context_ranges, 2 * CONTEXT * sizeof *model->context_ranges);
        code = add_json(sum, json_incref(model->names), err);
        code = code ? code : add_json(sum, json_incref(model->quantities), err);
    }
    flow_model_free(model);
    return code;
}

static json_t *names_of(char **names, size_t n)
{
    json_t *list = json_array();
    for (size_t i = 0; list && i < n; i++)
        if (json_array_append_new(list, json_string(names[i]))) {
            json_decref(list);
            list = NULL;
        }
    return list;
}

/* At path. */
static int write_model(flow_err *err)
{
    double ranges[2 * DIM] = {-1, 2.385, 0, 1e9};
    flow_model model = {.flow = made[FLOW_NOISE_TO_DATA],
                        .ranges = ranges,
                        .context_ranges = ranges,
                        .units = data->units,
                        .context_units = data->context_units,
                        .names = names_of(data->names, data->dim),
                        .context_names = names_of(data->context_names, data->n_context),
                        .quantities = json_pack("{s:[s], s:b}", "names", "tau", "instead", 1),
                        .role = "student"};
    int code = model.names && model.context_names && model.quantities
                   ? flow_model_write(&model, path, err)
                   : flow_fail(err, FLOW_ENOMEM, "names");
    json_decref(model.names);
    json_decref(model.context_names);
    json_decref(model.quantities);
    return code;
}

static int play_model(uint64_t *sum, flow_err *err)
{
    if (write_model(err))
        return err->code;
    add_file(sum);
    return read_model(sum, err);
}

static data_set *make_data(flow_err *err)
{
    static const char *const context[] = {"c"};
    data_options options = data_options_default();
    options.context = context;
    options.n_context = CONTEXT;
    options.split = DATA_SPLIT_SEED;
    options.weights = "w";
    options.kind.step = 0.01;
    options.kind.smear = true;
    options.wrap = true;
    options.kind.period = 100; /* samples and densities of a model then go by their points */
    return data_set_create(table, "scene", &options, err);
}

static int play_data(uint64_t *sum, flow_err *err)
{
    data_set *own = make_data(err);
    size_t dim, n_context;
    data_options options = data_options_default();
    int code = own ? data_set_shape(&dim, &n_context, table, "scene", &options, err) : err->code;
    if (!code) {
        add(sum, own->train.x.at, ROWS * DIM * sizeof(double));
        add(sum, own->names[1], strlen(own->names[1]));
        *sum += dim + n_context;
        code = add_json(sum, flow_units_to_json(own->units), err);
    }
    data_set_free(own);
    return code;
}

/* Of columns on half lines. */
static int play_links(uint64_t *sum, flow_err *err)
{
    data_options options = data_options_default();
    options.kind = (data_kind){.lo = -1e6, .hi = INFINITY, .link = DATA_LINK_SOFTPLUS};
    data_set *own = data_set_create(table, "scene", &options, err);
    int code = own ? add_json(sum, flow_units_to_json(own->units), err) : err->code;
    data_set_free(own);
    return code;
}

/* A table in which something is found. */
static int play_look(uint64_t *sum, flow_err *err)
{
    data_options options = data_options_default();
    data_look *look = data_look_create(table, "scene", &options, err);
    if (look) {
        add(sum, look->findings[0].text, strlen(look->findings[0].text));
        add(sum, &look->columns[1].sd, sizeof look->columns[1].sd);
    }
    data_look_free(look);
    return look ? FLOW_OK : err->code;
}

static int play_fit(uint64_t *sum, flow_err *err)
{
    teacher_fit_options options = {
        .batch = 24, .epochs = 1, .lr = 1e-2, .average = 0.9, .clip = 5, .seed = 1};
    teacher_fit_state state;
    double mean, se;
    flow *f = flow_create(descriptions[FLOW_DATA_TO_NOISE], FLOW_F32, err);
    int code = f ? teacher_fit(f, &state, pool, data, &options, NULL, NULL, err) : err->code;
    if (!code)
        code = teacher_log_likelihood(f, pool, &mean, &se, &data->test, err);
    if (!code) {
        add_parameters(sum, f);
        add(sum, &mean, sizeof mean);
    }
    flow_free(f);
    return code;
}

static int distil(uint64_t *sum, flow *f, int warm, flow_err *err)
{
    distill_options options = {.batch = 24,
                               .warm = warm,
                               .steps = 2,
                               .lr = 1e-2,
                               .clip = 10,
                               .average = 0.9,
                               .gradient = DISTILL_AUTO,
                               .forward = 0.5,
                               .forward_end = 0.5,
                               .temper = 0.5,
                               .temper_until = 0.3,
                               .late_batch = 2,
                               .late_from = 0.8,
                               .seed = 1};
    distill_contexts contexts = {data->train.context, data->train.n};
    distill_state state;
    target *teacher = f ? target_from_flow(made[FLOW_DATA_TO_NOISE], err) : NULL;
    int code = teacher
                   ? student_distill(f, &state, pool, teacher, &contexts, &options, NULL, NULL, err)
                   : err->code;
    if (!code)
        add_parameters(sum, f);
    target_free(teacher);
    flow_free(f);
    return code;
}

static int play_distil(uint64_t *sum, flow_err *err)
{
    return distil(sum, flow_create(descriptions[FLOW_NOISE_TO_DATA], FLOW_F32, err), 0, err);
}

/* From a student's own weights. */
static int play_warm(uint64_t *sum, flow_err *err)
{
    const flow_unrolling how = {.iterations = 2, .tied = true, .width = 1};
    return distil(sum, flow_unroll(taught, &how, FLOW_F32, err), 1, err);
}

static int fit_layers(uint64_t *sum, flow *student, flow_err *err)
{
    distill_contexts contexts = {data->train.context, data->train.n};
    const student_layers_options options = {
        .batch = 20, .rows = 50, .steps = 2, .lr = 1e-4, .widen_by = 2};
    student_layers_state state;
    int code = student ? student_distill_layers(student, &state, taught, pool, &contexts, &options,
                                                NULL, NULL, err)
                       : err->code;
    if (!code)
        add_parameters(sum, student);
    flow_free(student);
    return code;
}

static int play_layers(uint64_t *sum, flow_err *err)
{
    const flow_unrolling how = {.iterations = 1, .width = 1};
    return fit_layers(sum, flow_unroll(taught, &how, FLOW_F32, err), err);
}

static void side_of(void *arg, size_t *mode, const double *x)
{
    (void)arg;
    *mode = x[0] > 0;
}

static int play_validate(uint64_t *sum, flow_err *err)
{
    static const double halves[] = {0.5, 0.5};
    const target_partition sides = {.name = "side", .n = 2, .weights = halves};
    const target_modes modes = {.partitions = 1, .partition = &sides, .modes_of = side_of};
    student_validate_options options = {
        .samples = 100, .seed = 1, .data = data, .held_out = &data->test};
    distill_contexts contexts = {data->train.context, data->train.n};
    student_validation v = {.n_modes = 0};
    target *teacher = target_from_flow(made[FLOW_DATA_TO_NOISE], err);
    if (teacher)
        teacher->modes = &modes;
    int code = teacher ? student_validate(&v, made[FLOW_NOISE_TO_DATA], teacher,
                                          made[FLOW_DATA_TO_NOISE], pool, &contexts, &options, err)
                       : err->code;
    if (!code) {
        add(sum, &v.weights.log_z, sizeof v.weights.log_z);
        add(sum, &v.energy.value, sizeof v.energy.value);
        add(sum, &v.against_data.energy.value, sizeof v.energy.value);
        add(sum, v.against_data.columns, v.against_data.dim * sizeof *v.against_data.columns);
        add(sum, &v.moments.mean.z, sizeof v.moments.mean.z);
        add(sum, &v.tails.off, sizeof v.tails.off);
        add(sum, v.against_data.tails.side, sizeof *v.against_data.tails.side);
        add(sum, v.modes, 2 * sizeof *v.modes);
        add(sum, v.teacher_modes, 2 * sizeof *v.modes);
        add(sum, &v.speed, sizeof v.speed); /* the clock is ours */
        student_validation_release(&v);
    }
    target_free(teacher);
    return code;
}

/* A search: a rung, the same trained, and a narrower one beside it; the trainings are none. */
static bool passes_at_once(void *arg, const student_rung *rung)
{
    (void)arg;
    return rung->how.iterations >= 1;
}

static int train_not(void *arg, flow *student, student_rung *rung, flow_err *err)
{
    (void)arg, (void)student, (void)rung, (void)err;
    return 0;
}

/* As if there had been something to do. */
static int fit_not(void *arg, flow *student, student_rung *rung, flow_err *err)
{
    (void)arg, (void)student, (void)err;
    rung->layers.trained = 1;
    return 0;
}

static int keep_figures(void *arg, const flow *student, const student_rung *rung, flow_err *err)
{
    (void)student, (void)err;
    add(arg, &rung->weights.kl_forward.value, sizeof rung->weights.kl_forward.value);
    return 0;
}

static int search_on(uint64_t *sum, student_sides *sides, flow_err *err)
{
    const student_searching with = {.teacher = taught,
                                    .sides = sides,
                                    .how = {.width = 1},
                                    .halvings = 1,
                                    .passes = passes_at_once,
                                    .layerwise = fit_not,
                                    .train = train_not,
                                    .aside = keep_figures,
                                    .arg = sum};
    student_rungs rungs;
    flow *taken;
    int code = student_search(&with, &taken, &rungs, err);
    if (!code)
        add_parameters(sum, taken);
    flow_free(taken);
    student_rungs_release(&rungs);
    return code;
}

static int play_search(uint64_t *sum, flow_err *err)
{
    distill_contexts contexts = {data->train.context, data->train.n};
    student_sides sides = {.n = 0};
    flow *precise = flow_convert(taught, FLOW_F64, err);
    target *teacher = precise ? target_from_flow(precise, err) : NULL;
    int code =
        teacher ? student_sides_init(&sides, teacher, pool, &contexts, 60, 1, err) : err->code;
    if (!code)
        code = search_on(sum, &sides, err);
    student_sides_release(&sides);
    target_free(teacher);
    flow_free(precise);
    return code;
}

#endif
