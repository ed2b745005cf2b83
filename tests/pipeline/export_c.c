/* The C export: files of models with every kind of layer, transformer, activation and base are compiled as strictly as can
 * be, loaded, and compared with the models. A kind that the registries have and the export does not know is refused by
 * name, so that these tests fail until it has C or an exception here. */
#include "pipeline/export/export.h"
#include "teacher/streams.h"
#include "tests/common/bases.h"
#include "tests/common/examples.h"
#include "tests/common/sanitized.h"
#include "tests/common/temp.h"

#include <criterion/criterion.h>
#include <dlfcn.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ROWS: a tile and three single rows; MORE: a tile, and one with filler. */
enum { ROWS = 19, MORE = 21, FIRST = 5, SEED = 11 };

typedef void sample_function(uint64_t, uint64_t, size_t, double *, double *);
typedef void sample_given(uint64_t, uint64_t, size_t, const double *, double *, double *);
typedef void transport_function(const double *, size_t, double *, double *);
typedef void transport_given(const double *, size_t, const double *, double *, double *);
typedef void logq_function(const double *, size_t, double *);
typedef void logq_given(const double *, size_t, const double *, double *);

static flow_err err = FLOW_ERR_INIT;
static const pcg_stream stream = {.seed = SEED, .stage = STREAM_EXPORT, .purpose = PCG_BASE};

/* ---- models */

static json_t *names_of(size_t n)
{
    static const char *const odd[] = {"a", "b \"c\" \\ ?\?/", "\xc3\xbc */ //", "line\nbreak",
                                      "%s"};
    json_t *list = json_array();
    for (size_t i = 0; i < n; i++)
        json_array_append_new(list, json_string(odd[i % 5]));
    return list;
}

/* Columns of all kinds in turn; grids and wrapped circles where `points` says so. */
static void place(flow_unit *u, size_t kind, int points)
{
    u->shift = 0.213;
    u->scale = 1.385;
    u->support = (flow_support)(kind % 4);
    u->lo = u->support == FLOW_ABOVE || u->support == FLOW_BETWEEN ? -1.5 : 0;
    u->hi = u->support == FLOW_BELOW || u->support == FLOW_BETWEEN ? 4.5 : 0;
    u->soft = u->lo < 0 && u->support == FLOW_ABOVE && kind % 8 == 1 ? 0.7 : 0;
    u->alpha = u->support == FLOW_BETWEEN ? 1e-3 : 0;
    u->step = points && kind % 4 == 3 ? 0.5 : 0;
    if (points && u->support == FLOW_LINE) {
        u->period = 6.5;
        u->wrapped = true;
        u->cut = u->start = u->shift - 3.25;
    }
}

static flow_units *units_of(const unsigned char *circles, size_t dim, size_t kind, int points)
{
    flow_units *units = flow_units_create(dim, &err);
    for (size_t i = 0; i < dim; i++) {
        flow_unit *u = &units->column[i];
        if (circles && circles[i]) {
            u->period = 5;
            u->start = -1;
            flow_unit_set_angle(u, 0.4);
            u->stretch = i % 2 ? 1.7 : 0;
        } else {
            place(u, kind + i, points);
        }
    }
    return units;
}

static flow_model *model_of(flow *f, size_t kind, int points)
{
    flow_model *model = calloc(1, sizeof *model);
    size_t context = flow_context(f);
    *model = (flow_model){.flow = f,
                          .units = units_of(flow_circles(f), flow_dim(f), kind, points),
                          .names = names_of(flow_dim(f)),
                          .role = "student"};
    if (context) {
        model->context_units = units_of(NULL, context, 0, 0);
        model->context_names = names_of(context);
    }
    return model;
}

static flow_model *example_model(size_t example, size_t dim, size_t context,
                                 flow_precision precision, const char *direction, int points)
{
    json_t *d = describe_one(dim, context, direction, example_layer(example, dim));
    flow *f = flow_create(d, precision, &err);
    cr_assert(f, "%s", err.text);
    randomise_parameters(f, 0.5, example + 1);
    json_decref(d);
    return model_of(f, example, points);
}

/* ---- files, compiled together */

enum { MOST = 64 };
static flow_model *models[MOST];
static size_t n_models;
static void *library;

static void add(flow_model *model)
{
    char name[40], stem[32];
    cr_assert_lt(n_models, MOST);
    snprintf(stem, sizeof stem, "m%zu", n_models);
    snprintf(name, sizeof name, "%s.c", stem);
    cr_assert_eq(export_file(export_kinds[0], model, temp_path(name), NULL, &err), 0, "%s",
                 err.text);
    models[n_models++] = model;
}

#define STRICT "-std=c99 -Wall -Wextra -Werror -pedantic -Wconversion"

static void run(const char *command)
{
    char all[4096];
    snprintf(all, sizeof all, "cd '%s' && %s", temp_path(""), command);
    cr_assert_eq(system(all), 0, "%s", all);
}

