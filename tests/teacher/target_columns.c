/* What a user says of a target's columns: where it ends it has no density, and what was known of it is known no more. */
#include "teacher/target_columns.h"
#include "teacher/probe.h"
#include "teacher/target_in_units.h"
#include "tests/common/check.h"
#include "tests/common/plugins.h"
#include "tests/common/temp.h"
#include "tests/teacher/energies.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char GAUSSIAN[] = "\"kind\": \"gaussian\", \"mean\": [1, -2], \"covariance\": "
                               "[[1.5, 0.3], [0.3, 0.7]], \"log_z\": 0.4";

static target *gaussian(const char *columns)
{
    char text[512];
    snprintf(text, sizeof text, "{%s, \"columns\": {%s}}", GAUSSIAN, columns);
    return energy_create(text);
}

static void densities(const target *t, double *logp, target_status *status, const double *x,
                      size_t n)
{
    flow_pool *pool = flow_pool_create(1, NULL);
    cr_assert_eq(target_log_density(t, pool, logp, NULL, status, x, NULL, n, NULL), 0);
    flow_pool_free(pool);
}

Test(target_columns, the_same_inside_and_nothing_outside)
{
    enum { N = 8 };
    const double x[2 * N] = {0.5, -1, -0.1, -1, 2, 3, 1, -2, 1, -7, 0, -1.5, 0.2, 1, 3, 0.9};
    const bool inside[N] = {true, false, false, true, true, true, true, true};
    double logp[N], want[N];
    target_status status[N];
    target *wide = gaussian(""), *t = gaussian("\"x0\": \"positive\", \"x1\": [\"-inf\", 1]");
    cr_assert(wide->ops->sample && !wide->kinds && wide->log_z > 0.39, "nothing is said of it");
    densities(wide, want, NULL, x, N);
    densities(t, logp, status, x, N);
    for (size_t r = 0; r < N; r++) {
        cr_expect_eq(status[r], inside[r] ? TARGET_FINITE : TARGET_NO_DENSITY, "row %zu", r);
        check_same(&logp[r], inside[r] ? &want[r] : &(double){-INFINITY}, 1, "row %zu", r);
    }
    target_free(wide);
    target_free(t);
}

/* ... what of it is no more what it was. */
Test(target_columns, sampler_modes_and_log_z_are_forgotten)
{
    target *wide = energy_create("{\"kind\": \"grid\"}");
    target *t = energy_create("{\"kind\": \"grid\", \"columns\": {\"x0\": [-100, 100]}}");
    cr_assert(wide->ops->sample && wide->modes && !isnan(wide->log_z));
    cr_assert(!t->ops->sample && !t->modes && isnan(t->log_z) && !(t->flags & TARGET_WIDENS));
    cr_assert(t->flags & TARGET_GRADIENT);
    target_free(wide);
    target_free(t);
    t = energy_create("{\"kind\": \"grid\", \"columns\": {\"x0\": \"real\", \"x1\": {}}}");
    cr_assert(t->ops->sample && t->modes && !isnan(t->log_z), "that cuts nothing off");
    target_free(t);
}

/* A number of the energy is not the log Z of what is left of it; one that the user gives is meant so. */
Test(target_columns, a_given_log_z_is_that_of_what_is_left)
{
    flow_err err = FLOW_ERR_INIT;
    const char columns[] = "\"columns\": {\"x\": \"positive\"}";
    char more[256];
    target *t = gaussian("\"x0\": \"positive\"");
    cr_assert(isnan(t->log_z));
    target_free(t);
    t = energy_of_plugin("plugin/banana.so", columns, &err);
    cr_assert(t && isnan(t->log_z) && strcmp(target_column(t, more, 1), "y") == 0);
    target_free(t);
    snprintf(more, sizeof more, "%s, \"log_z\": 1.5, \"log_z_se\": 0.01", columns);
    t = energy_of_plugin("plugin/banana.so", more, &err);
    cr_assert(t && t->log_z == 1.5 && t->log_z_se == 0.01);
    target_free(t);
}

/* Over the line: the share of the Gaussian's x0 that is between the ends. */
Test(target_columns, the_jacobian_counts)
{
    enum { SIDE = 400 };
    flow_err err = FLOW_ERR_INIT;
    target *t = gaussian("\"x0\": [0.2, 2.5]"), *line = target_on_the_line(t, &err);
    double sum = 0, logp[SIDE], u[2 * SIDE], sd = sqrt(1.5);
    for (size_t i = 0; i < SIDE; i++) {
        for (size_t j = 0; j < SIDE; j++) {
            u[2 * j] = 0.15 * ((double)i - SIDE / 2);
            u[2 * j + 1] = -2 + 0.04 * ((double)j - SIDE / 2);
        }
        densities(line, logp, NULL, u, SIDE);
        for (size_t j = 0; j < SIDE; j++)
            sum += exp(logp[j]) * 0.15 * 0.04;
    }
    double want = 0.5 * (erf(1.5 / (sd * sqrt(2))) + erf(0.8 / (sd * sqrt(2))));
    cr_assert_float_eq(log(sum), 0.4 + log(want), 1e-6);
    probe p;
    cr_assert_eq(probe_target(&p, line, u, 50, &err), 0);
    cr_assert(p.wrong == 0 && p.compared > 0);
    target_free(line);
    target_free(t);
}

