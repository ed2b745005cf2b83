/* Targets with columns on circles: what becomes of them in units of a flow, and what says that it is one and is none. */
#include "flow/circle.h"
#include "teacher/probe.h"
#include "teacher/target_in_units.h"
#include "tests/common/check.h"
#include "tests/teacher/energies.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char TORUS[] = "plugin/torus.so", MISES[] = "tests/plugins/mises.so";

static target *made(const char *file, const char *more)
{
    flow_err err = FLOW_ERR_INIT;
    target *out = energy_of_plugin(file, more, &err);
    cr_assert(out, "%s", err.text);
    return out;
}

static void densities(const target *t, double *logp, const double *x, size_t n)
{
    flow_err err = FLOW_ERR_INIT;
    flow_pool *pool = flow_pool_create(1, &err);
    cr_assert_eq(target_log_density(t, pool, logp, NULL, NULL, x, NULL, n, &err), 0, "%s",
                 err.text);
    flow_pool_free(pool);
}

/* The mean over a grid of a torus knows the integral to the last digits. */
static double log_integral(const target *t, double from)
{
    enum { SIDE = 90 };
    double sum = 0, *x = malloc(3 * SIDE * SIDE * sizeof *x), *logp = x + 2 * SIDE * SIDE;
    for (size_t i = 0; i < SIDE * SIDE; i++) {
        x[2 * i] = from + 2 * FLOW_PI * (double)(i / SIDE) / SIDE;
        x[2 * i + 1] = from + 2 * FLOW_PI * (double)(i % SIDE) / SIDE;
    }
    densities(t, logp, x, SIDE * SIDE);
    for (size_t i = 0; i < SIDE * SIDE; i++)
        sum += exp(logp[i]);
    free(x);
    return log(sum) + 2 * log(2 * FLOW_PI / SIDE);
}

Test(target_circles, log_z_is_that_of_a_turn)
{
    target *t = made(TORUS, "\"options\": \"kappa=2.3 lambda=-1.7\"");
    cr_assert_float_eq(log_integral(t, 0), t->log_z, 1e-12);
    target_free(t);
}

/* Wherever u = 0 is, and however rows are drawn apart. */
Test(target_circles, the_jacobian_of_a_stretch_counts)
{
    flow_err err = FLOW_ERR_INIT;
    target *t = made(TORUS, "\"options\": \"kappa=2.3 lambda=-1.7\""),
           *line = target_on_the_line(t, &err);
    const double shift[] = {0.3, -2.9}, scale[] = {0.6, 0.8};
    cr_assert(line && line->circles && line->circles[0] && line->circles[1] && !line->kinds);
    target *placed = target_in_units(line, shift, scale, &err);
    cr_assert(placed && placed->circles && placed->circles[1]);
    cr_assert_float_eq(log_integral(line, -FLOW_PI), t->log_z, 1e-12);
    cr_assert_float_eq(log_integral(placed, -FLOW_PI), t->log_z, 1e-12);
    target_free(placed);
    target_free(line);
    target_free(t);
}

/* Degrees, turns and a column on a line beside them. The library refuses points out of its turn. */
Test(target_circles, a_turn_further_is_the_same_point)
{
    enum { N = 60, D = 3 };
    flow_err err = FLOW_ERR_INIT;
    target *t = made(MISES, ""), *line = target_on_the_line(t, &err);
    double u[N * D], far[N * D], logp[N], again[N];
    const pcg_stream stream = {.seed = 5, .stage = PCG_TEST, .purpose = PCG_BASE};
    cr_assert(line->circles[0] && line->circles[1] && !line->circles[2]);
    pcg_normals(u, stream, 0, N, D);
    for (size_t i = 0; i < N * D; i++) {
        u[i] *= i % D == 2 ? 1 : 3;
        far[i] = u[i] + (i % D == 2 ? 0 : 2 * FLOW_PI * (double)(i % 7) - 6 * FLOW_PI);
    }
    densities(line, logp, u, N);
    densities(line, again, far, N);
    check_close(again, logp, N, 1e-10, 1e-10, "log density a turn further");
    target_free(line);
    target_free(t);
}

Test(target_circles, gradient_through_a_stretch)
{
    enum { N = 40, D = 3 };
    flow_err err = FLOW_ERR_INIT;
    target *t = made(MISES, ""), *line = target_on_the_line(t, &err);
    const double shift[] = {1, -2, 0.3}, scale[] = {0.4, 2.5, 0.7};
    target *placed = target_in_units(line, shift, scale, &err);
    const pcg_stream stream = {.seed = 6, .stage = PCG_TEST, .purpose = PCG_BASE};
    double u[N * D];
    probe p;
    pcg_normals(u, stream, 0, N, D);
    cr_assert_eq(probe_target(&p, placed, u, N, &err), 0, "%s", err.text);
    cr_assert(p.finite == N && p.compared == N * D && p.wrong == 0, "%zu of %zu, %g", p.wrong,
              p.compared, p.worst.error);
    target_free(placed);
    target_free(line);
    target_free(t);
}

/* The samples of a student, too, whatever the numbers that come out of it. */
Test(target_circles, points_are_within_the_turn)
{
    flow_err err = FLOW_ERR_INIT;
    target *t = made(MISES, "");
    flow_units *units = target_support_units(t, &err);
    double x[3], u[] = {-FLOW_PI, FLOW_PI, 0}, odd[] = {1e6, -1e300, 0};
    flow_units_to_user(units, x, NULL, u, 1);
    cr_assert(x[0] >= 0 && x[0] < 360 && x[1] >= -0.5 && x[1] < 0.5, "%.17g %.17g", x[0], x[1]);
    flow_units_to_user(units, x, NULL, odd, 1);
    cr_assert(x[0] >= 0 && x[0] < 360 && x[1] >= -0.5 && x[1] < 0.5, "%.17g %.17g", x[0], x[1]);
    flow_units_free(units);
    target_free(t);
}

/* ---- who is one */

static void torn(target *t, const flow_err *err, const char *want)
{
    cr_assert(!t, "%s was accepted", want);
    cr_assert_eq(err->code, FLOW_EDATA);
    cr_assert(strstr(err->text, want), "%s", err->text);
}

Test(target_circles, what_does_not_come_round_is_refused)
{
    flow_err err = FLOW_ERR_INIT;
    target *t = energy_of_plugin(MISES, "\"options\": \"torn\"", &err);
    torn(t, &err, "column 'phi' has no period of 360");
    json_t *text = json_pack("{s:s, s:i, s:{s:{s:i}}}", "kind", "gaussian", "dim", 2, "columns",
                             "x1", "period", 6);
    t = target_create(text, &err);
    torn(t, &err, "column 'x1' has no period of 6");
    json_decref(text);
}

/* Its about ended where the ends are. */
Test(target_circles, libraries_of_the_first_version_have_none)
{
    target *t = made("tests/plugins/version1.so", "");
    cr_assert(t->kinds && t->dim == 2 && isnan(t->log_z) == 0);
    cr_assert(t->kinds[0].lo == 0 && isinf(t->kinds[0].hi) && data_kind_is_plain(&t->kinds[1]));
    cr_assert(!(t->kinds[0].period > 0) && !(t->kinds[1].period > 0));
    target_free(t);
}