static void *function(size_t m, const char *what)
{
    char name[64];
    snprintf(name, sizeof name, "m%zu_%s", m, what);
    void *at = dlsym(library, name);
    cr_assert(at, "%s", name);
    return at;
}

/* Two compilers at a time; clang, where it is, looks at every third file. */
static void build(void)
{
    run("ls m*.c | xargs -P 2 -n 3 gcc " STRICT " -Wshadow -O1 -fPIC -c");
    run("gcc -shared -o all.so m*.o -lm");
    run("! command -v clang >/dev/null || clang " STRICT " -fsyntax-only m*[147].c");
    library = dlopen(temp_path("all.so"), RTLD_NOW | RTLD_LOCAL);
    cr_assert(library, "%s", dlerror());
}

/* ---- comparing */

static void near(const double *got, const double *wanted, size_t n, double slack, const char *what,
                 size_t m)
{
    for (size_t i = 0; i < n; i++) {
        int same = got[i] == wanted[i] || (isnan(got[i]) && isnan(wanted[i]));
        cr_assert(same || fabs(got[i] - wanted[i]) <= slack * (1 + fabs(wanted[i])),
                  "model %zu, %s %zu: %.17g, the flow has %.17g", m, what, i, got[i], wanted[i]);
    }
}

static void call_sample(size_t m, size_t first, size_t n, const double *c, double *x, double *q)
{
    void *at = function(m, "sample");
    sample_function *plain;
    sample_given *given;
    memcpy(&plain, &at, sizeof plain);
    memcpy(&given, &at, sizeof given);
    if (c)
        given(SEED, first, n, c, x, q);
    else
        plain(SEED, first, n, x, q);
}

static void call_transport(size_t m, const double *z, size_t n, const double *c, double *x,
                           double *q)
{
    void *at = function(m, "transport");
    transport_function *plain;
    transport_given *given;
    memcpy(&plain, &at, sizeof plain);
    memcpy(&given, &at, sizeof given);
    if (c)
        given(z, n, c, x, q);
    else
        plain(z, n, x, q);
}

static void call_logq(size_t m, const double *x, size_t n, const double *c, double *q)
{
    void *at = function(m, "logq");
    logq_function *plain;
    logq_given *given;
    memcpy(&plain, &at, sizeof plain);
    memcpy(&given, &at, sizeof given);
    if (c)
        given(x, n, c, q);
    else
        plain(x, n, q);
}

static double *numbers(size_t n)
{
    return calloc(n + 1, sizeof(double));
}

/* n rows of samples, of the same noise, and their densities. */
static void compare(size_t m, size_t n)
{
    const flow_model *model = models[m];
    size_t dim = flow_dim(model->flow), context = flow_context(model->flow);
    double slack = flow_get_precision(model->flow) == FLOW_F64 ? 1e-11 : 3e-5;
    double *c = context ? random_numbers_new(n * context, 0.3, 5) : NULL;
    double *x = numbers(n * dim), *q = numbers(n), *wx = numbers(n * dim), *wq = numbers(n);
    double *z = numbers(n * dim);
    for (size_t i = 0; i < n * context; i++)
        c[i] = 0.5 + 0.1 * c[i];
    flow_pool *pool = flow_pool_create(1, &err);
    cr_assert_eq(flow_model_sample(model, pool, wx, wq, c, stream, FIRST, n, &err), 0);
    call_sample(m, FIRST, n, c, x, q);
    near(x, wx, n * dim, slack, "sample", m);
    near(q, wq, n, slack, "log q of a sample", m);
    flow_noise(model->flow, NULL, z, stream, FIRST, n);
    memset(x, 0, n * dim * sizeof *x);
    call_transport(m, z, n, c, x, q);
    near(x, wx, n * dim, slack, "transport", m);
    near(q, wq, n, slack, "its log q", m);
    cr_assert_eq(flow_model_log_prob(model, pool, wq, wx, c, n, &err), 0);
    call_logq(m, wx, n, c, q);
    near(q, wq, n, 10 * slack, "log q", m);
    for (size_t i = 0; i < n; i++) /* beyond the ends of most supports, or far out */
        wx[i * dim + i % dim] = i % 2 ? 77.25 : -77.25;
    cr_assert_eq(flow_model_log_prob(model, pool, wq, wx, c, n, &err), 0);
    call_logq(m, wx, n, c, q);
    near(q, wq, n, 10 * slack, "log q far out", m);
    flow_pool_free(pool);
    free(c), free(x), free(q), free(wx), free(wq), free(z);
}

static void compare_all(void)
{
    for (size_t m = 0; m < n_models; m++) {
        compare(m, 0);
        compare(m, 1);
        compare(m, ROWS);
        compare(m, MORE);
        flow_model_free(models[m]);
    }
    dlclose(library);
}

static void set_up(void)
{
    temp_open();
}

TestSuite(export_c, .init = set_up, .fini = temp_close, .timeout = 300);

