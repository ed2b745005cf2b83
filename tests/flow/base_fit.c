/* Maximum likelihood by the optimiser finds the base that data came from: shift and log scale
 * within 5 standard errors (sqrt of the inverse Fisher information over N), weights of two far apart
 * components within 5 sqrt(pi (1 - pi) / N). */
#include "flow/flow.h"
#include "flow/optimizer.h"
#include "tests/common/bases.h"
#include "tests/common/check.h"
#include "tests/common/examples.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>

static const pcg_stream noise = {.seed = 577, .stage = PCG_TEST, .purpose = PCG_BASE};

enum { ROWS = 64 * FLOW_SHARD };

static void maximise(flow *f, double *x, size_t steps)
{
    flow_pool *pool = flow_pool_create(1, NULL);
    flow_optimizer *o = flow_optimizer_create(f, &(flow_optimizer_options){0}, 1, NULL);
    flow_pass *pass = flow_pass_create(f, FLOW_SHARD, FLOW_PASS_TRAIN, NULL);
    double *z = malloc(FLOW_SHARD * flow_dim(f) * sizeof *z), logp[FLOW_SHARD], norm;
    double minus[FLOW_SHARD];
    for (size_t r = 0; r < FLOW_SHARD; r++)
        minus[r] = -1;
    for (size_t s = 0; s < steps; s++) {
        for (size_t row = 0; row < ROWS; row += FLOW_SHARD) {
            flow_pass_log_prob(pass, NULL, logp, z, x + row * flow_dim(f), NULL, FLOW_SHARD);
            flow_pass_density_backward(pass, NULL, NULL, flow_optimizer_lane(o, 0), minus);
        }
        double lr = 0.1 * flow_schedule_factor(FLOW_COSINE, s, 0, steps);
        flow_optimizer_step(o, pool, lr, 1.0 / ROWS, INFINITY, &norm);
    }
    cr_assert_lt(norm, 1e-2);
    free(z);
    flow_pass_free(pass);
    flow_optimizer_free(o);
    flow_pool_free(pool);
}

/* By rows of the truth. */
static void fit_to(flow *f, const flow *truth, size_t steps)
{
    double *x = malloc(ROWS * 2 * sizeof *x);
    flow_noise(truth, NULL, x, noise, 0, ROWS);
    flow_init(f, noise);
    maximise(f, x, steps);
    free(x);
}

static flow *only_base(const char *text, flow_precision precision)
{
    json_t *d = describe_one(2, 0, "data_to_noise", json_array());
    json_object_set_new(d, "base", base_complete(text, NULL));
    flow *f = flow_create(d, precision, NULL);
    cr_assert(f, "%s", text);
    json_decref(d);
    return f;
}

/* Fisher informations of shift and log scale of u: (nu+1)/(nu+3) and 2 nu/(nu+3); normals 1 and 2. */
static void check_fit_of_place(const char *text, double info_shift, double info_scale)
{
    double shift[] = {2.385, -0.713}, log_scale[] = {0.9, -1.3}, got[2];
    flow *truth = only_base(text, FLOW_F64), *f = only_base(text, FLOW_F32);
    set_tensor(truth, 0, shift);
    set_tensor(truth, 1, log_scale);
    fit_to(f, truth, 400);
    flow_tensor_get(f, got, 0);
    for (size_t i = 0; i < 2; i++)
        check_close(got + i, shift + i, 1, 0, 5 * exp(log_scale[i]) / sqrt(info_shift * ROWS),
                    "%s: shift", text);
    flow_tensor_get(f, got, 1);
    check_close(got, log_scale, 2, 0, 5 / sqrt(info_scale * ROWS), "%s: log_scale", text);
    flow_free(truth);
    flow_free(f);
}

Test(base_fit, likelihood_finds_shift_and_scale)
{
    check_fit_of_place("{\"kind\": \"normal\", \"learn\": true}", 1, 2);
    check_fit_of_place("{\"kind\": \"student_t\", \"dof\": 2.5, \"learn\": true}", 3.5 / 5.5,
                       5 / 5.5);
}

Test(base_fit, likelihood_finds_a_mixture)
{
    const char *text = "{\"kind\": \"mixture\", \"components\": 2, \"spread\": 3}";
    double shift[] = {-4.3, 1.9, 3.7, -2.2}, log_scale[] = {0.3, -0.4, -0.2, 0.1};
    double logit[] = {log(0.3), log(0.7)}, got[4];
    flow *truth = only_base(text, FLOW_F64), *f = only_base(text, FLOW_F32);
    set_tensor(truth, 0, shift);
    set_tensor(truth, 1, log_scale);
    set_tensor(truth, 2, logit);
    fit_to(f, truth, 600);
    flow_tensor_get(f, got, 0);
    size_t left = got[0] < got[2] ? 0 : 1; /* which component is the one on the left */
    check_close(got + 2 * left, shift, 2, 0, 5 * exp(0.3) / sqrt(0.3 * ROWS), "left");
    check_close(got + 2 - 2 * left, shift + 2, 2, 0, 5 * exp(0.1) / sqrt(0.7 * ROWS), "right");
    flow_tensor_get(f, got, 2);
    double weight = 1 / (1 + exp(got[1 - left] - got[left])), want = 0.3;
    check_close(&weight, &want, 1, 0, 5 * sqrt(0.21 / ROWS), "weight of the left one");
    flow_free(truth);
    flow_free(f);
}
