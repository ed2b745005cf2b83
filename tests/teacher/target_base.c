/* A flow on any base as a target. */
#include "teacher/target.h"
#include "tests/common/backends.h"
#include "tests/common/bases.h"
#include "tests/common/check.h"

#include <criterion/criterion.h>
#include <math.h>

static const pcg_stream noise = {.seed = 31, .stage = PCG_TEST, .purpose = PCG_TARGET};

enum { N = 6, D = 3 };

typedef struct target_case {
    const target *target;
    flow_pool *pool;
    double x[N * D];
} target_case;

static void log_densities(void *arg, double *out)
{
    target_case *c = arg;
    cr_assert_eq(target_log_density(c->target, c->pool, out, NULL, NULL, c->x, NULL, N, NULL), 0);
}

static void check_target(target_case *c, const flow *f, const char *name)
{
    double logp[N], again[N], x[N * D], grad[N * D], column[N];
    cr_assert_eq(target_sample(c->target, c->pool, c->x, logp, NULL, NULL, noise, 5, N, NULL), 0);
    flow_sample(f, c->pool, x, again, NULL, noise, 5, N, NULL);
    check_same(c->x, x, N * D, "samples, %s", name);
    check_same(logp, again, N, "their log p, %s", name);
    cr_assert_eq(target_log_density(c->target, c->pool, again, grad, NULL, c->x, NULL, N, NULL), 0);
    check_close(again, logp, N, 1e-9, 1e-9, "log p, %s", name);
    for (size_t i = 0; i < D; i++) {
        moved m = {.values = log_densities, .arg = c, .at = c->x + i, .n_at = N, .stride = D};
        for (size_t r = 0; r < N; r++)
            column[r] = grad[r * D + i];
        check_derivative(column, &m, N, 1e-6, "gradient %zu, %s", i, name);
    }
}

Test(target_base, samples_densities_and_gradients)
{
    flow_pool *pool = flow_pool_create(2, NULL);
    for (size_t e = 0; e < base_count(); e++) {
        for (int direction = 0; direction < 2; direction++) {
            flow *f = flow_on_base(first_f64_backend(), e, D, 2, (flow_direction)direction);
            target *t = target_from_flow(f, NULL);
            check_target(&(target_case){.target = t, .pool = pool}, f, base_text(e));
            target_free(t);
            flow_free(f);
        }
    }
    flow_pool_free(pool);
}
