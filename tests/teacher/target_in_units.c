/* A target in the units of a flow is the same target. */
#include "teacher/target_in_units.h"

#include "tests/common/check.h"
#include "tests/teacher/energies.h"

#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

enum { N = 40, D = 6 };
static const char GAUSSIAN[] =
    "{\"kind\": \"gaussian\", \"mean\": [1, 2, -1, 0.5, 0.2, -0.7], \"dim\": 6, "
    "\"correlation\": 0.3, \"log_z\": 2}";

/* A line, both half lines, an interval, and half lines that are linear far from their ends, each shifted and stretched. */
static flow_units *units_of_all_kinds(void)
{
    flow_err err = FLOW_ERR_INIT;
    flow_units *out = flow_units_create(D, &err);
    cr_assert(out);
    out->column[0] = (flow_unit){.support = FLOW_LINE, .shift = 1.5, .scale = 0.7};
    out->column[1] = (flow_unit){.support = FLOW_ABOVE, .lo = -0.5, .shift = 0.2, .scale = 0.4};
    out->column[2] = (flow_unit){.support = FLOW_BELOW, .hi = 2, .shift = -0.3, .scale = 0.5};
    out->column[3] = (flow_unit){
        .support = FLOW_BETWEEN, .lo = -2, .hi = 3, .alpha = 0.01, .shift = 0.1, .scale = 1.3};
    out->column[4] =
        (flow_unit){.support = FLOW_ABOVE, .lo = -0.3, .soft = 0.7, .shift = 0.4, .scale = 2.3};
    out->column[5] =
        (flow_unit){.support = FLOW_BELOW, .hi = 0.6, .soft = 1.9, .shift = -0.2, .scale = 1.7};
    return out;
}

static double *points(void)
{
    static double u[N * D];
    const pcg_stream stream = {.seed = 12, .stage = PCG_TEST, .purpose = PCG_BASE};
    pcg_normals(u, stream, 0, N, D);
    return u;
}

static void densities(const target *t, double *logp, double *grad, const double *x, size_t n)
{
    flow_err err = FLOW_ERR_INIT;
    flow_pool *pool = flow_pool_create(1, &err);
    cr_assert_eq(target_log_density(t, pool, logp, grad, NULL, x, NULL, n, &err), 0, "%s",
                 err.text);
    flow_pool_free(pool);
}

Test(target_in_units, density_is_that_at_x_and_the_jacobian)
{
    flow_err err = FLOW_ERR_INIT;
    flow_units *units = units_of_all_kinds();
    target *of = energy_create(GAUSSIAN), *t = target_in_flow_units(of, units, &err);
    double x[N * D], want[N], logdet[N] = {0}, got[N], *u = points();
    flow_units_to_user(units, x, logdet, u, N);
    densities(of, want, NULL, x, N);
    densities(t, got, NULL, u, N);
    for (size_t r = 0; r < N; r++)
        want[r] += logdet[r];
    check_close(got, want, N, 1e-13, 1e-13, "log density");
    cr_expect_eq(t->log_z, 2);
    target_free(t);
    target_free(of);
    flow_units_free(units);
}

/* Central differences of order 2: an error of 1e-10 or so for these slopes. */
Test(target_in_units, gradient_against_differences)
{
    flow_err err = FLOW_ERR_INIT;
    flow_units *units = units_of_all_kinds();
    target *of = energy_create(GAUSSIAN), *t = target_in_flow_units(of, units, &err);
    double logp[N], grad[N * D], up[N], down[N], *u = points();
    const double h = 1e-5;
    densities(t, logp, grad, u, N);
    for (size_t j = 0; j < D; j++) {
        double shifted[N * D];
        memcpy(shifted, u, sizeof shifted);
        for (size_t r = 0; r < N; r++)
            shifted[r * D + j] += h;
        densities(t, up, NULL, shifted, N);
        for (size_t r = 0; r < N; r++)
            shifted[r * D + j] -= 2 * h;
        densities(t, down, NULL, shifted, N);
        for (size_t r = 0; r < N; r++) {
            double slope = (up[r] - down[r]) / (2 * h);
            cr_expect(fabs(grad[r * D + j] - slope) < 1e-6 * fmax(1, fabs(slope)),
                      "row %zu, column %zu: %.12g, not %.12g", r, j, grad[r * D + j], slope);
        }
    }
    target_free(t);
    target_free(of);
    flow_units_free(units);
}

/* Draws are those of the target, row by row, and so are its modes. */
Test(target_in_units, draws_and_modes)
{
    flow_err err = FLOW_ERR_INIT;
    target *of = energy_create("{\"kind\": \"grid\"}");
    flow_units *units = flow_units_create(of->dim, &err);
    units->column[0] = (flow_unit){.shift = 3, .scale = 2};
    units->column[1] = (flow_unit){.shift = -1, .scale = 5};
    target *t = target_in_flow_units(of, units, &err);
    double logp[N], again[N], *x = energy_draws(of, NULL, N, 3), *u = energy_draws(t, logp, N, 3);
    densities(t, again, NULL, u, N);
    check_close(logp, again, N, 1e-12, 1e-12, "log density of draws");
    cr_assert(of->modes && t->modes && t->modes->partitions == of->modes->partitions);
    for (size_t r = 0; r < N; r++) {
        cr_expect_float_eq(3 + 2 * u[2 * r], x[2 * r], 1e-12);
        cr_expect_float_eq(-1 + 5 * u[2 * r + 1], x[2 * r + 1], 1e-12);
        cr_expect_eq(energy_mode(t, 0, u + 2 * r), energy_mode(of, 0, x + 2 * r));
    }
    free(x);
    free(u);
    target_free(t);
    target_free(of);
    flow_units_free(units);
}
