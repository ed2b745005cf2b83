/* Numbers that are derived from a row: those of a Stan model, of a plug-in with a density, of a library that has nothing
 * else; in this process and in workers; rows that have none, and all that a library may say of them that is wrong. */
#include "teacher/plugin_quantities.h"
#include "teacher/plugin_workers.h"
#include "tests/common/check.h"
#include "tests/common/plugins.h"
#include "tests/common/sanitized.h"
#include "tests/teacher/energies.h"

#include <criterion/criterion.h>
#include <dlfcn.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { N = 600, D = 3 };

static void use_program(void)
{
    static char program[PLUGIN_TEXT];
    plugin_set_host(&(plugin_host){.program = built_path(program, "distill")});
}

static target *must_make(const char *file, const char *more)
{
    flow_err err;
    use_program();
    target *t = energy_of_plugin(file, more, &err);
    cr_assert(t, "%s %s: %s", file, more, err.text);
    return t;
}

static target *model(const char *file, const char *does, const char *keys)
{
    char more[400];
    snprintf(more, sizeof more,
             "\"options\": \"{\\\"mu\\\": -0.713, \\\"sd\\\": 2.385, \\\"edge\\\": 1.5, "
             "\\\"does\\\": \\\"%s\\\"}\"%s",
             does, keys);
    return must_make(file, more);
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

static int derive(const quantities *q, double *values, size_t k, quantities_broken *broken,
                  const double *x, size_t n, flow_err *err)
{
    flow_pool *pool = flow_pool_create(3, NULL);
    *err = (flow_err)FLOW_ERR_INIT;
    *broken = (quantities_broken){.count = 0};
    bool *lost = malloc(n * sizeof *lost);
    size_t count = 0;
    int code = quantities_derive(q, pool, values, k, lost, broken, x, n, 100, err);
    for (size_t r = 0; r < n && !code; r++)
        count += lost[r];
    cr_assert(code || count == broken->count, "%zu rows are said to be lost", count);
    free(lost);
    flow_pool_free(pool);
    return code;
}

static void must_derive(const quantities *q, double *values, size_t k, const double *x, size_t n)
{
    quantities_broken broken;
    flow_err err;
    cr_assert_eq(derive(q, values, k, &broken, x, n, &err), 0, "%s", err.text);
    cr_assert_eq(broken.count, 0, "%s", broken.why);
}

static void check_names(const quantities *q, size_t count, size_t usual, const char *const *want)
{
    cr_assert(q, "there are none");
    cr_assert_eq(q->count, count);
    cr_assert_eq(q->usual, usual);
    for (size_t j = 0; j < count; j++)
        cr_assert_str_eq(q->names[j], want[j]);
}

/* ---- of a Stan model */

Test(quantities, of_a_stan_model_have_its_names)
{
    static const char *const want[] = {"tau", "theta.1", "theta.2", "gap", "guess"};
    target *t = model("tests/plugins/stan.so", "", "");
    check_names(target_quantities(t), 5, 3, want);
    cr_assert(target_quantities(t)->instead && !target_quantities(t)->threads);
    target_free(t);
    t = model("tests/plugins/stan_threads.so", "", "");
    cr_assert(target_quantities(t)->threads);
    target_free(t);
}

static void check_row(const double *v, const double *u, bool all)
{
    cr_assert_float_eq(v[0], exp(u[0]), 1e-15 * exp(u[0]));
    cr_assert(v[1] == u[1] && v[2] == u[2]);
    if (all)
        cr_assert_float_eq(v[3], (u[2] - u[1]) / exp(u[0]), 1e-12 * (1 + fabs(v[3])));
    if (all)
        cr_assert(v[4] >= v[1] && v[4] <= v[1] + v[0]);
}

Test(quantities, of_a_stan_model_are_its_constrained_parameters)
{
    target *t = model("tests/plugins/stan.so", "", "");
    const quantities *q = target_quantities(t);
    double *x = energy_points(t, N, 1.3, 9), usual[3 * N], all[5 * N];
    must_derive(q, usual, 3, x, N);
    must_derive(q, all, 5, x, N);
    for (size_t r = 0; r < N; r++) {
        check_row(usual + 3 * r, x + D * r, false);
        check_row(all + 5 * r, x + D * r, true);
    }
    cr_assert_eq(left("stan_rngs"), 0, "random numbers are not freed");
    free(x);
    target_free(t);
}

/* A simplex of 3 from 2 numbers. */
Test(quantities, may_be_more_than_there_are_columns)
{
    static const char *const want[] = {"tau", "p.1", "p.2", "p.3", "gap", "guess"};
    target *t = model("tests/plugins/stan_simplex.so", "", "");
    const quantities *q = target_quantities(t);
    double *x = energy_points(t, N, 1.3, 9), v[4 * N];
    check_names(q, 6, 4, want);
    must_derive(q, v, 4, x, N);
    for (size_t r = 0; r < N; r++) {
        const double *p = v + 4 * r;
        cr_assert_float_eq(p[1] + p[2] + p[3], 1, 1e-12);
        cr_assert(p[1] > 0 && p[2] > 0 && p[3] > 0);
        cr_assert_float_eq(log(p[1] / (1 - p[1])) + log(2), x[D * r + 1], 1e-12);
    }
    free(x);
    target_free(t);
}

/* Theirs is a function of the point: the same in another order, alone, again. Different points have others: of
 * uniforms, mean and variance within 5 standard errors (a false alarm in 1e-6). */
Test(quantities, random_numbers_are_a_function_of_the_row)
{
    target *t = model("tests/plugins/stan.so", "", "");
    const quantities *q = target_quantities(t);
    double *x = energy_points(t, N, 1.3, 9), all[5 * N], one[5], sum = 0, squares = 0;
    must_derive(q, all, 5, x, N);
    for (size_t r = N; r-- > 0;) {
        const double *v = all + 5 * r;
        double share = (v[4] - v[1]) / v[0] - 0.5;
        must_derive(q, one, 5, x + D * r, 1);
        check_same(one, v, 5, "a row alone");
        sum += share / N;
        squares += share * share / N;
    }
    cr_assert_float_eq(sum, 0, 5 * sqrt(1.0 / 12 / N));
    cr_assert_float_eq(squares, 1.0 / 12, 5 * sqrt(1.0 / 180 / N));
    free(x);
    target_free(t);
}

/* ---- in workers */

static void check_alike(const char *file, const char *keys, size_t usual, size_t count)
{
    target *here = model(file, "", ""), *there = model(file, "", keys);
    const quantities *q = target_quantities(here), *p = target_quantities(there);
    double *x = energy_points(here, N, 1.3, 9);
    double *want = malloc(N * count * sizeof *want), *got = malloc(N * count * sizeof *got);
    check_names(p, q->count, q->usual, q->names);
    cr_assert(p->instead == q->instead && p->threads);
    for (size_t k = usual; k <= count; k += count - usual) {
        must_derive(q, want, k, x, N);
        must_derive(p, got, k, x, N);
        check_same(got, want, N * k, "quantities");
    }
    free(x), free(want), free(got);
    target_free(here), target_free(there);
}

Test(quantities, same_bits_in_workers)
{
    check_alike("tests/plugins/stan.so", ", \"workers\": 1", 3, 5);
    check_alike("tests/plugins/stan.so", ", \"workers\": 3", 3, 5);
    check_alike("tests/plugins/stan_simplex.so", ", \"workers\": 2", 4, 6);
}

/* More than fit into the room that a process and its worker share: some rows at a time. */
Test(quantities, many_of_them_in_workers)
{
    target *here = must_make("tests/plugins/many.so", "\"options\": \"3000\"");
    target *there = must_make("tests/plugins/many.so", "\"options\": \"3000\", \"workers\": 2");
    double *x = energy_points(here, 200, 1, 9), *want = malloc(200 * 3000 * sizeof *want),
           *got = malloc(200 * 3000 * sizeof *got);
    must_derive(target_quantities(here), want, 3000, x, 200);
    must_derive(target_quantities(there), got, 3000, x, 200);
    check_same(got, want, 200 * 3000, "many quantities");
    for (size_t r = 0; r < 200; r++)
        cr_assert(want[3000 * r + 7] == x[r] + 7);
    free(x), free(want), free(got);
    target_free(here), target_free(there);
}

/* Rows 101, 104 and 107 as they are counted: beyond the edge. */
static void check_broken(const char *does, const char *keys, size_t k, const char *why)
{
    target *t = model("tests/plugins/stan.so", does, keys);
    double x[9 * D], values[9 * 5];
    quantities_broken broken;
    flow_err err;
    for (size_t i = 0; i < 9 * D; i++)
        x[i] = i % 9 == 4 ? 1.75 : 0.25 * (double)(i % 5);
    int code = derive(target_quantities(t), values, k, &broken, x, 9, &err);
    cr_assert_eq(code, 0, "%s: %s", does, err.text);
    cr_assert_eq(broken.count, 3, "%s: %d", does, (int)broken.count);
    cr_assert_eq(broken.row, 101, "%s: %d", does, (int)broken.row);
    cr_assert(strstr(broken.why, why), "%s: '%s' is not in '%s'", does, why, broken.why);
    for (size_t r = 0; r < 9; r++)
        for (size_t j = 0; j < k; j++)
            cr_assert_eq(!isnan(values[k * r + j]), r % 3 != 1, "%s: row %zu", does, r);
    target_free(t);
}

Test(quantities, rows_that_it_throws_at_are_counted_and_named)
{
    check_broken("limit", "", 5, "gap is 7, but must be less than or equal to 5");
    check_broken("limit", ", \"workers\": 2", 5, "gap is 7, but must be less than or equal to 5");
    check_broken("constrain", ", \"workers\": 1", 3, "its worker ended");
    cr_assert_eq(left("stan_messages"), 0, "messages are not freed");
    cr_assert_eq(left("stan_rngs"), 0, "random numbers are not freed");
    cr_assert_eq(left("stan_models"), 0, "models are not freed");
    target *t = model("tests/plugins/stan.so", "limit", "");
    double x[D] = {0, 1.75, 0}, values[3];
    must_derive(target_quantities(t), values, 3, x, 1); /* what is usual has no limit */
    target_free(t);
}

/* Of many shards, on three threads, whichever of them comes first. */
Test(quantities, the_first_of_all_is_named)
{
    target *t = model("tests/plugins/stan.so", "limit", "");
    double *x = calloc(9 * N * D, sizeof *x), *values = malloc(9 * N * 5 * sizeof *values);
    quantities_broken broken;
    flow_err err;
    for (size_t r = 7; r < 9 * N; r += 10)
        x[D * r + 1] = 1.75;
    for (int again = 0; again < 20; again++) {
        cr_assert_eq(derive(target_quantities(t), values, 5, &broken, x, 9 * N, &err), 0);
        cr_assert_eq(broken.count, 9 * N / 10);
        cr_assert_eq(broken.row, 107, "%d", (int)broken.row);
    }
    free(x), free(values);
    target_free(t);
}

Test(quantities, rows_that_are_no_points_have_none)
{
    target *t = model("tests/plugins/stan.so", "", "");
    double x[2 * D] = {0, 0, (double)NAN, 0, 0, 0}, values[6];
    quantities_broken broken;
    flow_err err;
    cr_assert_eq(derive(target_quantities(t), values, 3, &broken, x, 2, &err), 0);
    cr_assert(broken.count == 1 && broken.row == 100 && isnan(values[0]) && values[3] == 1);
    cr_assert_str_eq(broken.why, "the row is not finite");
    target_free(t);
}

Test(quantities, a_code_that_is_none_ends_the_run)
{
    target *t = model("tests/plugins/stan.so", "odd", "");
    double x[D] = {0, 1.75, 0}, values[3];
    quantities_broken broken;
    flow_err err;
    cr_assert_eq(derive(target_quantities(t), values, 3, &broken, x, 1, &err), FLOW_EDATA);
    cr_assert(strstr(err.text, "bs_param_constrain returned 3"), "%s", err.text);
    target_free(t);
}

static void refused_model(const char *does, const char *want)
{
    char more[200];
    flow_err err;
    snprintf(more, sizeof more,
             "\"options\": \"{\\\"mu\\\": 1, \\\"sd\\\": 2, \\\"does\\\": \\\"%s\\\"}\"", does);
    cr_assert(!energy_of_plugin("tests/plugins/stan.so", more, &err), "%s was accepted", does);
    cr_assert(err.code == FLOW_EDATA && strstr(err.text, want), "%s: %s", does, err.text);
}

Test(quantities, a_model_must_make_sense)
{
    refused_model("minusone", "bs_param_num gives numbers that make no sense");
    refused_model("derived", "bs_param_names has 1 names for 5 parameters");
    cr_assert_eq(left("stan_models"), 0, "models are not freed");
}

/* ---- of a library of the user's */

Test(quantities, beside_a_density)
{
    static const char *const want[] = {"radius", "angle"};
    target *t = must_make("tests/plugins/both.so", "\"options\": \"bend=0.2\"");
    double x[4] = {3, 4, 0, -2}, v[4];
    check_names(target_quantities(t), 2, 1, want);
    cr_assert(!target_quantities(t)->instead && target_quantities(t)->threads);
    must_derive(target_quantities(t), v, 1, x, 2);
    cr_assert(v[0] == 5 && v[1] == 2);
    must_derive(target_quantities(t), v, 2, x, 2);
    cr_assert(v[0] == 5 && v[2] == 2);
    cr_assert_float_eq(v[3], -acos(-1) / 2, 1e-15);
    target_free(t);
    t = must_make("plugin/banana.so", "");
    cr_assert(!target_quantities(t), "the example has none");
    target_free(t);
}

static const char *const columns[] = {"x0", "x1"};

static quantities *library(const char *file, const char *options, flow_err *err)
{
    char path[PLUGIN_TEXT];
    *err = (flow_err)FLOW_ERR_INIT;
    return plugin_quantities_create(built_path(path, file), columns, 2, options, err);
}

Test(quantities, without_a_density)
{
    static const char *const want[] = {"exp", "square", "mean"};
    double x[4] = {0.5, 2, -1, 3}, v[6];
    flow_err err;
    quantities *q = library("tests/plugins/derived.so", "", &err);
    cr_assert(q, "%s", err.text);
    check_names(q, 3, 2, want);
    must_derive(q, v, 2, x, 2);
    cr_assert(v[0] == exp(0.5) && v[1] == 0.25 && v[2] == exp(-1) && v[3] == 1);
    must_derive(q, v, 3, x, 2);
    cr_assert(v[2] == 1.25 && v[5] == 1);
    plugin_quantities_free(q);
    q = library("plugin/radius.so", "x1", &err);
    must_derive(q, v, 1, x, 2);
    cr_assert(v[0] == 2 && v[1] == 3);
    plugin_quantities_free(q);
    q = library("tests/plugins/both.so", "", &err);
    cr_assert(!q && strstr(err.text, "could not be opened"), "of other columns: %s", err.text);
}

static void refused(const char *file, const char *options, int code, const char *want)
{
    flow_err err;
    cr_assert(!library(file, options, &err), "%s %s was accepted", file, options);
    cr_assert_eq(err.code, code, "%s: %d: %s", options, err.code, err.text);
    cr_assert(strstr(err.text, want), "%s: '%s' is not in '%s'", options, want, err.text);
}

Test(quantities, a_library_must_make_sense)
{
    const char *so = "tests/plugins/derived.so";
    refused(so, "of=x7", FLOW_EDATA, "could not be opened: there is no column 'x7'");
    refused(so, "does=none", FLOW_EDATA, "it has 0 quantities");
    refused(so, "does=usual", FLOW_EDATA, "4 of 3 quantities are usual");
    refused(so, "does=flags", FLOW_EDATA, "flags 0x40");
    refused(so, "does=nameless", FLOW_EDATA, "no names");
    refused(so, "does=twice", FLOW_EDATA, "two quantities are called 'exp'");
    refused(so, "does=column", FLOW_EDATA, "a quantity is called 'x0', as a column is");
    refused("tests/plugins/derived_old.so", "", FLOW_EDATA, "version 7 of distill_quantities.h");
    refused("plugin/banana.so", "", FLOW_EDATA, "no symbol 'distill_quantities'");
    refused("nix.so", "", FLOW_ENOINPUT, "nix.so: No such file");
}

static int ask(const char *options, quantities_broken *broken, double *v, flow_err *err)
{
    const double x[4] = {0.5, 2, 1.5, 3};
    quantities *q = library("tests/plugins/derived.so", options, err);
    cr_assert(q, "%s", err->text);
    int code = derive(q, v, 2, broken, x, 2, err);
    plugin_quantities_free(q);
    return code;
}

Test(quantities, a_library_may_fail_at_rows)
{
    quantities_broken broken;
    double v[4];
    flow_err err;
    cr_assert_eq(ask("does=broken", &broken, v, &err), 0);
    cr_assert(broken.count == 1 && broken.row == 101 && v[1] == 0.25 && isnan(v[2]) && isnan(v[3]));
    cr_assert_str_eq(broken.why, "it is more than 1");
    cr_assert_eq(ask("does=fatal", &broken, v, &err), FLOW_EDATA);
    cr_assert(strstr(err.text, "derived.so: no more"), "%s", err.text);
    cr_assert_eq(ask("does=code", &broken, v, &err), FLOW_EDATA);
    cr_assert(strstr(err.text, "returned 9, which is no code"), "%s", err.text);
}
