/* A flow in low precision: what it shares with the flow that it was made from, what it refuses, and that it has the same
 * bits with every instruction set, number of threads and rows. */
#include "flow/round.h"
#include "tests/common/check.h"
#include "tests/common/rounded.h"
#include "tests/common/sanitized.h"

#include <criterion/criterion.h> /* before the next one, or Test is not a macro */

#include <criterion/parameterized.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const pcg_stream stream = {.seed = 3, .stage = PCG_TEST, .purpose = PCG_BASE};

/* ---- the same bits with every instruction set */

enum { N = 19 };

/* Samples of z and their log q, forwards and back: (N, D), (N), (N, D), (N). */
static double *results_new(const flow *f, const rounded_case *c)
{
    double *out = malloc(2 * N * (c->dim + 1) * sizeof *out), *z = out + N * (c->dim + 1);
    flow_pass *pass = flow_pass_create(f, N, 0, NULL);
    flow_pass_transport(pass, NULL, out, out + N * c->dim, c->z, c->c, N);
    flow_pass_log_prob(pass, NULL, z + N * c->dim, z, c->z, c->c, N);
    flow_pass_free(pass);
    return out;
}

/* Every row by itself has the bits that it has among others. */
static void check_rows(const rounded_case *c, const double *want)
{
    flow_pass *pass = flow_pass_create(c->rounded, N, 0, NULL);
    double *x = malloc((N + 1) * (c->dim + 1) * sizeof *x), *logq = x + (N + 1) * c->dim;
    const double *back = want + N * (c->dim + 1);
    for (size_t r = 0; r < N; r += 6)
        for (size_t n = 1; n <= N - r; n += 12) {
            const double *z = c->z + r * c->dim, *context = c->c + r * c->context;
            flow_pass_transport(pass, NULL, x, logq, z, context, n);
            check_same(x, want + r * c->dim, n * c->dim, "row %zu of %zu, %s", r, n, c->name);
            check_same(logq, want + N * c->dim + r, n, "log q of row %zu, %s", r, c->name);
            flow_pass_log_prob(pass, NULL, logq, x, z, context, n);
            check_same(x, back + r * c->dim, n * c->dim, "noise of row %zu, %s", r, c->name);
            check_same(logq, back + N * c->dim + r, n, "density of row %zu, %s", r, c->name);
        }
    free(x);
    flow_pass_free(pass);
}

static void check_isas(size_t example, size_t dim, size_t context, flow_direction direction,
                       flow_network network)
{
    const char *const *isas = rounded_isas();
    rounded_case first;
    rounded_case_open(&first, example, dim, context, direction, N, network, isas[0]);
    double *want = results_new(first.rounded, &first);
    for (size_t i = 1; isas[i]; i++) {
        flow *f = rounded_new(first.flow, network, isas[i]);
        double *got = results_new(f, &first);
        check_same(got, want, 2 * N * (dim + 1), "%s and %s", isas[i], first.name);
        free(got);
        flow_free(f);
    }
    check_rows(&first, want);
    free(want);
    rounded_case_close(&first);
}

/* Examples i, i + SHARES, .. */
enum { SHARES = 8 };

ParameterizedTestParameters(round, same_bits_with_every_instruction_set)
{
    static size_t first[SHARES];
    for (size_t i = 0; i < SHARES; i++)
        first[i] = i;
    return cr_make_param_array(size_t, first, SHARES);
}

ParameterizedTest(size_t *first, round, same_bits_with_every_instruction_set, .timeout = 300)
{
    static const size_t dims[] = {5, 2, 17, 3, 1};
    for (size_t e = *first, i = *first; e < example_count();
         e += UNLESS_SANITIZED(SHARES, 3 * SHARES), i++)
        for (size_t k = 0; k < ROUNDED_NETWORKS; k++)
            if (rounded_takes(k, e / SHARES))
                check_isas(e, dims[i % UNLESS_SANITIZED(5, 2)], i / 2 % 2 * 2,
                           (flow_direction)(i / 3 % 2), rounded_networks[k]);
}

/* ---- and whatever the number of threads; the first k of n rows */

Test(round, same_bits_for_all_threads_and_counts, .timeout = 300)
{
    enum { D = 7, ROWS = UNLESS_SANITIZED(700, 300) };
    flow *teacher = random_teacher(D, 0, 0.55), *f = rounded_new(teacher, FLOW_NETWORK_INT8, NULL);
    double *want = malloc(2 * ROWS * (D + 1) * sizeof *want), *got = want + ROWS * (D + 1);
    for (size_t threads = 1; threads <= 3; threads++)
        for (size_t n = ROWS; n > 0; n = n / 3 * (n > 9)) {
            flow_pool *pool = flow_pool_create(threads, NULL);
            double *x = threads == 1 && n == ROWS ? want : got;
            cr_assert_eq(flow_sample(f, pool, x, x + ROWS * D, NULL, stream, 0, n, NULL), 0);
            check_same(x, want, n * D, "%zu samples by %zu threads", n, threads);
            check_same(x + ROWS * D, want + ROWS * D, n, "log q, %zu threads", threads);
            flow_pool_free(pool);
        }
    free(want);
    flow_free(f);
    flow_free(teacher);
}

