/* A plug-in in worker processes: the same bits as in this one, and all that may end or stop a process. */
#include "flow/clock.h"
#include "teacher/plugin_lost.h"
#include "teacher/plugin_workers.h"
#include "tests/common/check.h"
#include "tests/common/plugins.h"
#include "tests/common/sanitized.h"
#include "tests/common/temp.h"
#include "tests/teacher/energies.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <fcntl.h>
#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- what is told */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char told[8192];
static size_t tellings;

static void tell(const char *text)
{
    pthread_mutex_lock(&lock);
    tellings++;
    snprintf(told + strlen(told), sizeof told - strlen(told), "%s\n", text);
    pthread_mutex_unlock(&lock);
}

static void use_program(void)
{
    static char program[PLUGIN_TEXT];
    plugin_set_host(&(plugin_host){.program = built_path(program, "distill"), .tell = tell});
}

static target *make(const char *file, const char *more, flow_err *err)
{
    use_program();
    return energy_of_plugin(file, more, err);
}

static target *faulty(const char *word, int workers, double timeout)
{
    char more[128];
    flow_err err;
    snprintf(more, sizeof more, "\"options\": \"%s\", \"workers\": %d%s", word, workers,
             workers ? ", \"timeout\": " : "");
    if (workers)
        snprintf(more + strlen(more), sizeof more - strlen(more), "%g", timeout);
    target *t = make("tests/plugins/faulty.so", more, &err);
    cr_assert(t, "%s: %s", more, err.text);
    return t;
}

enum { N = 900, SLOW = UNLESS_SANITIZED(1, 4) };

static int ask(const target *t, double *logp, double *grad, target_status *status, const double *x,
               size_t n, flow_err *err)
{
    flow_pool *pool = flow_pool_create(3, NULL);
    *err = (flow_err)FLOW_ERR_INIT;
    int code = target_log_density(t, pool, logp, grad, status, x, NULL, n, err);
    flow_pool_free(pool);
    return code;
}

/* Of this process. */
static size_t open_files(void)
{
    DIR *dir = opendir("/proc/self/fd");
    size_t n = 0;
    while (readdir(dir))
        n++;
    closedir(dir);
    return n;
}

/* ---- the same */

static void check_alike(const target *t, const target *like)
{
    double *x = energy_points(like, N, 1.3, 9), want[N], logp[N], slope[2 * N], grad[2 * N];
    target_status status[N], wanted[N];
    flow_err err;
    cr_assert_eq(ask(like, want, slope, wanted, x, N, &err), 0);
    cr_assert_eq(ask(t, logp, grad, status, x, N, &err), 0, "%s", err.text);
    check_same(logp, want, N, "log p");
    check_same(grad, slope, 2 * N, "gradients");
    cr_assert_eq(memcmp(status, wanted, sizeof status), 0);
    cr_assert_eq(ask(t, logp, NULL, status, x, N, &err), 0, "%s", err.text);
    check_same(logp, want, N, "log p without gradient");
    free(x);
}

Test(target_plugin_workers, same_bits_for_any_number)
{
    target *here = faulty("minus:2.5", 0, 0);
    for (int workers = 1; workers <= 4; workers++) {
        char text[TARGET_COLUMN_TEXT];
        size_t before = open_files();
        target *there = faulty("minus:2.5", workers, 60);
        cr_assert_eq(there->dim, here->dim);
        cr_assert_eq(there->log_z, here->log_z);
        cr_assert_str_eq(target_column(there, text, 0), "u");
        cr_assert_str_eq(target_column(there, text, 1), "v");
        check_alike(there, here);
        target_free(there);
        cr_assert_eq(open_files(), before, "files are left open");
    }
    cr_assert_eq(tellings, 0, "%s", told);
    target_free(here);
}

/* Whatever stdout is here, theirs is stderr. */
Test(target_plugin_workers, print_on_stderr, .fini = temp_close)
{
    double x[2] = {0.5, 0.1}, logp[1];
    flow_err err;
    temp_open();
    const char *path = temp_write("out", "", 0);
    fflush(stdout);
    int own = dup(STDOUT_FILENO), out = open(path, O_WRONLY);
    cr_assert(own >= 0 && dup2(out, STDOUT_FILENO) >= 0);
    target *t = faulty("print", 1, 60);
    int code = ask(t, logp, NULL, NULL, x, 1, &err);
    target_free(t);
    dup2(own, STDOUT_FILENO);
    cr_assert_eq(code, 0, "%s", err.text);
    char *text = temp_slurp(path, NULL);
    cr_assert_str_eq(text, "");
    free(text);
}

