/* A Stan model of BridgeStan's as a target: its density and names, points that it throws at, and all that may be
 * wrong with library and data. tests/plugins/stan.c is the model. */
#include "teacher/plugin_workers.h"
#include "tests/common/check.h"
#include "tests/common/plugins.h"
#include "tests/common/sanitized.h"
#include "tests/common/temp.h"
#include "tests/teacher/energies.h"

#include <criterion/criterion.h>
#include <dlfcn.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static target *make(const char *file, const char *more, flow_err *err)
{
    static char program[PLUGIN_TEXT];
    plugin_set_host(&(plugin_host){.program = built_path(program, "distill")});
    return energy_of_plugin(file, more, err);
}

static target *must_make(const char *file, const char *more)
{
    flow_err err;
    target *t = make(file, more, &err);
    cr_assert(t, "%s %s: %s", file, more, err.text);
    return t;
}

/* "options": mu = -0.713 and sd = 2.385, what the model does wrong, and more keys. */
static const char *with(char *more, const char *does, const char *keys)
{
    snprintf(more, 400,
             "\"options\": \"{\\\"mu\\\": -0.713, \\\"sd\\\": 2.385, \\\"does\\\": \\\"%s\\\"}\"%s",
             does, keys);
    return more;
}

static target *model(const char *does, const char *keys)
{
    char more[400];
    return must_make("tests/plugins/stan.so", with(more, does, keys));
}

/* A count that the library itself keeps. */
static int left(const char *symbol)
{
    char path[PLUGIN_TEXT];
    void *library = dlopen(built_path(path, "tests/plugins/stan.so"), RTLD_NOW | RTLD_NOLOAD);
    cr_assert(library, "it is not loaded");
    int count = *(int *)dlsym(library, symbol);
    dlclose(library);
    return count;
}

enum { N = 600, D = 3 };

static int ask(const target *t, double *logp, double *grad, target_status *status, const double *x,
               size_t n, flow_err *err)
{
    flow_pool *pool = flow_pool_create(3, NULL);
    *err = (flow_err)FLOW_ERR_INIT;
    int code = target_log_density(t, pool, logp, grad, status, x, NULL, n, err);
    flow_pool_free(pool);
    return code;
}

/* ---- what it says of itself */

Test(target_stan, says_what_it_is)
{
    char text[TARGET_COLUMN_TEXT];
    target *t = model("", "");
    cr_assert_eq(t->dim, D);
    cr_assert_eq(t->flags, TARGET_GRADIENT | TARGET_DEAR);
    cr_assert(isnan(t->log_z));
    cr_assert_str_eq(target_column(t, text, 0), "tau");
    cr_assert_str_eq(target_column(t, text, 1), "theta.1");
    cr_assert_str_eq(target_column(t, text, 2), "theta.2");
    cr_assert_eq(left("stan_models"), 1);
    target_free(t);
    cr_assert_eq(left("stan_models"), 0);
    t = model("", ", \"log_z\": 0.25");
    cr_assert_eq(t->log_z, 0.25);
    target_free(t);
}

Test(target_stan, threads_are_what_it_was_built_for)
{
    char more[400];
    target *t = must_make("tests/plugins/stan_threads.so", with(more, "", ""));
    cr_assert_eq(t->flags, TARGET_GRADIENT | TARGET_THREADS | TARGET_DEAR);
    target_free(t);
    t = model("", ", \"workers\": 2");
    cr_assert_eq(t->flags, TARGET_GRADIENT | TARGET_THREADS | TARGET_DEAR);
    target_free(t);
}

Test(target_stan, data_from_a_file, .fini = temp_close)
{
    char more[4400];
    double x[D] = {0.1, 0.2, 0.3}, logp[1], want[1];
    flow_err err;
    temp_open();
    temp_write("d.json", "{\"sd\": 2.385, \"mu\": -0.713}", 28);
    target *here = model("", "");
    cr_assert_eq(ask(here, want, NULL, NULL, x, 1, &err), 0);
    for (int key = 0; key < 2; key++) {
        snprintf(more, sizeof more, "\"%s\": \"%s\"", key ? "data" : "options",
                 temp_path("d.json"));
        target *t = must_make("tests/plugins/stan.so", more);
        cr_assert_eq(ask(t, logp, NULL, NULL, x, 1, &err), 0);
        cr_assert_eq(*logp, *want);
        target_free(t);
    }
    target_free(here);
}