/* ---- what it shares with the flow it was made from */

static void check_same_tensors(const flow *f, const flow *g)
{
    cr_assert_eq(flow_n_tensors(f), flow_n_tensors(g));
    for (size_t t = 0; t < flow_n_tensors(f); t++) {
        flow_tensor_info a, b;
        flow_tensor(f, &a, t);
        flow_tensor(g, &b, t);
        cr_assert_str_eq(a.name, b.name);
        cr_assert(a.rows == b.rows && a.cols == b.cols);
        size_t n = a.rows * (a.cols ? a.cols : 1);
        double *x = malloc(2 * (n + 1) * sizeof *x), *y = x + n + 1;
        flow_tensor_get(f, x, t);
        flow_tensor_get(g, y, t);
        check_same(x, y, n, "tensor %s", a.name);
        free(x);
    }
}

static void check_same_description(const flow *f, const flow *g)
{
    json_t *a = flow_describe(f), *b = flow_describe(g);
    cr_assert(a && json_equal(a, b));
    json_decref(a);
    json_decref(b);
    cr_assert_eq(flow_n_weights(f), flow_n_weights(g));
    cr_assert_eq(flow_get_direction(f), flow_get_direction(g));
}

Test(round, description_and_tensors_stay)
{
    for (size_t e = 0; e < example_count(); e += UNLESS_SANITIZED(3, 17)) {
        rounded_case c;
        flow_network network = rounded_networks[e % ROUNDED_NETWORKS];
        rounded_case_open(&c, e, 5, e % 3, FLOW_NOISE_TO_DATA, 1, network, NULL);
        check_same_description(c.rounded, c.flow);
        check_same_tensors(c.rounded, c.flow);
        cr_assert_eq(flow_get_network(c.flow), FLOW_NETWORK_AS_IS);
        cr_assert_eq(flow_get_network(c.rounded), network);
        cr_assert_eq(strncmp(flow_backend_name(c.rounded), "r32/", 4), 0);
        rounded_case_close(&c);
    }
}

/* A teacher in double is rounded as its copy in single precision is. */
Test(round, doubles_are_rounded_like_singles)
{
    flow *f = random_teacher(3, 1, 0.55), *g = flow_convert(f, FLOW_F32, NULL);
    flow *a = rounded_new(f, FLOW_NETWORK_INT8, NULL), *b = rounded_new(g, FLOW_NETWORK_INT8, NULL);
    cr_assert_eq(flow_params_bytes(a), flow_params_bytes(b));
    cr_assert_eq(memcmp(flow_params(a), flow_params(b), flow_params_bytes(a)), 0);
    cr_assert_eq(flow_get_precision(a), FLOW_F32);
    flow_free(a), flow_free(b), flow_free(f), flow_free(g);
}

Test(round, as_it_is_means_a_copy)
{
    flow *f = random_teacher(3, 1, 0.55), *g = flow_round(f, FLOW_NETWORK_AS_IS, NULL);
    cr_assert(g && g != f && flow_params(f) != flow_params(g));
    cr_assert_str_eq(flow_backend_name(f), flow_backend_name(g));
    cr_assert_eq(flow_get_network(g), FLOW_NETWORK_AS_IS);
    check_same_description(f, g);
    check_same_tensors(f, g);
    flow_free(f), flow_free(g);
}

/* Once it is rounded, all of it is: rows of a kind that it has not seen change nothing. */
Test(round, nothing_is_watched_any_more)
{
    for (size_t e = 0; e < example_count(); e += UNLESS_SANITIZED(1, 11)) {
        rounded_case c;
        rounded_case_open(&c, e, 3, e % 3, (flow_direction)(e % 2), N, FLOW_NETWORK_INT8, NULL);
        size_t bytes = flow_params_bytes(c.rounded);
        void *before = memcpy(malloc(bytes), flow_params(c.rounded), bytes);
        for (size_t i = 0; i < N * 3; i++)
            c.z[i] *= 10;
        free(results_new(c.rounded, &c));
        cr_assert_eq(memcmp(flow_params(c.rounded), before, bytes), 0, "%s", c.name);
        free(before);
        rounded_case_close(&c);
    }
}

