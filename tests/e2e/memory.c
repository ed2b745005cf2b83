/* tests/e2e/memory.c -- every allocation of the library floors fails once.
 *
 * A scene is a small part of the library's life that ends in a sum over all that it made. It is played
 * once as it is; then with its first allocation failing, its second, ... until none is left to fail. Each
 * time it must return FLOW_ENOMEM with a text, leave no memory behind, and give the same sum when it is
 * played again. An allocation whose failure is not noticed, or gives less than was asked for without an
 * error, is found by that.
 *
 * One thing is sheltered: jansson's reader (2.14) does not look whether its own buffer grew. It loses a
 * character then, or ends in an assertion.
 *
 * The program is linked so that malloc and its kin come here first (the Makefile's --wrap), and jansson is
 * told to; what the C library takes for itself does not. Time stands still between two looks at the clock
 * but for a second, so that nothing is measured for long.
 *
 * Prints a line per scene as the end-to-end scripts do; status 1 if one failed. Arguments: names of
 * scenes, default all. */
#include "files/csv.h"
#include "files/model.h"
#include "files/npy.h"
#include "files/read.h"
#include "flow/blas.h"
#include "flow/json.h"
#include "flow/preset.h"
#include "flow/unroll.h"
#include "student/validate.h"
#include "teacher/fit.h"
#include "teacher/generate.h"

#include <execinfo.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* ---- memory that fails */

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *old, size_t size);
int __real_posix_memalign(void **out, size_t alignment, size_t size);
char *__real_strdup(const char *text);
char *__real_realpath(const char *path, char *out);
void __real_free(void *block);
json_t *__real_json_loads(const char *text, size_t flags, json_error_t *why);
json_t *__real_json_loadb(const char *text, size_t size, size_t flags, json_error_t *why);

void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *old, size_t size);
int __wrap_posix_memalign(void **out, size_t alignment, size_t size);
char *__wrap_strdup(const char *text);
char *__wrap_realpath(const char *path, char *out);
void __wrap_free(void *block);
json_t *__wrap_json_loads(const char *text, size_t flags, json_error_t *why);
json_t *__wrap_json_loadb(const char *text, size_t size, size_t flags, json_error_t *why);
int __wrap_clock_gettime(clockid_t id, struct timespec *out);

enum { LIVE = 1 << 18 };
static const void *live[LIVE]; /* blocks that were taken here and not given back, by hash */
static size_t n_live;
static bool sheltered;
static size_t asked, fails_at; /* allocations so far; the one that fails, 0: none */
static void *culprits[12];     /* the calls that led to the one that failed */
static int n_culprits;         /* 0: none has failed */

static size_t slot_of(const void *block)
{
    size_t at = ((uintptr_t)block >> 4) * 0x9E3779B97F4A7C15u >> 46;
    while (live[at] && live[at] != block)
        at = (at + 1) % LIVE;
    return at;
}

static void *taken(void *block)
{
    if (block) {
        live[slot_of(block)] = block;
        n_live++;
    }
    return block;
}

/* Those behind it in its chain move up (Knuth, The Art of Computer Programming 3, 6.4, algorithm R). */
static void given_back(const void *block)
{
    size_t at = slot_of(block);
    if (!block || !live[at])
        return; /* the C library's own: of getline */
    live[at] = NULL;
    n_live--;
    for (size_t next = (at + 1) % LIVE; live[next]; next = (next + 1) % LIVE) {
        const void *moved = live[next];
        live[next] = NULL;
        live[slot_of(moved)] = moved;
    }
}

static bool refused(void)
{
    if (++asked != fails_at)
        return false;
    fails_at = 0; /* backtrace may take memory */
    n_culprits = backtrace(culprits, sizeof culprits / sizeof *culprits);
    return true;
}

/* For addr2line -pfe build/tests/e2e/memory. */
static void print_culprits(void)
{
    backtrace_symbols_fd(culprits, n_culprits, STDOUT_FILENO);
}

