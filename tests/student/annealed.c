/* Rows annealed to targets whose moments and log Z are known. Statistical checks allow 4.5 standard errors of the
 * rows, were they independent, times two. */
#include "student/annealed.h"
#include "tests/common/far_modes.h"
#include "tests/common/gaussian.h"

#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

enum { N = 3000 };
static const double middle[3] = {0.2, -0.4, 0}, wide[3] = {6, 5, 7};

static int anneal(annealed *out, const target *t, size_t threads, uint64_t seed, flow_err *err)
{
    annealed_options o = annealed_options_default();
    flow_pool *pool = flow_pool_create(threads, NULL);
    o.rows = N;
    o.shift = middle;
    o.scale = wide;
    o.stream = (pcg_stream){.seed = seed, .stage = PCG_TEST};
    int code = annealed_run(out, t, pool, &o, err);
    flow_pool_free(pool);
    return code;
}

static void check_moments(const annealed *a, const gaussian *g)
{
    for (size_t i = 0; i < 2; i++) {
        double mean = 0, square = 0, var = 0;
        for (size_t k = 0; k <= i; k++)
            var += g->lower[i * 2 + k] * g->lower[i * 2 + k];
        for (size_t r = 0; r < N; r++)
            mean += a->x[2 * r + i] / N;
        for (size_t r = 0; r < N; r++)
            square += pow(a->x[2 * r + i] - mean, 2) / N;
        cr_assert_float_eq(mean, g->mean[i], 9 * sqrt(var / N), "mean %zu: %g", i, mean);
        cr_assert_float_eq(square / var, 1, 9 * sqrt(2. / N), "variance %zu: %g", i, square / var);
    }
}

/* With slopes and without them; log Z of a density that is not normalised. */
Test(annealed, moments_and_log_z)
{
    for (int slopes = 0; slopes <= 1; slopes++) {
        gaussian g;
        annealed a;
        flow_err err = FLOW_ERR_INIT;
        gaussian_init(&g, 2, lower2, mean2);
        g.base.log_z = 3.7;
        if (!slopes)
            g.base.flags &= ~(unsigned)TARGET_GRADIENT;
        cr_assert_eq(anneal(&a, &g.base, 1, 1, &err), 0, "%s", err.text);
        check_moments(&a, &g);
        cr_assert_float_eq(a.log_z, 3.7, 0.2, "log Z %g", a.log_z);
        cr_assert(a.acceptance > 0.1 && a.acceptance < 0.99, "%g are accepted", a.acceptance);
        cr_assert(a.steps > 1 && a.evaluations > N * a.steps);
        annealed_close(&a);
    }
}

/* Modes keep their shares, within .05: rows are split among them when they are still wide. */
Test(annealed, far_modes)
{
    target *t = far_modes_create();
    annealed a;
    double share[FAR_MODES] = {0};
    cr_assert_eq(anneal(&a, t, 1, 2, NULL), 0);
    for (size_t r = 0; r < N; r++)
        share[far_modes_nearest(a.x + 2 * r)] += 1.0 / N;
    for (size_t k = 0; k < FAR_MODES; k++)
        cr_assert_float_eq(share[k], far_modes_share[k], 0.05, "mode %zu has %g", k, share[k]);
    cr_assert_float_eq(a.log_z, 0, 0.1, "log Z %g", a.log_z);
    annealed_close(&a);
    target_free(t);
}

Test(annealed, same_bits_for_any_threads)
{
    target *t = far_modes_create();
    annealed a, b;
    cr_assert_eq(anneal(&a, t, 1, 3, NULL) + anneal(&b, t, 3, 3, NULL), 0);
    cr_assert(memcmp(a.x, b.x, 2 * N * sizeof *a.x) == 0 && a.log_z == b.log_z);
    annealed_close(&a);
    annealed_close(&b);
    target_free(t);
}

/* Rows beyond a wall are lost and counted; a target that has no density anywhere is an error. */
Test(annealed, without_a_density)
{
    gaussian g;
    annealed a;
    flow_err err = FLOW_ERR_INIT;
    gaussian_init(&g, 2, lower2, mean2);
    g.wall = mean2[0];
    cr_assert_eq(anneal(&a, &g.base, 1, 4, &err), 0, "%s", err.text);
    for (size_t r = 0; r < N; r++)
        cr_assert_geq(a.x[2 * r], mean2[0]);
    cr_assert_float_eq(a.log_z, log(0.5), 0.15, "log Z %g", a.log_z);
    cr_assert_gt(a.no_density, N / 4);
    annealed_close(&a);
    g.wall = INFINITY;
    cr_assert_eq(anneal(&a, &g.base, 1, 4, &err), FLOW_EDIVERGED);
    annealed_close(&a);
}
