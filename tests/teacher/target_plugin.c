/* A density from a shared library: what it says of itself, its rows, and all that it may do wrong in this
 * process without ending it. What ends a process is for worker processes: target_plugin_workers.c. */
#include "teacher/plugin.h"
#include "teacher/probe.h"
#include "teacher/target_in_units.h"
#include "tests/common/check.h"
#include "tests/common/plugins.h"
#include "tests/common/temp.h"
#include "tests/teacher/energies.h"

#include <criterion/criterion.h>
#include <fenv.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static target *must_make(const char *file, const char *more)
{
    flow_err err;
    target *t = energy_of_plugin(file, more, &err);
    cr_assert(t, "%s %s: %s", file, more, err.text);
    return t;
}

static target *faulty(const char *word)
{
    char more[64];
    snprintf(more, sizeof more, "\"options\": \"%s\"", word);
    return must_make("tests/plugins/faulty.so", more);
}

/* ---- what it says of itself */

Test(target_plugin, says_what_it_is)
{
    char text[TARGET_COLUMN_TEXT];
    target *t = must_make("plugin/banana.so", "\"options\": \"bend=0.3\"");
    cr_assert_eq(t->dim, 2);
    cr_assert_eq(t->flags, TARGET_GRADIENT | TARGET_THREADS | TARGET_DEAR);
    cr_assert_float_eq(t->log_z, log(4 * acos(-1)), 1e-12);
    cr_assert_str_eq(target_column(t, text, 0), "x");
    cr_assert_str_eq(target_column(t, text, 1), "y");
    target_free(t);
    t = must_make("tests/plugins/scalar.so", "");
    cr_assert_eq(t->dim, 3);
    cr_assert_eq(t->flags, TARGET_GRADIENT | TARGET_DEAR);
    cr_assert(isnan(t->log_z));
    cr_assert_str_eq(target_column(t, text, 2), "x2");
    target_free(t);
    t = must_make("tests/plugins/plain.so", "\"log_z\": 2.5, \"log_z_se\": 0.25");
    cr_assert_eq(t->flags, TARGET_THREADS | TARGET_DEAR);
    cr_assert(t->log_z == 2.5 && t->log_z_se == 0.25);
    target_free(t);
}

/* The integral of banana.c is what it says: a sum over a grid, exact to rounding for what falls off so fast. */
Test(target_plugin, example_has_its_log_z)
{
    enum { SIDE = 400 };
    target *t = must_make("plugin/banana.so", "\"options\": \"bend=0.2\"");
    flow_pool *pool = flow_pool_create(1, NULL);
    double x[2 * SIDE], logp[SIDE], sum = 0, step = 0.12;
    for (int i = 0; i < SIDE; i++) {
        for (int j = 0; j < SIDE; j++) {
            x[2 * j] = (i - SIDE / 2) * step;
            x[2 * j + 1] = (j - SIDE / 2) * step + 0.2 * (x[2 * j] * x[2 * j] - 4);
        }
        cr_assert_eq(target_log_density(t, pool, logp, NULL, NULL, x, NULL, SIDE, NULL), 0);
        for (int j = 0; j < SIDE; j++)
            sum += exp(logp[j]) * step * step;
    }
    cr_assert_float_eq(log(sum), t->log_z, 1e-9);
    flow_pool_free(pool);
    target_free(t);
}

/* ---- support */

/* Its numbers, and on the line its integral by sums, a column at a time: the others stay where they are. */
static double log_integral(const target *t, flow_pool *pool, size_t col)
{
    enum { POINTS = 4000 };
    double u[4] = {0.3, -0.4, 0.2, 0.1}, logp, at, sum = 0, step = 0.02;
    cr_assert_eq(target_log_density(t, pool, &at, NULL, NULL, u, NULL, 1, NULL), 0);
    for (int i = 0; i < POINTS; i++) {
        u[col] = (i - POINTS / 2) * step;
        cr_assert_eq(target_log_density(t, pool, &logp, NULL, NULL, u, NULL, 1, NULL), 0);
        sum += exp(logp - at) * step;
    }
    return log(sum) + at / 4; /* of a product: the four of them make one `at` */
}

