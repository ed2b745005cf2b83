/* What the library gives is what the floors below give, however it is called. */
#include "teacher/streams.h"
#include "tests/common/bases.h"
#include "tests/common/examples.h"
#include "tests/library/made.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { ROWS = 300, SEED = 7, FIRST = 5 };

static const pcg_stream stream = {.seed = SEED, .stage = STREAM_EXPORT, .purpose = PCG_BASE};

typedef struct rows {
    double x[ROWS * MADE_DIM], log_q[ROWS], context[ROWS * MADE_CONTEXT], z[ROWS * MADE_DIM];
} rows;

/* To the last bit, or nearly where there is a product that BLAS has in the program. */
static int alike(double got, double want, double tolerance)
{
    if (!isfinite(want))
        return isnan(want) ? isnan(got) : got == want;
    return fabs(got - want) <= tolerance * (1 + fabs(want));
}

static void same(const double *got, const double *want, size_t n, double tolerance,
                 const char *what)
{
    for (size_t i = 0; i < n; i++)
        cr_assert(alike(got[i], want[i], tolerance), "%s, number %zu: %.17g, not %.17g", what, i,
                  got[i], want[i]);
}

static const double *context_of(rows *r, const made *of)
{
    random_numbers(r->context, ROWS * MADE_CONTEXT, 1, 4);
    return of->model->context_units ? r->context : NULL;
}

static void check_samples(distill_model *model, const made *of, rows *got, rows *want,
                          double tolerance, const char *what)
{
    flow_err err = FLOW_ERR_INIT;
    const double *c = context_of(want, of);
    int can = flow_model_sample(of->model, of->pool, want->x, want->log_q, c, stream, FIRST, ROWS,
                                &err) == 0;
    int code = distill_sample(model, SEED, FIRST, ROWS, got->x, got->log_q, c, NULL);
    cr_assert_eq(code, can ? DISTILL_OK : DISTILL_ECANNOT, "%s: %s", what, distill_why(model));
    if (!can) {
        cr_assert_str_eq(distill_why(model), err.text);
        return;
    }
    same(got->x, want->x, ROWS * MADE_DIM, tolerance, what);
    same(got->log_q, want->log_q, ROWS, tolerance, what);
    cr_assert_eq(distill_noise(model, SEED, FIRST, ROWS, got->z, NULL), 0);
    cr_assert_eq(distill_transport(model, got->z, ROWS, want->z, want->log_q, c, NULL), 0);
    same(want->z, got->x, ROWS * MADE_DIM, 0, what);
    same(want->log_q, got->log_q, ROWS, 0, what);
}

/* In double, as `distill logp` does. */
static void check_densities(distill_model *model, const made *of, rows *got, rows *want,
                            double tolerance, const char *what)
{
    flow_err err = FLOW_ERR_INIT;
    const double *c = context_of(want, of);
    random_numbers(want->x, ROWS * MADE_DIM, 2, 6);
    want->x[4] = -1.5; /* outside of column 1 */
    want->x[6] = NAN;
    want->x[7] = 0;
    cr_assert_eq(flow_model_convert(of->model, FLOW_F64, &err), 0);
    int can = flow_model_log_prob(of->model, of->pool, want->log_q, want->x, c, ROWS, &err) == 0;
    int code = distill_log_prob(model, want->x, ROWS, got->log_q, c, NULL);
    cr_assert_eq(code, can ? DISTILL_OK : DISTILL_ECANNOT, "%s: %s", what, distill_why(model));
    if (can)
        same(got->log_q, want->log_q, ROWS, tolerance, what);
    int turns = flow_unit_is_angle(&of->model->units->column[1]);
    cr_assert(!can || ((turns || isinf(got->log_q[1])) && isnan(got->log_q[2])), "%s: %g %g", what,
              got->log_q[1], got->log_q[2]);
}

static void check_both(made *of, double tolerance, const char *what)
{
    rows *got = malloc(sizeof *got), *want = malloc(sizeof *want);
    distill_model *model = made_load(of, NULL, 1);
    check_samples(model, of, got, want, 300 * tolerance, what);
    check_densities(model, of, got, want, tolerance > 0 ? 1e-9 : 0, what);
    distill_free(model);
    made_close(of);
    free(got);
    free(want);
}