/* One that is for one thread is for as many as there are workers. */
Test(target_plugin_workers, serve_threads)
{
    flow_err err;
    target *t = make("tests/plugins/scalar.so", "\"workers\": 2", &err);
    cr_assert(t, "%s", err.text);
    cr_assert_eq(t->flags, TARGET_GRADIENT | TARGET_THREADS | TARGET_DEAR);
    cr_assert(isnan(t->log_z));
    target_free(t);
}

static void same_columns(const char *file)
{
    flow_err err;
    target *here = make(file, "", &err), *there = make(file, "\"workers\": 1", &err);
    cr_assert(here && there, "%s", err.text);
    for (size_t j = 0; j < here->dim; j++) {
        check_same(&there->kinds[j].lo, &here->kinds[j].lo, 1, "lower end");
        check_same(&there->kinds[j].hi, &here->kinds[j].hi, 1, "upper end");
        check_same(&there->kinds[j].period, &here->kinds[j].period, 1, "period");
    }
    target_free(here);
    target_free(there);
}

Test(target_plugin_workers, carry_the_support)
{
    same_columns("tests/plugins/bounded.so");
    same_columns("tests/plugins/mises.so");
}

/* ---- rows that end a worker */

/* Row 700 has what the word is about, and so has row 5 if two. */
static double *rows(bool two)
{
    target *here = faulty("fine", 0, 0);
    double *x = energy_points(here, N, 0.5, 10);
    for (size_t i = 0; i < 2 * N; i++)
        x[i] = fmin(x[i], 2.9);
    x[2 * 700] = 3.0625;
    x[2 * 700 + 1] = -0.5;
    x[2 * 5] = two ? 4.25 : 0.5;
    target_free(here);
    return x;
}

static void check_lost(const char *word, double timeout, const char *how)
{
    target *t = faulty(word, 2, timeout), *fine = faulty("fine", 0, 0);
    double *x = rows(true), logp[N], grad[2 * N], want[N], slope[2 * N];
    target_status status[N];
    flow_err err;
    told[0] = '\0';
    tellings = 0;
    cr_assert_eq(ask(fine, want, slope, NULL, x, N, &err), 0);
    cr_assert_eq(ask(t, logp, grad, status, x, N, &err), 0, "%s: %s", word, err.text);
    for (size_t r = 0; r < N; r++) {
        bool lost = r == 5 || r == 700;
        cr_assert_eq(status[r], lost ? TARGET_BROKEN : TARGET_FINITE, "%s: row %zu", word, r);
        cr_assert(lost ? isnan(logp[r]) : logp[r] == want[r] && grad[2 * r] == slope[2 * r]);
    }
    cr_assert_eq(tellings, 2, "%s: %s", word, told);
    double start = flow_seconds();
    cr_assert_eq(ask(t, logp, grad, status, x, N, &err), 0, "%s: %s", word, err.text);
    cr_assert_lt(flow_seconds() - start, timeout, "%s was waited for once more", word);
    cr_assert(status[5] == TARGET_BROKEN && status[700] == TARGET_BROKEN && isnan(logp[5]));
    cr_assert(logp[701] == want[701] && grad[2 * 701] == slope[2 * 701]);
    cr_assert_eq(tellings, 2, "%s was asked for what is known: %s", word, told);
    cr_assert((!how || strstr(told, how)) && strstr(told, "x = (3.0625, -0.5)") &&
                  strstr(told, "faulty.so"),
              "%s: %s", word, told);
    free(x);
    target_free(t);
    target_free(fine);
}

Test(target_plugin_workers, a_row_that_ends_one_is_found)
{
    check_lost("crash:3", 60, "its worker was ended by SIGSEGV");
    check_lost("abort:3", 60, "its worker was ended by SIGABRT");
    check_lost("exit:3", 60, "its worker called exit(3)");
}

