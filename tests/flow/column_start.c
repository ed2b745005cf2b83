/* A flow of one column that starts at quantiles: two modes far apart, both ways round; and what is left alone. */
#include "flow/column_start.h"
#include "tests/common/check.h"
#include "tests/common/examples.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { N = 6000 };

static const pcg_stream stream = {.seed = 4, .stage = PCG_TEST, .purpose = PCG_INIT};

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* .3 N(-1, .1^2) + .7 N(1, .1^2), sorted. */
static double *two_modes(void)
{
    double *x = random_numbers_new(N, 0.1, 17);
    for (size_t i = 0; i < N; i++)
        x[i] += i % 10 < 3 ? -1 : 1;
    qsort(x, N, sizeof *x, by_value);
    return x;
}

static double true_log_density(double x)
{
    double share = x < 0 ? 0.3 : 0.7, z = (fabs(x) - 1) / 0.1;
    return log(share / 0.1) - z * z / 2 - 0.91893853320467274;
}

static flow *make(const char *direction, size_t dim, size_t context, const char *layers,
                  const char *base)
{
    flow_err err = FLOW_ERR_INIT;
    json_t *d = describe_one(dim, context, direction, json_loads(layers, 0, NULL));
    json_object_set_new(d, "base", json_string(base));
    flow *f = flow_create(d, FLOW_F64, &err);
    cr_assert(f, "%s", err.text);
    flow_init(f, stream);
    json_decref(d);
    return f;
}

#define PIECE(BINS)                                                                                \
    "{\"kind\": \"autoregressive\", \"transformer\": {\"kind\": \"spline\", \"bins\": " #BINS      \
    "}, \"conditioner\": {\"hidden\": [5]}}"
#define SPLINE(BINS) "[{\"kind\": \"lu_linear\"}, " PIECE(BINS) "]"

static double log_density(const flow *f, double at)
{
    double logp;
    flow_pool *pool = flow_pool_create(1, NULL);
    cr_assert_eq(flow_log_prob(f, pool, &logp, NULL, &at, NULL, 1, NULL), 0);
    flow_pool_free(pool);
    return logp;
}

static double divergence(const flow *f, const double *x)
{
    double sum = 0, *logp = malloc(N * sizeof *logp);
    flow_pool *pool = flow_pool_create(1, NULL);
    cr_assert_eq(flow_log_prob(f, pool, logp, NULL, x, NULL, N, NULL), 0);
    for (size_t i = 0; i < N; i++)
        sum += (true_log_density(x[i]) - logp[i]) / N;
    flow_pool_free(pool);
    free(logp);
    return sum;
}

/* As a fresh flow is: .9 nats off, and a tenth of its mass between the modes. */
static void check_modes(const char *direction, const char *layers, double nats, double most)
{
    double *x = two_modes();
    bool done = false;
    flow *f = make(direction, 1, 0, layers, "normal");
    cr_assert_gt(divergence(f, x), 0.7);
    cr_assert_eq(flow_start_column(f, &done, x, N, NULL), 0);
    double off = divergence(f, x), between = log_density(f, 0);
    cr_expect(done && off < nats, "%s, %s: %g nats off", direction, layers, off);
    cr_expect(between < most, "%s, %s: between the modes: %g", direction, layers, between);
    flow_free(f);
    free(x);
}

Test(column_start, two_modes)
{
    check_modes("data_to_noise", SPLINE(16), 0.02, -5);
    check_modes("noise_to_data", SPLINE(16), 0.02, -5);
    check_modes("data_to_noise", SPLINE(8), 0.1, -4.5);
    check_modes("noise_to_data", SPLINE(8), 0.1, -4.5);
}

/* One alone is no steeper than its least share allows. */
Test(column_start, two_splines_empty_a_gap)
{
    check_modes("data_to_noise", "[" PIECE(16) ", " PIECE(16) "]", 0.02, -8);
    check_modes("noise_to_data", "[" PIECE(16) ", " PIECE(16) "]", 0.02, -8);
    check_modes("data_to_noise", "[" PIECE(12) ", " PIECE(20) "]", 0.02, -8);
    check_modes("noise_to_data", "[" PIECE(12) ", " PIECE(20) "]", 0.02, -8);
}

static void stays(const char *why, flow *f, const double *x, size_t n)
{
    size_t len = flow_n_params(f);
    bool done = true;
    double *before = malloc(len * sizeof *before);
    memcpy(before, flow_params(f), len * sizeof *before);
    cr_assert_eq(flow_start_column(f, &done, x, n, NULL), 0);
    check_same(flow_params(f), before, len, "%s", why);
    cr_expect_not(done, "%s", why);
    free(before);
    flow_free(f);
}

Test(column_start, leaves_others_alone)
{
    double *x = two_modes();
    const char *affine = "[{\"kind\": \"autoregressive\", \"transformer\": \"affine\"}]";
    stays("two columns", make("data_to_noise", 2, 0, SPLINE(16), "normal"), x, N);
    stays("a context", make("data_to_noise", 1, 1, SPLINE(16), "normal"), x, N);
    stays("no spline", make("data_to_noise", 1, 0, affine, "normal"), x, N);
    stays("another base", make("data_to_noise", 1, 0, SPLINE(16), "uniform"), x, N);
    stays("few rows", make("data_to_noise", 1, 0, SPLINE(16), "normal"), x, 100);
    for (size_t i = 0; i < N; i++)
        x[i] = rint(x[i]);
    stays("few values", make("data_to_noise", 1, 0, SPLINE(16), "normal"), x, N);
    for (size_t i = 0; i < N; i++)
        x[i] = 100 * (double)i / N;
    stays("beyond the spline", make("data_to_noise", 1, 0, SPLINE(16), "normal"), x, N);
    free(x);
}

/* A student that starts at a teacher's quantiles. */
Test(column_start, quantiles_of_a_flow)
{
    double *x = two_modes(), *q = malloc(N * sizeof *q);
    int known = -1;
    bool done;
    flow *f = make("data_to_noise", 1, 0, SPLINE(16), "normal");
    cr_assert_eq(flow_start_column(f, &done, x, N, NULL), 0);
    cr_assert_eq(flow_column_quantiles(q, &known, N, f, NULL), 0);
    cr_assert_eq(known, 1);
    check_close(&q[N / 10], &x[N / 10], 1, 0, 0.03, "the tenth");
    check_close(&q[N / 2], &x[N / 2], 1, 0, 0.03, "the median");
    flow_free(f);
    f = make("data_to_noise", 1, 0, SPLINE(16), "uniform");
    cr_assert_eq(flow_column_quantiles(q, &known, N, f, NULL), 0);
    cr_assert_eq(known, 0);
    flow_free(f);
    free(q);
    free(x);
}
