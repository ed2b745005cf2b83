/* A student unrolled from a teacher: with as many steps as there are groups it draws the teacher's
 * samples, bit for bit, and gives their density. */
#include "flow/unroll.h"
#include "flow/backend.h"
#include "tests/common/bases.h"
#include "tests/common/check.h"
#include "tests/common/examples.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { D = 4, C = 2, N = 40 };

static const pcg_stream stream = {.seed = 5, .stage = PCG_TEST, .purpose = PCG_BASE};

#define SPLINE                                                                                     \
    "{\"kind\": \"autoregressive\", \"transformer\": {\"kind\": \"spline\", \"bins\": 5, "         \
    "\"bound\": 2.3}, \"conditioner\": {\"kind\": \"mlp\", \"hidden\": [12, 9]}}"
#define AFFINE                                                                                     \
    "{\"kind\": \"autoregressive\", \"transformer\": \"affine\", \"conditioner\": {\"kind\": "     \
    "\"mlp\", \"hidden\": [10], \"residual\": 2}}"
#define COUPLING                                                                                   \
    "{\"kind\": \"autoregressive\", \"groups\": 2, \"first\": \"identity\", \"transformer\": "     \
    "\"additive\", \"conditioner\": {\"kind\": \"mlp\", \"hidden\": [8]}}"
#define ORDER "{\"kind\": \"permutation\", \"order\": [2, 0, 3, 1]}"

/* Every kind that can be unrolled; and one layer alone. */
static const char *const teachers[] = {
    "[{\"kind\": \"lu_linear\"}, " SPLINE ", " ORDER ", {\"kind\": \"actnorm\"}, " AFFINE "]",
    "[" COUPLING ", " ORDER ", {\"kind\": \"part\", \"first\": 1, \"count\": 2, \"layers\": "
    "[{\"kind\": \"actnorm\"}, " AFFINE ", {\"kind\": \"permutation\", \"order\": [1, 0]}, " SPLINE
    "]}, {\"kind\": \"lu_linear\"}]",
    "[" SPLINE "]",
    "[]",
};
enum { N_TEACHERS = sizeof teachers / sizeof *teachers };

static flow *teacher_of(const char *layers, size_t context, const char *direction)
{
    flow_err err = FLOW_ERR_INIT;
    json_t *d = describe_one(D, context, direction, json_loads(layers, 0, NULL));
    json_object_set_new(d, "base",
                        base_complete("{\"kind\": \"student_t\", \"learn\": true}", NULL));
    flow *f = flow_create(d, FLOW_F64, &err);
    cr_assert(f, "%s", err.text);
    randomise_parameters(f, 0.6, 17);
    json_decref(d);
    return f;
}

static flow *unrolled(const flow *teacher, size_t iterations, bool tied, flow_precision precision)
{
    flow_err err = FLOW_ERR_INIT;
    const flow_unrolling how = {.iterations = iterations, .tied = tied, .width = 1};
    flow *f = flow_unroll(teacher, &how, precision, &err);
    cr_assert(f, "%s", err.text);
    cr_assert_eq(flow_get_direction(f), FLOW_NOISE_TO_DATA);
    return f;
}

/* ---- enough steps */

static void draw(const flow *f, double *x, double *logp, const double *c)
{
    flow_err err = FLOW_ERR_INIT;
    flow_pool *pool = flow_pool_create(1, NULL);
    cr_assert_eq(flow_sample(f, pool, x, logp, c, stream, 3, N, &err), 0, "%s", err.text);
    flow_pool_free(pool);
}

static void check_limit(const flow *teacher, const double *c, size_t which, bool tied,
                        flow_precision precision)
{
    double x[2][N * D], logp[2][N], back[N];
    flow *same = flow_convert(teacher, precision, NULL);
    flow *student = unrolled(teacher, D, tied, precision);
    flow_pool *pool = flow_pool_create(1, NULL);
    draw(same, x[0], logp[0], c);
    draw(student, x[1], logp[1], c);
    check_same(x[1], x[0], N * D, "samples of teacher %zu, tied %d, f%d", which, tied, precision);
    check_same(logp[1], logp[0], N, "log q of teacher %zu, tied %d, f%d", which, tied, precision);
    cr_assert_eq(flow_log_prob(teacher, pool, back, NULL, x[1], c, N, NULL), 0);
    double tolerance = precision == FLOW_F64 ? 1e-9 : 2e-3;
    check_close(logp[1], back, N, tolerance, tolerance, "log p of teacher %zu", which);
    cr_assert_eq(flow_log_prob(student, pool, back, NULL, x[1], c, N, NULL), 0);
    check_close(logp[1], back, N, tolerance, tolerance, "log q of its samples, teacher %zu", which);
    flow_pool_free(pool);
    flow_free(same);
    flow_free(student);
}