/* ---- its density */

static double log_normal_of(double x, double mu, double sd)
{
    double z = (x - mu) / sd;
    return -0.5 * z * z - log(sd) - 0.5 * log(2 * acos(-1));
}

static void check_density(const target *t)
{
    double *x = energy_points(t, N, 1.3, 9), logp[N], alone[N], grad[D * N];
    flow_err err;
    cr_assert_eq(ask(t, logp, grad, NULL, x, N, &err), 0, "%s", err.text);
    cr_assert_eq(ask(t, alone, NULL, NULL, x, N, &err), 0, "%s", err.text);
    for (size_t r = 0; r < N; r++) {
        const double *u = x + D * r, *g = grad + D * r;
        double want = log_normal_of(u[0], 0, 1) + log_normal_of(u[1], -0.713, 2.385) +
                      log_normal_of(u[2], -0.713, 2.385);
        cr_assert_float_eq(logp[r], want, 1e-12 * (1 + fabs(want)), "row %zu", r);
        cr_assert_float_eq(g[0], -u[0], 1e-14 + 1e-14 * fabs(u[0]));
        for (int i = 1; i < D; i++)
            cr_assert_float_eq(g[i], -(u[i] + 0.713) / (2.385 * 2.385), 1e-12, "row %zu", r);
    }
    check_same(alone, logp, N, "log p without gradient");
    free(x);
}

/* With its constants and the Jacobian of tau's logarithm. Three threads ask; the library ends the process if two of
 * them are in it. */
Test(target_stan, density_is_that_of_the_posterior)
{
    target *t = model("", "");
    check_density(t);
    target_free(t);
}

Test(target_stan, density_in_workers_is_the_same)
{
    char text[TARGET_COLUMN_TEXT];
    target *t = model("", ", \"workers\": 2");
    check_density(t);
    cr_assert_str_eq(target_column(t, text, 2), "theta.2");
    target_free(t);
}

static void check_rows(const char *does, const char *keys, target_status want)
{
    target *t = model(does, keys);
    double x[3 * D] = {0.3, -0.2, 2.5, 0.1, 2.5, 1, -4, 1, 0.5}, logp[3], grad[3 * D];
    target_status status[3];
    flow_err err;
    for (int slopes = 0; slopes < 2; slopes++) {
        int code = ask(t, logp, slopes ? grad : NULL, status, x, 3, &err);
        cr_assert_eq(code, 0, "%s: %s", does, err.text);
        cr_assert(status[0] == TARGET_FINITE && status[2] == TARGET_FINITE, "%s", does);
        cr_assert_eq(status[1], want, "%s: %d", does, status[1]);
        cr_assert(want != TARGET_NO_DENSITY || logp[1] == -INFINITY, "%s: %g", does, logp[1]);
    }
    cr_assert(grad[3] == 0 && grad[4] == 0 && grad[5] == 0, "%s", does);
    target_free(t);
}

Test(target_stan, points_that_it_throws_at_have_no_density)
{
    check_rows("throw", "", TARGET_NO_DENSITY);
    check_rows("silent", "", TARGET_NO_DENSITY);
    check_rows("minus", "", TARGET_NO_DENSITY);
    check_rows("nan", "", TARGET_BROKEN);
    check_rows("throw", ", \"workers\": 1", TARGET_NO_DENSITY);
    check_rows("minus", ", \"workers\": 1", TARGET_NO_DENSITY);
    cr_assert_eq(left("stan_messages"), 0, "messages are not freed");
    cr_assert_eq(left("stan_models"), 0, "models are not freed");
}

#define TIMEOUT(S) ", \"workers\": 1, \"timeout\": " #S

/* A process each, so that one may crash or be slow. */
Test(target_stan, workers_stand_in_for_it)
{
    check_rows("crash", ", \"workers\": 1", TARGET_BROKEN);
    check_rows("slow", UNLESS_SANITIZED(TIMEOUT(1), TIMEOUT(4)), TARGET_BROKEN);
}

