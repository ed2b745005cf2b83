/* A target that counts is the target that it counts for. */
#include "teacher/target_metered.h"
#include "tests/common/check.h"

#include <criterion/criterion.h>

enum { N = 300, D = 2 };

static target *gaussian(void)
{
    flow_err err = FLOW_ERR_INIT;
    json_t *object = json_loads("{\"kind\": \"gaussian\", \"mean\": [1, 2], "
                                "\"covariance\": [[1, 0.5], [0.5, 2]], \"log_z\": 3}",
                                0, NULL);
    target *out = target_create(object, &err);
    json_decref(object);
    cr_assert(out, "%s", err.text);
    return out;
}

Test(target_metered, has_the_numbers_of_what_it_counts_for_and_counts)
{
    flow_err err = FLOW_ERR_INIT;
    target_meter meter = {.densities = 0};
    target *of = gaussian(), *metered = target_metered(of, &meter, &err);
    flow_pool *pool = flow_pool_create(2, &err);
    const pcg_stream stream = {.seed = 3, .stage = PCG_TEST, .purpose = PCG_TARGET};
    double x[N * D], y[N * D], a[N], b[N], grad_a[N * D], grad_b[N * D];
    cr_assert(metered && pool, "%s", err.text);
    cr_assert_eq(target_sample(of, pool, x, a, NULL, NULL, stream, 7, N, &err), 0);
    cr_assert_eq(target_sample(metered, pool, y, b, NULL, NULL, stream, 7, N, &err), 0);
    check_close(x, y, N * D, 0, 0, "draws");
    cr_assert_eq(target_log_density(of, pool, a, grad_a, NULL, x, NULL, N, &err), 0);
    cr_assert_eq(target_log_density(metered, pool, b, grad_b, NULL, x, NULL, N, &err), 0);
    cr_assert_eq(target_log_density(metered, pool, b, NULL, NULL, x, NULL, N, &err), 0);
    check_close(a, b, N, 0, 0, "densities");
    check_close(grad_a, grad_b, N * D, 0, 0, "gradients");
    cr_expect_eq(meter.draws, N);
    cr_expect_eq(meter.densities, 2 * N);
    cr_expect_eq(meter.gradients, N);
    cr_expect_gt(meter.nanoseconds, 0);
    cr_expect_eq(metered->log_z, 3);
    cr_expect_str_eq(metered->ops->name, "gaussian");
    flow_pool_free(pool);
    target_free(metered);
    target_free(of);
}