Test(unroll, as_many_steps_as_groups_are_the_teacher)
{
    double c[N * C];
    random_numbers(c, N * C, 0.8, 4);
    for (size_t i = 0; i < N_TEACHERS; i++)
        for (size_t context = 0; context <= C; context += C) {
            flow *teacher = teacher_of(teachers[i], context, "data_to_noise");
            for (int tied = 0; tied < 2; tied++) {
                check_limit(teacher, context ? c : NULL, i, tied, FLOW_F64);
                check_limit(teacher, context ? c : NULL, i, tied, FLOW_F32);
            }
            flow_free(teacher);
        }
}

/* ---- fewer steps: nearer with each, and not there at first */

static double distance(const flow *teacher, const double *x, size_t iterations)
{
    double y[N * D], logp[N], sum = 0;
    flow *student = unrolled(teacher, iterations, 0, FLOW_F64);
    draw(student, y, logp, NULL);
    for (size_t i = 0; i < N * D; i++)
        sum += fabs(y[i] - x[i]);
    flow_free(student);
    return sum;
}

Test(unroll, every_step_comes_nearer)
{
    double x[N * D], logp[N], before = INFINITY;
    flow *teacher = teacher_of(teachers[0], 0, "data_to_noise");
    draw(teacher, x, logp, NULL);
    for (size_t iterations = 1; iterations < D; iterations++) {
        double now = distance(teacher, x, iterations);
        cr_assert(now > 0 && now < before, "%zu steps: %g after %g", iterations, now, before);
        before = now;
    }
    flow_free(teacher);
}

/* ---- descriptions */

Test(unroll, describes_what_it_makes)
{
    flow_err err = FLOW_ERR_INIT;
    const flow_unrolling how = {.iterations = 2, .tied = true, .width = 0.5};
    for (size_t i = 0; i < N_TEACHERS; i++) {
        flow *teacher = teacher_of(teachers[i], C, "data_to_noise");
        flow *student = flow_unroll(teacher, &how, FLOW_F32, &err);
        cr_assert(student, "%s", err.text);
        json_t *before = flow_unroll_describe(teacher, &how, &err), *after = flow_describe(student);
        cr_assert(before && json_equal(before, after), "teacher %zu", i);
        json_decref(before);
        json_decref(after);
        flow_free(student);
        flow_free(teacher);
    }
}

static void expect_refused(const flow *teacher, size_t iterations, double width, const char *word)
{
    flow_err err = FLOW_ERR_INIT;
    const flow_unrolling how = {.iterations = iterations, .width = width};
    cr_assert_null(flow_unroll(teacher, &how, FLOW_F64, &err), "%s", word);
    cr_assert_eq(err.code, FLOW_ECONFIG, "%s: code %d", word, err.code);
    cr_assert(strstr(err.text, word), "'%s' does not say %s", err.text, word);
    cr_assert_null(flow_unroll(teacher, &how, FLOW_F64, NULL));
}

Test(unroll, says_what_it_cannot)
{
    static const char inverted[] = "[{\"kind\": \"actnorm\"}, {\"kind\": \"part\", \"count\": 2, "
                                   "\"layers\": [{\"kind\": \"inverted\", \"layers\": []}]}]";
    flow *sampler = teacher_of(teachers[0], 0, "noise_to_data");
    flow *teacher = teacher_of(teachers[0], 0, "data_to_noise");
    flow *odd = teacher_of(inverted, 0, "data_to_noise");
    expect_refused(sampler, 2, 1, "noise_to_data");
    expect_refused(odd, 2, 1, "layer 1: part: layer 0: inverted cannot be unrolled");
    expect_refused(teacher, 0, 1, "iterations");
    expect_refused(teacher, 257, 1, "iterations");
    for (size_t i = 0; i < 4; i++)
        expect_refused(teacher, 2, (const double[]){0, -0.5, 1.001, NAN}[i], "width");
    flow_free(sampler);
    flow_free(teacher);
    flow_free(odd);
}
