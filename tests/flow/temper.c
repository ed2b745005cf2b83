/* Samples at a temperature: as wide as they should be, and with the density they have. */
#include "flow/flow.h"
#include "tests/common/examples.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { DIM = 3, ROWS = 4000 };

static const pcg_stream stream = {.seed = 11, .stage = PCG_TEST, .purpose = PCG_BASE};

typedef struct drawn {
    double x[ROWS * DIM], logp[ROWS];
} drawn;

static flow *make(const char *base, flow_precision precision, const char *direction)
{
    flow_err err = FLOW_ERR_INIT;
    json_t *layers = json_loads("[\"lu_linear\", {\"kind\": \"autoregressive\"}]", 0, NULL);
    json_t *d = describe_one(DIM, 0, direction, layers);
    json_object_set_new(d, "base", json_loads(base, JSON_DECODE_ANY, NULL));
    flow *f = flow_create(d, precision, &err);
    cr_assert(f, "%s", err.text);
    randomise_parameters(f, 0.3, 5);
    json_decref(d);
    return f;
}

static drawn *draw(const flow *f, double temperature, size_t first, size_t n)
{
    flow_err err = FLOW_ERR_INIT;
    flow_pool *pool = flow_pool_create(1, &err);
    drawn *out = malloc(sizeof *out);
    cr_assert_eq(
        flow_sample_tempered(f, pool, out->x, out->logp, NULL, stream, first, n, temperature, &err),
        0, "%s", err.text);
    flow_pool_free(pool);
    return out;
}

static const char *const bases[] = {"\"normal\"", "{\"kind\": \"normal\", \"learn\": true}",
                                    "{\"kind\": \"student_t\", \"dof\": 5, \"learn\": true}"};

Test(temper, at_1_nothing_changes)
{
    flow_err err = FLOW_ERR_INIT;
    flow *f = make(bases[1], FLOW_F32, "noise_to_data");
    flow_pool *pool = flow_pool_create(1, &err);
    drawn *at_1 = draw(f, 1, 3, 200), *plain = malloc(sizeof *plain);
    cr_assert_eq(flow_sample(f, pool, plain->x, plain->logp, NULL, stream, 3, 200, &err), 0);
    cr_expect_arr_eq(at_1->x, plain->x, 200 * DIM * sizeof *plain->x);
    cr_expect_arr_eq(at_1->logp, plain->logp, 200 * sizeof *plain->logp);
    free(at_1);
    free(plain);
    flow_pool_free(pool);
    flow_free(f);
}

/* z of a tempered sample, taken back to the base as it is, is the noise of the plain one; and with p the flow's
 * density, log q_T(x) = log p(x) - log base(z') + log base(z) - D log T. */
static void check_density(const char *base, const char *direction, double temperature)
{
    enum { N = 60 };
    flow_err err = FLOW_ERR_INIT;
    flow *f = make(base, FLOW_F64, direction);
    flow_pool *pool = flow_pool_create(1, &err);
    double z[N * DIM], wide[N * DIM], logp[N], of_z[N], of_wide[N];
    drawn *hot = draw(f, temperature, 7, N);
    flow_noise(f, NULL, z, stream, 7, N);
    flow_base_log_prob(f, NULL, of_z, z, N);
    cr_assert_eq(flow_log_prob(f, pool, logp, wide, hot->x, NULL, N, &err), 0);
    flow_base_log_prob(f, NULL, of_wide, wide, N);
    for (size_t i = DIM; i < N * DIM; i++) /* distances between rows, whatever the middle is */
        cr_expect_float_eq(wide[i] - wide[i - DIM], temperature * (z[i] - z[i - DIM]), 1e-8);
    for (size_t r = 0; r < N; r++)
        cr_expect_float_eq(hot->logp[r], logp[r] - of_wide[r] + of_z[r] - DIM * log(temperature),
                           1e-8);
    free(hot);
    flow_pool_free(pool);
    flow_free(f);
}

Test(temper, noise_and_density)
{
    for (size_t i = 0; i < sizeof bases / sizeof *bases; i++) {
        check_density(bases[i], "noise_to_data", 0.385);
        check_density(bases[i], "data_to_noise", 2.385);
    }
}

/* The density of a flow without layers is that of its base: a normal of standard deviation T. */
Test(temper, a_normal)
{
    flow_err err = FLOW_ERR_INIT;
    json_t *d = describe_one(DIM, 0, "noise_to_data", json_array());
    flow *f = flow_create(d, FLOW_F64, &err);
    cr_assert(f, "%s", err.text);
    const double t = 0.6, log_2pi = 1.8378770664093453;
    drawn *cold = draw(f, t, 0, ROWS);
    double square = 0;
    for (size_t r = 0; r < ROWS; r++) {
        double u = 0;
        for (size_t i = r * DIM; i < (r + 1) * DIM; i++)
            u += cold->x[i] * cold->x[i];
        square += u / (ROWS * DIM);
        cr_assert_float_eq(cold->logp[r], -u / (2 * t * t) - DIM * (log_2pi / 2 + log(t)), 1e-10);
    }
    cr_expect_float_eq(square, t * t,
                       5 * t * t * sqrt(2.0 / (ROWS * DIM))); /* five standard errors */
    free(cold);
    flow_free(f);
    json_decref(d);
}

Test(temper, refused)
{
    static const struct {
        const char *base, *says;
        double temperature;
    } cases[] = {{"\"normal\"", "temperature of 0", 0},
                 {"\"normal\"", "temperature of -2", -2},
                 {"\"normal\"", "temperature of inf", INFINITY},
                 {"\"uniform\"", "on a uniform base has no temperature", 0.5},
                 {"\"mixture\"", "whose base is one of normal, student_t", 0.5}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        flow_err err = FLOW_ERR_INIT;
        flow *f = make(cases[i].base, FLOW_F32, "noise_to_data");
        flow_pool *pool = flow_pool_create(1, &err);
        double x[DIM];
        cr_expect_eq(
            flow_sample_tempered(f, pool, x, NULL, NULL, stream, 0, 1, cases[i].temperature, &err),
            FLOW_EUSAGE);
        cr_expect(strstr(err.text, cases[i].says), "case %zu: %s", i, err.text);
        flow_pool_free(pool);
        flow_free(f);
    }
}