/* A half line is mapped as is said, and that is all: a logarithm where nothing is. */
Test(target_columns, a_link_changes_the_map_alone)
{
    flow_err err = FLOW_ERR_INIT;
    target *t = gaussian(
        "\"x0\": \"positive\", \"x1\": {\"support\": [\"-inf\", 3], \"link\": \"softplus\"}");
    flow_units *units = target_support_units(t, &err);
    cr_assert(units->column[0].support == FLOW_ABOVE && !(units->column[0].soft > 0));
    cr_assert(units->column[1].support == FLOW_BELOW && units->column[1].soft == 1);
    target *line = target_on_the_line(t, &err);
    double u[100];
    for (size_t i = 0; i < 100; i++)
        u[i] = 3 * sin((double)i);
    probe p;
    cr_assert_eq(probe_target(&p, line, u, 50, &err), 0);
    cr_assert(p.wrong == 0 && p.compared > 0);
    target_free(line);
    flow_units_free(units);
    target_free(t);
    t = energy_create("{\"kind\": \"grid\", \"columns\": {\"x0\": {\"support\": [\"-inf\", "
                      "\"inf\"], \"link\": \"auto\"}}}");
    cr_assert(t->ops->sample && t->modes, "auto says nothing");
    target_free(t);
}

/* ---- what cannot be said */

static void refuse(const char *columns, const char *want)
{
    char text[512];
    snprintf(text, sizeof text, "{%s, \"columns\": %s}", GAUSSIAN, columns);
    energy_refuse(text, want);
}

Test(target_columns, refused_with_a_reason)
{
    refuse("{\"y\": \"positive\"}", "columns: no column is called 'y'");
    refuse("{\"X0\": \"positive\"}", "did you mean 'x0'?");
    refuse("{\"x0\": {\"step\": 1}}", "columns: x0: step is for values of a table");
    refuse("{\"x0\": {\"support\": [0, 1], \"alpha\": 0.1}}", "columns: x0: alpha is for values");
    refuse("{\"x0\": {\"link\": \"softplus\"}}", "columns: x0: link needs a support with one end");
    refuse("{\"x0\": {\"support\": \"positive\", \"link\": \"square\"}}",
           "link wants one of auto, log, softplus");
    refuse("{\"x0\": [1, 0]}", "columns: x0: lo 1 is not below hi 0");
    refuse("{\"x0\": [0, \"-inf\"]}", "columns: x0: support wants positive");
    refuse("{\"x0\": \"negative\"}", "support wants positive");
    refuse("{\"x0\": {\"period\": -1}}", "period");
    refuse("{\"x0\": {\"sport\": 1}}", "there is no key 'sport'");
    refuse("[0, 1]", "columns wants {NAME: {support: ...}, ...}");
}

static target *narrowed(const char *file, const char *column, const char *said, flow_err *err)
{
    char more[256];
    snprintf(more, sizeof more, "\"columns\": {\"%s\": %s}", column, said);
    return energy_of_plugin(file, more, err);
}

static void too_wide(const char *file, const char *column, const char *said, const char *want)
{
    flow_err err = FLOW_ERR_INIT;
    cr_assert(!narrowed(file, column, said, &err), "%s: %s was accepted", column, said);
    cr_assert_eq(err.code, FLOW_ECONFIG, "%s", err.text);
    cr_assert(strstr(err.text, want), "%s", err.text);
}

/* bounded.so: x0 is above 0, x1 below 5, x2 in (-1, 3); it fails outside. */
Test(target_columns, a_library_can_be_made_narrower_and_not_wider)
{
    static const char BOUNDED[] = "tests/plugins/bounded.so", MISES[] = "tests/plugins/mises.so";
    flow_err err = FLOW_ERR_INIT;
    too_wide(BOUNDED, "x0", "[-1, 3]", "says of itself that it is from 0 to inf");
    too_wide(BOUNDED, "x2", "[0, 4]", "from -1 to 3");
    too_wide(BOUNDED, "x2", "[3, 4]", "from -1 to 3");
    too_wide(BOUNDED, "x2", "{\"period\": 4}", "from -1 to 3");
    too_wide(MISES, "phi", "{\"period\": 180}", "that it has a period of 360, from 0");
    too_wide(MISES, "phi", "[0, 90]", "that it has a period of 360, from 0");
    too_wide(MISES, "t", "{\"period\": 1, \"support\": [0, 1]}", "a period of 1, from -0.5");
    target *t = narrowed(BOUNDED, "x2", "[0, 2]", &err);
    cr_assert(t && t->kinds[2].lo == 0 && t->kinds[2].hi == 2 && t->kinds[0].lo == 0);
    cr_assert(isnan(t->log_z), "it was that of the wider one");
    target_free(t);
    t = narrowed(BOUNDED, "x1", "\"positive\"", &err);
    cr_assert(t && t->kinds[1].lo == 0 && t->kinds[1].hi == 5);
    target_free(t);
    t = narrowed(MISES, "phi", "{\"period\": 360}", &err);
    cr_assert(t && !isnan(t->log_z) && t->kinds[1].lo == -0.5, "it says nothing new");
    target_free(t);
}