Test(library, every_layer)
{
    for (size_t e = 0; e < example_count(); e++) {
        json_t *layer = example_layer(e, MADE_DIM), *list = json_pack("[O]", layer);
        char *text = json_dumps(json_is_array(layer) ? layer : list, 0);
        made of = made_of(text, NULL, e % 2 ? MADE_CONTEXT : 0, FLOW_F32);
        check_both(&of, strstr(text, "lu_linear") ? 1e-6 : 0, text);
        free(text);
        json_decref(layer);
        json_decref(list);
    }
}

Test(library, every_base_in_double)
{
    for (size_t e = 0; e < base_count(); e++) {
        int turns = strstr(base_text(e), "circular") != NULL;
        made of = made_of(turns ? "[]" : "[\"lu_linear\", \"actnorm\"]", base_text(e), 0, FLOW_F64);
        check_both(&of, 1e-13, base_text(e));
    }
}

/* ---- ways of a call */

Test(library, any_number_of_rows_and_threads_and_handles)
{
    rows *want = malloc(sizeof *want), *got = malloc(sizeof *got);
    made of = made_plain(0);
    distill_model *one = made_load(&of, NULL, 1), *three = made_load(&of, NULL, 3);
    distill_model *shared = distill_share(three, NULL);
    cr_assert(shared);
    distill_free(three); /* its weights stay */
    cr_assert_eq(distill_sample(one, SEED, 0, ROWS, want->x, want->log_q, NULL, NULL), 0);
    cr_assert_eq(distill_sample(shared, SEED, 0, ROWS, got->x, NULL, NULL, NULL), 0);
    same(got->x, want->x, ROWS * MADE_DIM, 0, "three threads");
    for (size_t r = 0; r < ROWS; r += 37) {
        distill_model *either = r % 2 ? one : shared;
        cr_assert_eq(distill_sample(either, SEED, r, 1, got->x, got->log_q, NULL, NULL), 0);
        same(got->x, want->x + r * MADE_DIM, MADE_DIM, 0, "a row alone");
        same(got->log_q, want->log_q + r, 1, 0, "a row alone");
    }
    cr_assert_eq(distill_sample(one, SEED, 0, 0, NULL, NULL, NULL, NULL), 0);
    distill_free(one);
    distill_free(shared);
    made_close(&of);
    free(want);
    free(got);
}

Test(library, strides)
{
    rows *want = malloc(sizeof *want), *got = malloc(sizeof *got);
    made of = made_plain(MADE_CONTEXT);
    distill_model *model = made_load(&of, NULL, 1);
    const double context[] = {0.385, -0.713};
    for (size_t i = 0; i < ROWS * MADE_CONTEXT; i++)
        want->context[i] = context[i % MADE_CONTEXT];
    cr_assert_eq(distill_sample(model, SEED, 0, ROWS, want->x, want->log_q, want->context, NULL),
                 0);
    /* column by column; log q from behind, in every other place */
    double log_q[2 * ROWS] = {0};
    distill_strides s = distill_dense(model);
    s.x = (distill_stride){1, ROWS};
    s.context.row = 0;
    s.log_q = -2;
    cr_assert_eq(distill_sample(model, SEED, 0, ROWS, got->x, log_q + 2 * ROWS - 1, context, &s), 0,
                 "%s", distill_why(model));
    for (size_t r = 0; r < ROWS; r++) {
        for (size_t i = 0; i < MADE_DIM; i++)
            cr_assert_eq(got->x[i * ROWS + r], want->x[r * MADE_DIM + i]);
        cr_assert_eq(log_q[2 * ROWS - 1 - 2 * r], want->log_q[r]);
        cr_assert_eq(log_q[2 * ROWS - 2 - 2 * r], 0, "what is between them is not ours");
    }
    cr_assert_eq(distill_log_prob(model, got->x, ROWS, got->log_q, context, &s), 0);
    cr_assert_eq(distill_log_prob(model, want->x, ROWS, log_q, want->context, NULL), 0);
    distill_free(model);
    made_close(&of);
    free(want);
    free(got);
}