static flow_model *turn_model(size_t example, size_t k)
{
    static const size_t dims[] = {5, 3, 1};
    return example_model(example, dims[k % 3], k % 4 == 1 ? 2 : 0, k % 5 == 4 ? FLOW_F32 : FLOW_F64,
                         k % 2 ? "noise_to_data" : "data_to_noise", 0);
}

/* Whether its examples are many: transformers times activations times networks. */
static int is_one_of_many(size_t example)
{
    return example_is(example, "autoregressive") || example_is(example, "unrolled");
}

Test(export_c, layers)
{
    const size_t every = UNLESS_SANITIZED(9, 37);
    for (size_t e = 0, k = 0; e < example_count(); e++)
        if (!is_one_of_many(e) || e % every == 0)
            add(turn_model(e, k++));
    build();
    compare_all();
}

/* On a normal base of their own, too, which is learned or not. */
Test(export_c, bases)
{
    for (size_t e = 0; e < base_count(); e++) {
        flow *f = flow_on_base(flow_backend_find(FLOW_F64, &err), e, e % 2 ? 3 : 2, 1,
                               FLOW_NOISE_TO_DATA);
        add(model_of(f, 0, 0));
    }
    build();
    compare_all();
}

/* Cells of grids and wrapped circles, whose densities are sums over points. */
Test(export_c, points)
{
    for (size_t k = 0; k < 3; k++)
        add(example_model(k * 5, 3, 0, FLOW_F64, k % 2 ? "noise_to_data" : "data_to_noise", 1));
    build();
    compare_all();
}

/* Everything that the registries have an example of, and they have one of every kind (conformance). */
Test(export_c, every_kind_has_c)
{
    cr_assert_null(example_missing(), "%s has no example", example_missing());
    cr_assert_null(base_missing(), "%s has no example", base_missing());
    for (size_t e = 0; e < example_count(); e++) {
        flow_model *model = turn_model(e, e);
        cr_assert_eq(export_file(export_kinds[0], model, "/dev/null", "m", &err), 0, "%s",
                     err.text);
        flow_model_free(model);
    }
}

Test(export_c, names_of_functions)
{
    static const char *const good[] = {"m", "moons_2", "Z"};
    static const char *const bad[] = {"",    "2moons", "_m",       "a-b", "a b",
                                      "int", "class",  "\xc3\xbc", "a;",  "a\n"};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        cr_expect_eq(export_check_stem(good[i], &err), 0, "%s", good[i]);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        cr_expect_eq(export_check_stem(bad[i], &err), FLOW_EUSAGE, "%s", bad[i]);
}

Test(export_c, refuses_rounded_networks)
{
    size_t example = 0; /* the first that has a network */
    while (!example_groups(example, 3))
        example++;
    flow_model *model = turn_model(example, 4);
    cr_assert_eq(flow_model_round(model, FLOW_NETWORK_INT8, &err), 0, "%s", err.text);
    cr_expect_eq(export_file(export_kinds[0], model, "/dev/null", "m", &err), FLOW_ECONFIG);
    cr_expect(strstr(err.text, "int8"), "%s", err.text);
    flow_model_free(model);
}

/* The header in C++, and a file without 128-bit integers: the same random numbers. */
Test(export_c, header_and_portable_arithmetic)
{
    add(turn_model(1, 0));
    cr_assert_eq(export_file(export_kinds[1], models[0], temp_path("m0.h"), NULL, &err), 0);
    run("! command -v g++ >/dev/null || g++ -Wall -Wextra -Werror -pedantic -x c++ -fsyntax-only "
        "m0.h");
    run("gcc " STRICT " -DWITHOUT_INT128 -O1 -fPIC -shared -o all.so m0.c -lm");
    library = dlopen(temp_path("all.so"), RTLD_NOW | RTLD_LOCAL);
    cr_assert(library, "%s", dlerror());
    compare_all();
}

/* Without layers and units samples are the noise: to the last bit, whatever the compiler makes of multiply-adds. */
Test(export_c, noise_has_the_same_bits)
{
    enum { DIM = 5, N = 1000 };
    double x[N * DIM], q[N], z[N * DIM];
    json_t *d = describe_one(DIM, 0, "noise_to_data", json_array());
    flow_model *model = model_of(flow_create(d, FLOW_F64, &err), 0, 0);
    for (size_t i = 0; i < DIM; i++)
        model->units->column[i] = (flow_unit){.scale = 1};
    add(model);
    run("gcc -O3 -march=native -ffp-contract=fast -fPIC -shared -o all.so m0.c -lm");
    library = dlopen(temp_path("all.so"), RTLD_NOW | RTLD_LOCAL);
    cr_assert(library, "%s", dlerror());
    call_sample(0, FIRST, N, NULL, x, q);
    flow_noise(model->flow, NULL, z, stream, FIRST, N);
    cr_assert_eq(memcmp(x, z, sizeof x), 0);
    dlclose(library);
    flow_model_free(model);
    json_decref(d);
}