/* ---- refusals */

Test(round, parameters_stay)
{
    flow_err err = FLOW_ERR_INIT;
    flow *f = random_teacher(3, 1, 0.55), *g = rounded_new(f, FLOW_NETWORK_INT8, NULL), *back;
    double values[1024];
    flow_tensor_get(g, values, 0);
    cr_assert_eq(flow_tensor_set(g, values, 0, &err), FLOW_EUSAGE);
    cr_assert(strstr(err.text, "rounded"), "%s", err.text);
    back = flow_convert(g, FLOW_F64, NULL);
    cr_assert(back && flow_get_network(back) == FLOW_NETWORK_AS_IS);
    check_same_description(back, g);
    check_same_tensors(back, g);
    flow_free(f), flow_free(g), flow_free(back);
}

Test(round, no_gradients_and_not_twice)
{
    flow_err err = FLOW_ERR_INIT;
    flow *f = random_teacher(3, 1, 0.55), *g = rounded_new(f, FLOW_NETWORK_INT8, NULL);
    cr_assert_null(flow_pass_create(g, 4, FLOW_PASS_TRAIN, &err));
    cr_assert_eq(err.code, FLOW_EUSAGE);
    cr_assert(strstr(err.text, "rounded"), "%s", err.text);
    for (flow_network network = FLOW_NETWORK_AS_IS; network <= FLOW_NETWORK_INT16; network++) {
        err = (flow_err)FLOW_ERR_INIT;
        cr_assert_null(flow_round(g, network, &err));
        cr_assert_eq(err.code, FLOW_ECONFIG);
        cr_assert(strstr(err.text, "rounded already"), "%s", err.text);
    }
    flow_free(f), flow_free(g);
}

/* layer, a new reference, has no network. */
static void check_nothing_to_round(json_t *layer)
{
    json_t *d = describe_one(3, 1, "noise_to_data", layer);
    flow *f = flow_create(d, FLOW_F32, NULL);
    cr_assert(f);
    for (size_t k = 0; k < ROUNDED_NETWORKS; k++) {
        flow_err err = FLOW_ERR_INIT;
        cr_assert_eq(flow_check_round(f, rounded_networks[k], &err), FLOW_ECONFIG);
        cr_assert_null(flow_round(f, rounded_networks[k], &err));
        cr_assert(strstr(err.text, "has a network to round"), "%s", err.text);
        cr_assert(strstr(err.text, flow_network_name(rounded_networks[k])), "%s", err.text);
    }
    cr_assert_eq(flow_check_round(f, FLOW_NETWORK_AS_IS, NULL), 0);
    json_decref(d);
    flow_free(f);
}

Test(round, layers_without_networks)
{
    check_nothing_to_round(json_pack("{s:s}", "kind", "lu_linear"));
    check_nothing_to_round(json_pack("{s:s}", "kind", "context_linear"));
    check_nothing_to_round(json_pack("{s:s, s:i, s:i, s:[{s:s}]}", "kind", "part", "first", 0,
                                     "count", 2, "layers", "kind", "lu_linear"));
}

/* A network within a layer within a layer counts. */
Test(round, a_network_in_a_part)
{
    json_t *d = describe_one(3, 0, "noise_to_data",
                             json_pack("{s:s, s:i, s:i, s:[{s:s}, {s:s}]}", "kind", "part", "first",
                                       0, "count", 2, "layers", "kind", "lu_linear", "kind",
                                       "autoregressive"));
    flow *f = flow_create(d, FLOW_F32, NULL), *rounded = flow_round(f, FLOW_NETWORK_INT8, NULL);
    cr_assert(f && rounded);
    json_decref(d);
    flow_free(f), flow_free(rounded);
}

/* Of a network behind an lu_linear whose shift is what it should not be. */
Test(round, samples_that_are_not_finite)
{
    flow_err err = FLOW_ERR_INIT;
    json_t *d =
        describe_one(3, 0, "noise_to_data",
                     json_pack("[{s:s}, {s:s}]", "kind", "lu_linear", "kind", "autoregressive"));
    flow *f = flow_create(d, FLOW_F32, &err);
    const double bias[3] = {1, INFINITY, 2};
    size_t t = flow_tensor_find(f, "layers.0.bias");
    cr_assert_lt(t, flow_n_tensors(f));
    cr_assert_eq(flow_tensor_set(f, bias, t, &err), 0, "%s", err.text);
    cr_assert_null(flow_round(f, FLOW_NETWORK_INT8, &err));
    cr_assert_eq(err.code, FLOW_EDATA);
    cr_assert(strstr(err.text, "row 0 of its samples is not finite"), "%s", err.text);
    json_decref(d);
    flow_free(f);
}