void *__wrap_malloc(size_t size)
{
    return refused() ? NULL : taken(__real_malloc(size));
}

void *__wrap_calloc(size_t n, size_t size)
{
    return refused() ? NULL : taken(__real_calloc(n, size));
}

void *__wrap_realloc(void *old, size_t size)
{
    if (refused())
        return NULL;
    given_back(old);
    return taken(__real_realloc(old, size));
}

int __wrap_posix_memalign(void **out, size_t alignment, size_t size)
{
    if (refused())
        return 12; /* ENOMEM */
    int code = __real_posix_memalign(out, alignment, size);
    if (!code)
        taken(*out);
    return code;
}

char *__wrap_strdup(const char *text)
{
    return refused() ? NULL : taken(__real_strdup(text));
}

char *__wrap_realpath(const char *path, char *out)
{
    return !out && refused() ? NULL : taken(__real_realpath(path, out));
}

void __wrap_free(void *block)
{
    given_back(block);
    __real_free(block);
}

static void *json_malloc(size_t size)
{
    return !sheltered && refused() ? NULL : taken(__real_malloc(size));
}

json_t *__wrap_json_loads(const char *text, size_t flags, json_error_t *why)
{
    sheltered = true;
    json_t *out = __real_json_loads(text, flags, why);
    sheltered = false;
    return out;
}

json_t *__wrap_json_loadb(const char *text, size_t size, size_t flags, json_error_t *why)
{
    sheltered = true;
    json_t *out = __real_json_loadb(text, size, flags, why);
    sheltered = false;
    return out;
}

int __wrap_clock_gettime(clockid_t id, struct timespec *out)
{
    static time_t seconds;
    (void)id;
    *out = (struct timespec){.tv_sec = ++seconds};
    return 0;
}

/* ---- scenes */

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
    "[{\"kind\": \"actnorm\"},"
    " {\"kind\": \"autoregressive\", \"transformer\": {\"kind\": \"spline\", \"bins\": 4},"
    "  \"conditioner\": {\"kind\": \"mlp\", \"hidden\": [7], \"residual\": 1}},"
    " {\"repeat\": 2, \"layers\": [{\"kind\": \"permutation\", \"pattern\": \"random\"}]},"
    " {\"kind\": \"part\", \"first\": 1, \"count\": 1, \"layers\":"
    "  [{\"kind\": \"autoregressive\", \"transformer\": \"additive\"}]},"
    " {\"kind\": \"lu_linear\"},"
    " {\"kind\": \"autoregressive\", \"transformer\": \"affine\","
    "  \"conditioner\": {\"kind\": \"mlp\", \"hidden\": [5, 6], \"activation\": \"relu\"}},"
    " {\"kind\": \"inverted\", \"layers\": [{\"kind\": \"actnorm\"}]},"
    " {\"kind\": \"unrolled\", \"transformer\": \"affine\", \"iterations\": 3,"
    "  \"conditioner\": {\"kind\": \"mlp\", \"hidden\": [4]}}]";
enum { NOT_UNROLLED = 2 }; /* the last ones are layers of a student already */
static const flow_place place = {.dim = DIM, .context = CONTEXT, .stream = {.seed = 5}};
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
    flow *f = whole ? flow_preset_create(whole, FLOW_DATA_TO_NOISE, &place, FLOW_F32, err) : NULL;
    int code = f ? add_json(sum, flow_describe(f), err) : err->code;
    json_decref(whole);
    flow_free(f);
    return code;
}