Test(target_stan, a_code_that_is_none_ends_the_run)
{
    target *t = model("code", "");
    double x[D] = {0, 2.5, 0}, logp[1];
    flow_err err;
    cr_assert_eq(ask(t, logp, NULL, NULL, x, 1, &err), FLOW_EDATA);
    cr_assert(strstr(err.text, "returned 7, which is neither 0 nor -1"), "%s", err.text);
    target_free(t);
}

/* ---- what cannot be opened */

static void refused(const char *file, const char *more, int code, const char *want)
{
    flow_err err;
    cr_assert(!make(file, more, &err), "%s %s was accepted", file, more);
    cr_assert_eq(err.code, code, "%s: %d: %s", more, err.code, err.text);
    cr_assert(strstr(err.text, want), "%s: '%s' is not in '%s'", more, want, err.text);
}

Test(target_stan, the_library_must_be_one)
{
    char more[400];
    with(more, "", "");
    refused("tests/plugins/stan_new.so", more, FLOW_EDATA, "built with BridgeStan 3");
    refused("tests/plugins/stan_missing.so", more, FLOW_EDATA,
            "no symbol 'bs_log_density_gradient'");
    target_free(must_make("tests/plugins/stan_unversioned.so", more));
}

static void refused_model(const char *does, const char *want)
{
    char more[400];
    refused("tests/plugins/stan.so", with(more, does, ""), FLOW_EDATA, want);
    refused("tests/plugins/stan.so", with(more, does, ", \"workers\": 1"), FLOW_EDATA, want);
}

Test(target_stan, the_model_must_be_made)
{
    refused_model("refuse", "could not be opened: it does not feel like it");
    refused_model("mute", "it did not say why");
    refused_model("none", "the model has no parameters");
    refused_model("names", "has 2 names for 3 parameters");
    refused_model("nameless", "has 0 names for 3 parameters");
    cr_assert_eq(left("stan_models"), 0, "models are not freed");
    cr_assert_eq(left("stan_messages"), 0, "messages are not freed");
}

static void refused_everywhere(const char *does, const char *want)
{
    char more[400];
    snprintf(more, sizeof more,
             "\"options\": \"{\\\"mu\\\": 1, \\\"sd\\\": 2, \\\"edge\\\": -2, \\\"does\\\": "
             "\\\"%s\\\"}\"",
             does);
    refused("tests/plugins/stan.so", more, FLOW_EDATA, want);
}

/* Below -1.9 it does not throw, where some of a hundred points are: that is enough. */
Test(target_stan, it_must_work_somewhere)
{
    refused_everywhere("throw", "throws at each of 100 points of (-2, 2): normal_lpdf: Scale");
    refused_everywhere("silent", "throws at each of 100 points of (-2, 2): it did not say why");
    cr_assert_eq(left("stan_messages"), 0, "messages are not freed");
    cr_assert_eq(left("stan_models"), 0, "models are not freed");
    target_free(must_make("tests/plugins/stan.so",
                          "\"options\": \"{\\\"mu\\\": 1, \\\"sd\\\": 2, \\\"edge\\\": "
                          "-1.9, \\\"does\\\": \\\"throw\\\"}\""));
}

Test(target_stan, data_must_be_there)
{
    const char *so = "tests/plugins/stan.so";
    refused(so, "", FLOW_EDATA, "variable does not exist; processing stage");
    refused(so, "\"options\": \"{}\"", FLOW_EDATA, "variable does not exist");
    refused(so, "\"options\": \"nix.json\"", FLOW_ENOINPUT, "data: nix.json: No such file");
    refused(so, "\"data\": \"nix.json\"", FLOW_ENOINPUT, "data: nix.json: No such file");
    refused(so, "\"options\": \"mu=3\"", FLOW_EDATA, "begins with '{', got 'mu=3'");
    refused(so, "\"data\": \"x.json\", \"options\": \"{}\"", FLOW_ECONFIG,
            "data cannot stand beside options");
}