/* ---- what can be in a network */

static void set_row(flow *f, const char *weight, const char *bias, size_t row, double value)
{
    flow_err err = FLOW_ERR_INIT;
    flow_tensor_info info;
    size_t w = flow_tensor_find(f, weight), b = flow_tensor_find(f, bias);
    cr_assert(w < flow_n_tensors(f) && b < flow_n_tensors(f));
    flow_tensor(f, &info, w);
    double *values = malloc(info.rows * (info.cols + 1) * sizeof *values);
    flow_tensor_get(f, values, w);
    for (size_t k = 0; k < info.cols; k++)
        values[row * info.cols + k] = 0;
    cr_assert_eq(flow_tensor_set(f, values, w, &err), 0, "%s", err.text);
    flow_tensor_get(f, values, b);
    values[row] = value;
    cr_assert_eq(flow_tensor_set(f, values, b, &err), 0, "%s", err.text);
    free(values);
}

/* A unit that moves within less than any level, or not at all: silu(-88) is -5e-37. */
Test(round, units_that_hardly_move)
{
    const double bias[] = {-88, -87, -95, 0, 1e-38, 5};
    json_t *d =
        describe_one(3, 0, "noise_to_data",
                     json_pack("{s:s, s:{s:s, s:[i], s:s}}", "kind", "autoregressive",
                               "conditioner", "kind", "mlp", "hidden", 6, "activation", "silu"));
    for (size_t i = 0; i < sizeof bias / sizeof *bias; i++) {
        flow *f = flow_create(d, FLOW_F32, NULL), *g;
        randomise_parameters(f, 0.55, 99);
        set_row(f, "layers.0.conditioner.0.weight", "layers.0.conditioner.0.bias", 2, bias[i]);
        g = rounded_new(f, FLOW_NETWORK_INT8, NULL);
        double x[2][30], logq[2][10];
        flow_pool *pool = flow_pool_create(1, NULL);
        cr_assert_eq(flow_sample(f, pool, x[0], logq[0], NULL, stream, 0, 10, NULL), 0);
        cr_assert_eq(flow_sample(g, pool, x[1], logq[1], NULL, stream, 0, 10, NULL), 0);
        check_close(x[1], x[0], 30, 0.05, 0.05, "samples, bias %g", bias[i]);
        check_close(logq[1], logq[0], 10, 0.05, 0.05, "log q, bias %g", bias[i]);
        flow_pool_free(pool);
        flow_free(f), flow_free(g);
    }
    json_decref(d);
}

/* Sums of bytes must be whole numbers of 32 bits. */
Test(round, more_inputs_than_bytes_add_up)
{
    flow_err err = FLOW_ERR_INIT;
    json_t *layer = json_pack("{s:s, s:i, s:{s:s, s:[i]}}", "kind", "autoregressive", "groups", 2,
                              "conditioner", "kind", "mlp", "hidden", 1);
    json_t *d = describe_one(FLOW_MAX_DIM, 1000, "noise_to_data", layer);
    flow *f = flow_create(d, FLOW_F32, &err);
    cr_assert(f, "%s", err.text);
    cr_assert_null(flow_round(f, FLOW_NETWORK_INT8, &err));
    cr_assert_eq(err.code, FLOW_ECONFIG);
    cr_assert(strstr(err.text, "66536 inputs") && strstr(err.text, "66311"), "%s", err.text);
    json_decref(d);
    flow_free(f);
}

/* Instructions for products of bytes are what makes int8 and int16 faster; none are for bf16. */
Test(round, what_is_faster)
{
    for (const char *const *isa = rounded_isas(); *isa; isa++) {
        setenv("FLOW_ISA", *isa, 1);
        cr_assert(!flow_network_is_faster(FLOW_NETWORK_AS_IS));
        cr_assert(!flow_network_is_faster(FLOW_NETWORK_BF16));
        cr_assert(!flow_network_is_faster(FLOW_NETWORK_INT8) || strstr(*isa, "_vnni"), "%s", *isa);
        cr_assert_eq(flow_network_is_faster(FLOW_NETWORK_INT16),
                     flow_network_is_faster(FLOW_NETWORK_INT8));
    }
}

Test(round, words)
{
    cr_assert_str_eq(flow_network_name(FLOW_NETWORK_AS_IS), "f32");
    cr_assert_str_eq(flow_network_name(FLOW_NETWORK_BF16), "bf16");
    cr_assert_str_eq(flow_network_name(FLOW_NETWORK_INT8), "int8");
    cr_assert_str_eq(flow_network_name(FLOW_NETWORK_INT16), "int16");
}