Test(target_plugin, support_is_mapped_to_the_line)
{
    target *t = must_make("tests/plugins/bounded.so", "");
    const double lower[] = {0, -INFINITY, -1, -INFINITY}, upper[] = {INFINITY, 5, 3, INFINITY};
    for (size_t j = 0; j < 4; j++) {
        check_same(&t->kinds[j].lo, &lower[j], 1, "lower end");
        check_same(&t->kinds[j].hi, &upper[j], 1, "upper end");
    }
    flow_err err = FLOW_ERR_INIT;
    flow_pool *pool = flow_pool_create(1, NULL);
    target *line = target_on_the_line(t, &err);
    cr_assert(line && !line->kinds && !line->circles && line->log_z == t->log_z);
    double log_z = 0;
    for (size_t j = 0; j < 4; j++)
        log_z += log_integral(line, pool, j);
    cr_assert_float_eq(log_z, t->log_z, 1e-6);
    probe p;
    double *u = energy_points(line, 60, 2, 3);
    cr_assert_eq(probe_target(&p, line, u, 60, &err), 0, "%s", err.text);
    cr_assert(p.finite == 60 && p.wrong == 0, "%g", p.worst.error);
    free(u);
    target_free(line);
    target_free(t);
    flow_pool_free(pool);
}

/* ---- rows */

enum { N = 300 };

static int ask(const target *t, double *logp, double *grad, target_status *status, const double *x,
               size_t n, flow_err *err)
{
    flow_pool *pool = flow_pool_create(2, NULL);
    *err = (flow_err)FLOW_ERR_INIT;
    int code = target_log_density(t, pool, logp, grad, status, x, NULL, n, err);
    flow_pool_free(pool);
    return code;
}

Test(target_plugin, rows_one_at_a_time)
{
    target *t = must_make("tests/plugins/scalar.so", "");
    double *x = energy_points(t, N, 1.7, 5), logp[N], grad[3 * N];
    target_status status[N];
    flow_err err;
    size_t nowhere = 0;
    cr_assert_eq(ask(t, logp, grad, status, x, N, &err), 0);
    for (size_t r = 0; r < N; r++) {
        bool here = x[3 * r] >= -3;
        nowhere += !here;
        cr_assert_eq(status[r], here ? TARGET_FINITE : TARGET_NO_DENSITY);
        for (size_t i = 0; i < 3; i++)
            cr_assert_eq(grad[3 * r + i], here ? -x[3 * r + i] : 0);
    }
    cr_assert_gt(nowhere, 3);
    free(x);
    target_free(t);
}

/* A row that is no point is not asked for, and its neighbours are what they are without it. */
Test(target_plugin, asked_for_points_alone)
{
    target *t = faulty("crash:1e300");
    double *x = energy_points(t, N, 0.7, 6), want[N], logp[N], grad[2 * N], slope[2 * N];
    target_status status[N];
    flow_err err;
    cr_assert_eq(ask(t, want, slope, status, x, N, &err), 0);
    x[2 * 7] = INFINITY;
    x[2 * 8 + 1] = NAN;
    x[2 * (N - 1)] = -INFINITY;
    cr_assert_eq(ask(t, logp, grad, status, x, N, &err), 0);
    for (size_t r = 0; r < N; r++) {
        bool point = r != 7 && r != 8 && r != N - 1;
        cr_assert_eq(status[r], point ? TARGET_FINITE : TARGET_BROKEN, "row %zu", r);
        cr_assert(!point || (logp[r] == want[r] && grad[2 * r] == slope[2 * r]));
        cr_assert(point || (isnan(logp[r]) && grad[2 * r] == 0));
    }
    free(x);
    target_free(t);
}

/* ---- a row that goes wrong */

static void check_rows(const char *word, target_status want)
{
    target *t = faulty(word);
    double x[6] = {0.3, -0.2, 2.5, 0.1, -4, 1}, logp[3], grad[6];
    target_status status[3];
    flow_err err;
    cr_assert_eq(ask(t, logp, grad, status, x, 3, &err), 0, "%s: %s", word, err.text);
    cr_assert(status[0] == TARGET_FINITE && status[2] == TARGET_FINITE, "%s", word);
    cr_assert_eq(status[1], want, "%s: %d", word, status[1]);
    cr_assert(grad[2] == 0 && grad[3] == 0, "%s", word);
    cr_assert(want != TARGET_NO_DENSITY || logp[1] == -INFINITY, "%s", word);
    target_free(t);
}

Test(target_plugin, a_row_may_break_or_have_no_density)
{
    check_rows("nan", TARGET_BROKEN);
    check_rows("inf", TARGET_BROKEN);
    check_rows("slope", TARGET_BROKEN);
    check_rows("broken", TARGET_BROKEN);
    check_rows("unwritten", TARGET_BROKEN);
    check_rows("minus", TARGET_NO_DENSITY);
    check_rows("none_here", TARGET_NO_DENSITY);
}

/* ---- a call that goes wrong */