/* ... and a half line of its own mapped otherwise, which changes nothing of it. */
Test(target_columns, a_library_can_be_mapped_otherwise)
{
    static const char BOUNDED[] = "tests/plugins/bounded.so",
                      SOFT[] = "{\"support\": \"positive\", \"link\": \"softplus\"}";
    flow_err err = FLOW_ERR_INIT;
    too_wide(BOUNDED, "x1", SOFT, "x1: link needs a support with one end");
    target *of = energy_of_plugin(BOUNDED, "", &err), *t = narrowed(BOUNDED, "x0", SOFT, &err);
    cr_assert(t && of && t->log_z == of->log_z && t->kinds[0].link == DATA_LINK_SOFTPLUS);
    const double draws[] = {0.5, 4, 2, 0.3, 2.5, -3, -0.5, 0};
    target *drawn = target_with_draws(of, draws, 2, &err);
    json_t *columns = json_pack("{s:{s:s, s:s}}", "x0", "support", "positive", "link", "softplus");
    drawn = target_with_columns(drawn, columns, false, &err);
    cr_assert(drawn && drawn->draws == 2, "%s", err.text);
    double *x = energy_draws(drawn, NULL, 2, 3);
    for (size_t i = 0; i < 8; i++)
        cr_expect_eq(x[i], draws[i]);
    free(x);
    json_decref(columns);
    target_free(drawn);
    target_free(t);
    target_free(of);
}

/* Rows outside are not asked for: this library would end the run. */
Test(target_columns, nobody_is_asked_outside)
{
    flow_err err = FLOW_ERR_INIT;
    const double x[] = {-1, 1, 1, 0, 1, 1, 1, 0, 1, 1, 2.5, 0, 1, 6, 1, 0};
    double logp[4];
    target_status status[4];
    target *t = narrowed("tests/plugins/bounded.so", "x2", "[0, 2]", &err);
    densities(t, logp, status, x, 4);
    for (size_t r = 0; r < 4; r++)
        cr_assert_eq(status[r], r == 1 ? TARGET_FINITE : TARGET_NO_DENSITY, "row %zu", r);
    target_free(t);
}

/* ---- stored draws of such a target */

static target *with_draws(const char *of, const char *draws, flow_err *err)
{
    char text[2 * PLUGIN_TEXT];
    temp_write("draws.csv", draws, strlen(draws));
    snprintf(text, sizeof text, "{\"kind\": \"draws\", \"path\": \"%s\", \"of\": %s}",
             temp_path("draws.csv"), of);
    json_t *description = json_loads(text, 0, NULL);
    target *t = target_create(description, err);
    json_decref(description);
    return t;
}

Test(target_columns, draws_are_inside_and_in_the_turn, .fini = temp_close)
{
    char of[PLUGIN_TEXT];
    flow_err err = FLOW_ERR_INIT;
    double x[6], logp[2];
    flow_pool *pool = flow_pool_create(1, NULL);
    temp_open();
    target *t = with_draws(plugin_text(of, "tests/plugins/mises.so", ""),
                           "phi,t,z\n-90,0.75,0\n370,-0.5,1\n", &err);
    cr_assert(t, "%s", err.text);
    cr_assert_eq(target_sample(t, pool, x, logp, NULL, NULL, (pcg_stream){.seed = 1}, 0, 2, &err),
                 0, "%s", err.text);
    check_same(x, (const double[]){270, -0.25, 0, 10, -0.5, 1}, 6, "draws");
    target_free(t);
    snprintf(of, sizeof of, "{%s, \"columns\": {\"x0\": \"positive\"}}", GAUSSIAN);
    cr_assert(!with_draws(of, "x0,x1\n1,2\n-1,2\n", &err));
    cr_assert(strstr(err.text, "is not between 0 and inf"), "%s", err.text);
    flow_pool_free(pool);
}

/* ---- who has them */

Test(target_columns, every_energy_takes_them)
{
    for (const target_kind *const *k = target_kinds; *k; k++) {
        bool has = flow_key_find((*k)->kind.keys, "columns") != NULL;
        bool of_others = (*k)->follows || strcmp((*k)->kind.name, "draws") == 0;
        cr_assert(has != of_others, "%s", (*k)->kind.name);
    }
}