Test(target_plugin_workers, a_row_that_hangs_is_found)
{
    double start = flow_seconds();
    check_lost("hang:3", SLOW, "did not answer within");
    cr_assert_lt(flow_seconds() - start, 6 * SLOW);
    check_lost("close:3", SLOW, NULL); /* it is seen at once, or not at all */
}

/* What it does at the end is its own affair; nobody waits for it. */
Test(target_plugin_workers, end_without_ado)
{
    double start = flow_seconds();
    target_free(faulty("close_crash", 1, 60));
    cr_assert_lt(flow_seconds() - start, 30);
    cr_assert_eq(tellings, 0, "%s", told);
}

/* ---- too much of it */

static void check_end(const char *word, double timeout, size_t n, size_t want, const char *text)
{
    target *t = faulty(word, 1, timeout);
    double x[2 * 40], logp[40];
    flow_err err;
    tellings = 0;
    for (size_t i = 0; i < 80; i++)
        x[i] = 5.5 + (double)i;
    cr_assert_eq(ask(t, logp, NULL, NULL, x, n, &err), FLOW_EDATA, "%s", word);
    cr_assert(strstr(err.text, text) && strstr(err.text, "put up with"), "%s", err.text);
    cr_assert_eq(tellings, want);
    target_free(t);
}

Test(target_plugin_workers, the_run_ends_after_so_many)
{
    check_end("crash:3", 60, 40, PLUGIN_MAX_LOST, "SIGSEGV");
    check_end("hang:3", 0.3, 40, PLUGIN_MAX_LATE, "within 0.3 s");
}

/* ---- opening */

static void refused(const char *word, const char *want)
{
    char more[128];
    flow_err err;
    snprintf(more, sizeof more, "\"options\": \"%s\", \"workers\": 2, \"timeout\": %d", word, SLOW);
    cr_assert(!make("tests/plugins/faulty.so", more, &err), "%s", word);
    cr_assert_eq(err.code, FLOW_EDATA, "%s: %d: %s", word, err.code, err.text);
    cr_assert(strstr(err.text, "faulty.so: ") && strstr(err.text, want), "%s: %s", word, err.text);
}

Test(target_plugin_workers, refused_with_a_reason)
{
    flow_err err;
    size_t before = open_files();
    refused("open_crash", "was ended by SIGSEGV while it was opened");
    refused("open_exit", "called exit(0) while it was opened");
    refused("open_hang", "was not open after");
    refused("open", "there is no such model");
    refused("dim", "1 .. 65536 can be");
    refused("twice", "two columns are called 'x'");
    cr_assert(!make("nix.so", "\"workers\": 1", &err));
    cr_assert_eq(err.code, FLOW_ENOINPUT, "%s", err.text);
    cr_assert_eq(open_files(), before, "files are left open");
}

static void check_call(const char *word, const char *want)
{
    target *t = faulty(word, 1, 60);
    double x[2] = {2.5, 0.1}, logp[1];
    flow_err err;
    cr_assert_eq(ask(t, logp, NULL, NULL, x, 1, &err), FLOW_EDATA, "%s", word);
    cr_assert(strstr(err.text, "faulty.so: ") && strstr(err.text, want), "%s: %s", word, err.text);
    target_free(t);
}

Test(target_plugin_workers, a_call_may_fail)
{
    check_call("fatal", "the data are gone");
    check_call("garbage", "returned 17");
    check_call("code", "returned 99");
}

Test(target_plugin_workers, want_a_program)
{
    flow_err err;
    char text[PLUGIN_TEXT];
    json_t *description =
        json_loads(plugin_text(text, "plugin/banana.so", "\"workers\": 1"), 0, NULL);
    err = (flow_err)FLOW_ERR_INIT;
    cr_assert(!target_create(description, &err));
    cr_assert_eq(err.code, FLOW_EUSAGE, "%s", err.text);
    plugin_set_host(&(plugin_host){.program = "/nowhere/distill"});
    cr_assert(!target_create(description, &err));
    cr_assert(err.code == FLOW_EIO && strstr(err.text, "/nowhere/distill"), "%s", err.text);
    json_decref(description);
}