static void check_call(const char *word, const char *want)
{
    target *t = faulty(word);
    double x[2] = {2.5, 0.1}, logp[1], grad[2];
    flow_err err;
    cr_assert_eq(ask(t, logp, grad, NULL, x, 1, &err), FLOW_EDATA, "%s", word);
    cr_assert(strstr(err.text, "faulty.so: ") && strstr(err.text, want), "%s: %s", word, err.text);
    target_free(t);
}

Test(target_plugin, a_call_may_fail)
{
    check_call("fatal", "the data are gone");
    check_call("mute", "it did not say why");
    check_call("endless", "xxxxxx");
    check_call("code", "returned 99");
    check_call("garbage", "returned 17");
}

Test(target_plugin, a_call_may_say_it_of_all_rows)
{
    target *t = faulty("nowhere");
    double x[4] = {0.5, 0.1, 0.2, 0.3}, logp[2];
    target_status status[2];
    flow_err err;
    cr_assert_eq(ask(t, logp, NULL, status, x, 2, &err), 0);
    cr_assert(status[0] == TARGET_NO_DENSITY && status[1] == TARGET_NO_DENSITY);
    target_free(t);
}

Test(target_plugin, rounding_mode_is_put_back)
{
    target *t = faulty("rounding");
    double x[2] = {0.5, 0.1}, logp[1];
    target_status status[1];
    cr_assert_eq(t->ops->log_density(t, logp, NULL, status, x, NULL, 1, t, NULL), 0);
    cr_assert_eq(fegetround(), FE_TONEAREST);
    cr_assert_null(plugin_inside(&(plugin_role){PLUGIN_TARGET}));
    target_free(t);
}

/* ---- what cannot be opened */

static void refused(const char *file, const char *more, int code, const char *want)
{
    flow_err err;
    cr_assert(!energy_of_plugin(file, more, &err), "%s %s was accepted", file, more);
    cr_assert_eq(err.code, code, "%s: %d: %s", more, err.code, err.text);
    cr_assert(strstr(err.text, want), "%s: '%s' is not in '%s'", more, want, err.text);
    cr_assert(code == FLOW_ECONFIG || strstr(err.text, file), "%s", err.text);
}

Test(target_plugin, refused_with_a_reason)
{
    refused("plugin/nix.so", "", FLOW_ENOINPUT, "No such file");
    refused("plugin", "", FLOW_EDATA, "this is no file");
    refused("made-with", "", FLOW_EDATA, "cannot be loaded");
    refused("tests/plugins/undefined.so", "", FLOW_EDATA, "function_that_is_nowhere");
    refused("tests/plugins/nameless.so", "", FLOW_EDATA, "has no symbol 'distill_plugin'");
    refused("tests/plugins/old.so", "", FLOW_EDATA, "version 8 of distill_target.h; 1 .. 2 can be");
    refused("tests/plugins/hollow.so", "", FLOW_EDATA, "has no function rows, nor row");
    refused("plugin/banana.so", "\"options\": \"bent\"", FLOW_EDATA, "wanted bend=NUMBER");
    refused("tests/plugins/bounded.so", "\"options\": \"upside down\"", FLOW_EDATA,
            "the support of column 0: lo inf is not below hi 0");
    refused("plugin/banana.so", "\"log_z_se\": 1", FLOW_ECONFIG, "log_z_se");
    refused("plugin/banana.so", "\"optoins\": \"\"", FLOW_ECONFIG, "optoins");
}

static void refused_word(const char *word, const char *want)
{
    char more[64];
    snprintf(more, sizeof more, "\"options\": \"%s\"", word);
    refused("tests/plugins/faulty.so", more, FLOW_EDATA, want);
}

Test(target_plugin, what_it_says_must_make_sense)
{
    refused_word("open", "could not be opened: there is no such model");
    refused_word("silent", "it did not say why");
    refused_word("dim0", "has 0 columns");
    refused_word("dim", "1 .. 65536 can be");
    refused_word("flags", "flags 0x40");
    refused_word("log_z", "log Z is infinite");
    refused_word("twice", "two columns are called 'x'");
    refused_word("empty", "the name of column 1");
}

/* A name alone is one in the working directory. */
Test(target_plugin, a_name_is_that_of_a_file_here, .fini = temp_close)
{
    flow_err err = FLOW_ERR_INIT;
    size_t size;
    char so[PLUGIN_TEXT], *bytes = temp_slurp(built_path(so, "plugin/banana.so"), &size);
    const char *dir = temp_open();
    temp_write("here.so", bytes, size);
    cr_assert_eq(chdir(dir), 0);
    plugin *p = plugin_open("here.so", "", &err);
    cr_assert(p, "%s", err.text);
    plugin_close(p);
    free(bytes);
}