static int play_unroll(uint64_t *sum, flow_err *err)
{
    flow *f = flow_unroll(taught, 2, 0, FLOW_F64, err);
    int code = f ? add_json(sum, flow_describe(f), err) : err->code;
    if (f)
        add_parameters(sum, f);
    flow_free(f);
    return code;
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
    int code = flow_sample(f, pool, x, logp, data->train.context, stream, 3, 40, err);
    if (!code)
        code = flow_log_prob(f, pool, logp, z, x, data->train.context, 40, err);
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
    int code =
        model ? flow_model_sample(model, pool, x, logp, data->train.context, stream, 0, 20, err)
              : err->code;
    if (!code)
        code = flow_model_log_prob(model, pool, logp, x, data->train.context, 20, err);
    if (!code) {
        add_parameters(sum, model->flow);
        add(sum, logp, sizeof logp);
        code = add_json(sum, json_incref(model->names), err);
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

static int play_model(uint64_t *sum, flow_err *err)
{
    flow_model model = {.flow = made[FLOW_NOISE_TO_DATA],
                        .units = data->units,
                        .context_units = data->context_units,
                        .names = names_of(data->names, data->dim),
                        .context_names = names_of(data->context_names, data->n_context),
                        .role = "student"};
    int code = model.names && model.context_names ? flow_model_write(&model, path, err)
                                                  : flow_fail(err, FLOW_ENOMEM, "names");
    json_decref(model.names);
    json_decref(model.context_names);
    if (code)
        return code;
    add_file(sum);
    return read_model(sum, err);
}

static int add_table(uint64_t *sum, file_table *read, const flow_err *err)
{
    if (!read)
        return err->code;
    add(sum, read->values, read->rows * read->cols * sizeof *read->values);
    for (size_t i = 0; read->names && i < read->cols; i++)
        add(sum, read->names[i], strlen(read->names[i]));
    file_table_free(read);
    return FLOW_OK;
}

static int play_csv(uint64_t *sum, flow_err *err)
{
    int code = file_csv_write(path, table->values, table->rows, table->cols,
                              (const char *const *)table->names, err);
    if (!code)
        code = add_table(sum, file_csv_read(path, FILE_HEADER_AUTO, err), err);
    return code ? code : add_table(sum, file_csv_read_head(path, FILE_HEADER_AUTO, err), err);
}

static int play_npy(uint64_t *sum, flow_err *err)
{
    int code = file_npy_write(path, table->values, table->rows, table->cols, FLOW_F32, err);
    if (!code)
        code = add_table(sum, file_npy_read(path, err), err);
    return code ? code : add_table(sum, file_npy_read_head(path, err), err);
}

/* With its names beside it. */
static int play_read(uint64_t *sum, flow_err *err)
{
    char npy[sizeof path], cols[sizeof path];
    snprintf(npy, sizeof npy, "%s/x.npy", folder);
    snprintf(cols, sizeof cols, "%s/x.cols", folder);
    FILE *out = fopen(cols, "w");
    if (out) {
        fputs("a\nb\nc\n", out);
        fclose(out);
    }
    int code = file_npy_write(npy, table->values, table->rows, table->cols, FLOW_F64, err);
    if (!code)
        code = add_table(sum, file_read(npy, FILE_HEADER_AUTO, err), err);
    remove(npy);
    remove(cols);
    return code;
}

static data_set *make_data(flow_err *err)
{
    static const char *const context[] = {"c"};
    static const double step = 0.01;
    data_options options = data_options_default();
    options.context = context;
    options.n_context = CONTEXT;
    options.split = DATA_SPLIT_SEED;
    options.dequantise = &step;
    options.n_dequantise = 1;
    return data_set_create(table, "scene", &options, err);
}

static int play_data(uint64_t *sum, flow_err *err)
{
    data_set *own = make_data(err);
    size_t dim, n_context;
    data_options options = data_options_default();
    int code = own ? data_set_shape(&dim, &n_context, table, "scene", &options, err) : err->code;
    if (!code) {
        add(sum, own->train.x, ROWS * DIM * sizeof(double));
        add(sum, own->names[1], strlen(own->names[1]));
        *sum += dim + n_context;
        code = add_json(sum, flow_units_to_json(own->units), err);
    }
    data_set_free(own);
    return code;
}

static int play_generate(uint64_t *sum, flow_err *err)
{
    return add_table(sum, data_generate_table(&data_generators[0], 0.1, 5, ROWS, err), err);
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
    return distil(sum, flow_unroll(taught, 2, 1, FLOW_F32, err), 1, err);
}

static size_t side_of(void *arg, const double *x)
{
    (void)arg;
    return x[0] > 0;
}

static int play_validate(uint64_t *sum, flow_err *err)
{
    static const double halves[] = {0.5, 0.5};
    const target_modes modes = {.n = 2, .weights = halves, .mode_of = side_of};
    student_validate_options options = {.samples = 100, .seed = 1};
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
        add(sum, &v.moments.mean.z, sizeof v.moments.mean.z);
        add(sum, v.modes, 2 * sizeof *v.modes);
        add(sum, v.teacher_modes, 2 * sizeof *v.modes);
        add(sum, &v.speed, sizeof v.speed); /* the clock is ours */
        student_validation_release(&v);
    }
    target_free(teacher);
    return code;
}

static const struct scene {
    const char *name;
    int (*play)(uint64_t *sum, flow_err *err);
} scenes[] = {{"flow", play_flow},     {"preset", play_preset},     {"unroll", play_unroll},
              {"pool", play_pool},     {"sample", play_sample},     {"model", play_model},
              {"csv", play_csv},       {"npy", play_npy},           {"read", play_read},
              {"data", play_data},     {"generate", play_generate}, {"fit", play_fit},
              {"distil", play_distil}, {"warm", play_warm},         {"validate", play_validate}};

/* ---- playing them */

static const struct scene *on; /* for a crash */

static void crashed(int number)
{
    char text[200];
    int n = snprintf(text, sizeof text, "not ok %s: signal %d after allocation %zu failed\n",
                     on->name, number, asked);
    print_culprits();
    if (write(STDOUT_FILENO, text, (size_t)n) < 0)
        _exit(2);
    _exit(1);
}

static int play(uint64_t *sum, flow_err *err, size_t failing)
{
    asked = 0;
    fails_at = failing;
    n_culprits = 0;
    *err = (flow_err)FLOW_ERR_INIT;
    *sum = 1469598103934665603u;
    int code = on->play(sum, err);
    fails_at = 0;
    return code;
}

/* Where jansson reads an object strictly it cannot tell memory that is out from a key that it did not ask
 * for. */
static bool says_memory(int code, const flow_err *err)
{
    return code == FLOW_ENOMEM || strstr(err->text, "left unpacked") ||
           strstr(err->text, "Out of memory");
}

/* What is wrong with this failure; NULL: nothing. Something that was wanted for speed alone may be missing
 * without a word. */
static const char *wrong_with(int code, bool right, const flow_err *err, size_t before)
{
    if (code == FLOW_OK && n_live == before)
        return right ? NULL : "nobody noticed";
    return n_live != before          ? "memory is left behind"
           : !says_memory(code, err) ? "the code is not FLOW_ENOMEM"
           : err->code != code       ? "the code is not that of the error"
           : err->text[0] == '\0'    ? "no text"
           : strchr(err->text, '\n') ? "more than a line"
                                     : NULL;
}

/* Whether every failure of scene `on` ended well. */
static bool play_all(size_t *count)
{
    uint64_t right, sum;
    flow_err err;
    bool good = play(&right, &err, 0) == FLOW_OK;
    if (!good)
        printf("%s: %s\n", on->name, err.text);
    for (*count = 1; good || *count < 100000; ++*count) {
        size_t before = n_live;
        int code = play(&sum, &err, *count);
        if (!n_culprits)
            break;
        const char *wrong = wrong_with(code, sum == right, &err, before);
        if (!wrong && (play(&sum, &err, 0) || sum != right))
            wrong = "the next one is not right";
        if (wrong) {
            printf("%s: allocation %zu: %s (%d: %s)\n", on->name, *count, wrong, code, err.text);
            print_culprits();
        }
        good = good && !wrong;
    }
    --*count;
    return good && sum == right;
}

static json_t *describe(flow_direction direction, flow_err *err)
{
    json_t *whole = flow_kind_complete(&flow_presets, stack, err);
    json_t *out = whole ? flow_preset_describe(whole, direction, &place, err) : NULL;
    json_decref(whole);
    return out;
}

static flow *make_taught(flow_err *err)
{
    json_t *d = json_deep_copy(descriptions[FLOW_DATA_TO_NOISE]);
    json_t *list = json_object_get(d, "layers");
    for (int i = 0; i < NOT_UNROLLED; i++)
        json_array_remove(list, json_array_size(list) - 1);
    flow *f = flow_create(d, FLOW_F32, err);
    json_decref(d);
    return f;
}

static bool set_up(flow_err *err)
{
    static const char *const names[] = {"a", "b", "c"};
    stack = json_pack("{s:s, s:o}", "kind", "stack", "layers", json_loads(layers, 0, NULL));
    pool = flow_pool_create(1, err);
    table = file_table_create(ROWS, DIM + CONTEXT, err);
    if (!pool || !table || file_table_set_names(table, names, err))
        return false;
    pcg_normals(table->values, stream, 0, ROWS, DIM + CONTEXT);
    if (!(data = make_data(err)) || !mkdtemp(folder))
        return false;
    snprintf(path, sizeof path, "%s/file", folder);
    for (int way = 0; way < 2; way++) {
        descriptions[way] = describe((flow_direction)way, err);
        if (!descriptions[way] || !(made[way] = flow_create(descriptions[way], FLOW_F32, err)))
            return false;
        flow_init(made[way], stream);
    }
    return (taught = make_taught(err)) != NULL;
}

static void tear_down(void)
{
    for (int way = 0; way < 2; way++) {
        flow_free(made[way]);
        json_decref(descriptions[way]);
    }
    flow_free(taught);
    json_decref(stack);
    data_set_free(data);
    file_table_free(table);
    flow_pool_free(pool);
    remove(path);
    rmdir(folder);
}

static bool asked_for(int argc, char **argv, const char *name)
{
    bool found = argc < 2;
    for (int i = 1; i < argc; i++)
        found = found || strcmp(argv[i], name) == 0;
    return found;
}

/* A kind that no scene knows would not be tested. */
static bool has_all(const flow_registry *registry)
{
    const flow_kind *kind;
    bool good = true;
    for (size_t i = 0; (kind = registry->at(i)); i++)
        if (!strstr(layers, kind->name)) {
            printf("not ok every %s is there: %s is not\n", registry->what, kind->name);
            good = false;
        }
    if (good)
        printf("ok every %s is there\n", registry->what);
    return good;
}

static bool has_all_kinds(void)
{
    bool good = has_all(&flow_layers);
    good = has_all(&flow_transformers) && good;
    return has_all(&flow_conditioners) && good;
}

int main(int argc, char **argv)
{
    flow_err err = FLOW_ERR_INIT;
    flow_blas_one_thread();
    signal(SIGSEGV, crashed);
    signal(SIGABRT, crashed);
    json_set_alloc_funcs(json_malloc, __wrap_free);
    setvbuf(stdout, NULL, _IONBF, 0);
    bool good = set_up(&err) && has_all_kinds();
    if (err.code)
        printf("not ok set up: %s\n", err.text);
    for (size_t i = 0; !err.code && i < sizeof scenes / sizeof *scenes; i++) {
        size_t count;
        on = &scenes[i];
        if (!asked_for(argc, argv, on->name))
            continue;
        bool fine = play_all(&count);
        printf(fine ? "ok %s: %zu allocations failed\n" : "not ok %s: %zu allocations failed\n",
               on->name, count);
        good = good && fine;
    }
    tear_down();
    return !good;
}