Test(library, rounded_networks_and_bytes_in_memory)
{
    flow_err err = FLOW_ERR_INIT;
    rows *want = malloc(sizeof *want), *got = malloc(sizeof *got);
    made of = made_plain(0);
    FILE *file = fopen(of.path, "rb");
    static char bytes[1 << 20];
    size_t length = fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    const distill_load_options options = {.size = sizeof options, .network = "int8"};
    distill_model *model = distill_load_memory(bytes, length, &options, NULL);
    memset(bytes, 0, sizeof bytes);
    cr_assert(model);
    cr_assert_eq(flow_model_round(of.model, FLOW_NETWORK_INT8, &err), 0);
    cr_assert_eq(
        flow_model_sample(of.model, of.pool, want->x, want->log_q, NULL, stream, 0, ROWS, &err), 0);
    cr_assert_eq(distill_sample(model, SEED, 0, ROWS, got->x, got->log_q, NULL, NULL), 0);
    same(got->x, want->x, ROWS * MADE_DIM, 0, "int8");
    same(got->log_q, want->log_q, ROWS, 0, "int8");
    cr_assert_eq(flow_model_log_prob(of.model, of.pool, want->log_q, want->x, NULL, ROWS, &err), 0);
    cr_assert_eq(distill_log_prob(model, got->x, ROWS, got->log_q, NULL, NULL), 0);
    same(got->log_q, want->log_q, ROWS, 0, "int8");
    distill_free(model);
    made_close(&of);
    free(want);
    free(got);
}

/* ---- what it says of itself, and events */

Test(library, names_and_description)
{
    made of = made_plain(MADE_CONTEXT);
    distill_model *model = made_load(&of, NULL, 1);
    cr_expect_eq(distill_dim(model), MADE_DIM);
    cr_expect_eq(distill_context_dim(model), MADE_CONTEXT);
    cr_expect_str_eq(distill_name(model, 2), "x 2");
    cr_expect_str_eq(distill_context_name(model, 1), "c 1");
    cr_expect_null(distill_name(model, 3));
    cr_expect_null(distill_context_name(model, 2));
    json_t *all = json_loads(distill_description(model), 0, NULL),
           *f = flow_describe(of.model->flow);
    cr_expect(json_equal(json_object_get(all, "flow"), f));
    json_decref(all);
    json_decref(f);
    char numbers[32];
    snprintf(numbers, sizeof numbers, "%d.%d.", DISTILL_MAJOR, DISTILL_MINOR);
    cr_expect_str_eq(distill_version(), DISTILL_VERSION);
    cr_expect(strncmp(distill_version(), numbers, strlen(numbers)) == 0, "the header says %s",
              numbers);
    distill_free(model);
    made_close(&of);
}

/* N((0.7, 0.5, 2.7), I / 4), which has .00135 below -1 in column 1, where the model has nothing. */
static double normal_at(const double *at)
{
    const double d[] = {at[0] - 0.7, at[1] - 0.5, at[2] - 2.7};
    return exp(-2 * (d[0] * d[0] + d[1] * d[1] + d[2] * d[2])) * pow(2 / acos(-1), 1.5);
}

/* Points of the hypercube are noise, and the mean of f / q over them is the integral of f, within five of its standard
 * errors. */
Test(library, events)
{
    enum { N = 20000 };
    made of = made_of("[{\"kind\": \"autoregressive\"}]",
                      "{\"kind\": \"student_t\", \"dof\": 4, \"learn\": false}", 0, FLOW_F64);
    distill_model *model = made_load(&of, NULL, 2);
    double *u = malloc(N * (3 * MADE_DIM + 2) * sizeof *u), *x = u + N * MADE_DIM;
    double *z = x + N * MADE_DIM, *weight = z + N * MADE_DIM, *log_q = weight + N;
    double mean = 0, square = 0;
    pcg_uniforms(u, stream, 0, N, MADE_DIM);
    cr_assert_eq(distill_event(model, u, N, x, weight, NULL, NULL), 0);
    flow_noise_at(of.model->flow, z, u, N);
    cr_assert_eq(distill_transport(model, z, N, u, log_q, NULL, NULL), 0);
    same(x, u, N * MADE_DIM, 0, "events");
    for (size_t r = 0; r < N; r++) {
        cr_assert_float_eq(log(weight[r]), -log_q[r], 1e-9);
        double term = weight[r] * normal_at(x + r * MADE_DIM);
        mean += term / N;
        square += term * term / N;
    }
    double error = sqrt((square - mean * mean) / N);
    cr_expect(error < 0.05 && fabs(mean - 0.99865) < 5 * error, "%g +- %g", mean, error);
    distill_free(model);
    made_close(&of);
    free(u);
}
