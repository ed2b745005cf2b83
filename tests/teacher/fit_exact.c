/* A fit whose answer is known to the last digit: a linear flow fitted to rows has the likelihood of the
 * Gaussian with their own mean and covariance S, log p = -log det(2 pi e S) / 2 on average, and no flow of its
 * kind has a better one. */
#include "teacher/fit.h"
#include "tests/common/check.h"
#include "tests/common/examples.h"

#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

enum { ROWS = 96, DIM = 3 };

static double x[ROWS * DIM];

/* Rows far from standard: skew, correlated, off centre. */
static data_set skew_rows(void)
{
    static double u[ROWS * DIM];
    random_numbers(u, ROWS * DIM, 1, 17);
    for (size_t r = 0; r < ROWS; r++) {
        const double *a = u + DIM * r;
        x[DIM * r] = 2.4 + 0.8 * a[0] + 0.3 * a[1] * a[1];
        x[DIM * r + 1] = -1.7 * a[0] + 1.1 * a[1];
        x[DIM * r + 2] = 0.4 * a[0] - 0.6 * a[1] + 0.5 * a[2] - 3;
    }
    const data_part all = {.x = data_numbers_of(x, DIM), .n = ROWS};
    return (data_set){.dim = DIM, .train = all, .valid = all};
}

static double log_det_of_covariance(void)
{
    double mean[DIM] = {0}, s[DIM][DIM] = {{0}};
    for (size_t i = 0; i < ROWS * DIM; i++)
        mean[i % DIM] += x[i] / ROWS;
    for (size_t r = 0; r < ROWS; r++)
        for (size_t i = 0; i < DIM; i++)
            for (size_t j = 0; j < DIM; j++)
                s[i][j] += (x[DIM * r + i] - mean[i]) * (x[DIM * r + j] - mean[j]) / ROWS;
    return log(s[0][0] * (s[1][1] * s[2][2] - s[1][2] * s[2][1]) -
               s[0][1] * (s[1][0] * s[2][2] - s[1][2] * s[2][0]) +
               s[0][2] * (s[1][0] * s[2][1] - s[1][1] * s[2][0]));
}

static void check_likelihood(size_t batch, size_t epochs, double tolerance)
{
    flow_err err = FLOW_ERR_INIT;
    data_set set = skew_rows();
    json_t *layers = json_pack("[{s:s}, {s:s}]", "kind", "lu_linear", "kind", "actnorm");
    json_t *d = describe_one(DIM, 0, "data_to_noise", layers);
    flow *f = flow_create(d, FLOW_F64, &err);
    flow_pool *pool = flow_pool_create(2, &err);
    cr_assert(f && pool, "%s", err.text);
    teacher_fit_options options = {.batch = batch,
                                   .epochs = epochs,
                                   .lr = 0.05,
                                   .warmup = 5,
                                   .schedule = FLOW_COSINE,
                                   .seed = 4};
    teacher_fit_state state;
    cr_assert_eq(teacher_fit(f, &state, pool, &set, &options, NULL, NULL, &err), 0, "%s", err.text);
    double best = 0.5 * (DIM * (1 + log(2 * acos(-1))) + log_det_of_covariance());
    double lost = state.best_loss - best;
    cr_assert(lost > -1e-12, "better than the best by %g", -lost);
    cr_assert(lost < tolerance, "%g nats a row lost", lost);
    json_decref(d);
    flow_pool_free(pool);
    flow_free(f);
}

Test(fit_exact, all_rows_at_once)
{
    check_likelihood(ROWS, 600, 1e-6);
}

/* In small batches the weights jitter; the schedule takes the learning rate to 0. */
Test(fit_exact, small_batches)
{
    check_likelihood(32, 400, 1e-4);
}
