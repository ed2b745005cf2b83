#include "pipeline/command/sweep_verb.h"

#include "files/atomic.h"
#include "flow/clock.h"
#include "pipeline/command/sweep_share.h"
#include "pipeline/command/sweep_table.h"
#include "pipeline/console/exit.h"
#include "pipeline/console/progress.h"
#include "pipeline/console/signals.h"
#include "pipeline/stages/rundir.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ; /* POSIX has it in no header */

enum { PATH = 4200 };

/* A sweep at work. */
typedef struct sweeping {
    sweep_list *list;
    const sweep_options *options;
    pid_t *pids;     /* (n) of the points that run; 0: it does not */
    double *started; /* (n) */
    size_t running, ended;
    bool stopping; /* all have been told */
} sweeping;

/* ---- one point */

static uint64_t threads_of(const sweep_options *o)
{
    long n = sysconf(_SC_NPROCESSORS_ONLN);
    uint64_t share = n > 0 ? (uint64_t)n / o->jobs : 1;
    return o->threads ? o->threads : o->jobs > 1 ? (share ? share : 1) : 0;
}

static int redirect(posix_spawn_file_actions_t *out, const char *log)
{
    return posix_spawn_file_actions_addopen(out, STDIN_FILENO, "/dev/null", O_RDONLY, 0) ||
           posix_spawn_file_actions_addopen(out, STDOUT_FILENO, "/dev/null", O_WRONLY, 0) ||
           posix_spawn_file_actions_addopen(out, STDERR_FILENO, log, O_WRONLY | O_CREAT | O_TRUNC,
                                            0666);
}

/* The command of the point with the threads behind, as a process of its own; what it says goes to DIR.log. */
static int spawn(pid_t *pid, const sweep_point_of *p, uint64_t threads)
{
    char log[PATH], number[24];
    size_t n = 0;
    while (p->argv[n])
        n++;
    char **argv = calloc(n + 4, sizeof *argv);
    posix_spawn_file_actions_t files;
    if (!argv || posix_spawn_file_actions_init(&files)) {
        free(argv);
        return ENOMEM;
    }
    argv[0] = "distill";
    memcpy(argv + 1, p->argv, n * sizeof *argv);
    snprintf(number, sizeof number, "%llu", (unsigned long long)threads);
    argv[n + 1] = threads ? "--threads" : NULL;
    argv[n + 2] = threads ? number : NULL;
    snprintf(log, sizeof log, "%s.log", p->dir);
    int code = redirect(&files, log);
    if (!code)
        code = posix_spawn(pid, "/proc/self/exe", &files, NULL, argv, environ);
    posix_spawn_file_actions_destroy(&files);
    free(argv);
    return code;
}

static int start(sweeping *self, size_t index, flow_err *err)
{
    sweep_point_of *p = &self->list->points[index];
    if (p->leader != index)
        sweep_share(p->dir, self->list->points[p->leader].dir, "teacher");
    int code = spawn(&self->pids[index], p, threads_of(self->options));
    if (code)
        return flow_fail(err, FLOW_EIO, "%s: cannot be started: %s", p->name, strerror(code));
    p->state = POINT_RUNNING;
    self->started[index] = flow_seconds();
    self->running++;
    return FLOW_OK;
}

static void tell(const sweeping *self, const sweep_point_of *p)
{
    char time[48];
    progress_time(time, sizeof time, p->seconds);
    fprintf(stderr, "[%zu/%zu] %s  %s  (%s)", self->ended, self->list->n, p->name,
            p->code == EXIT_GOOD   ? "good"
            : p->code == EXIT_GATE ? "gate failed"
                                   : "failed",
            time);
    if (p->code > EXIT_GATE)
        fprintf(stderr, ": exit code %d, see %s.log", p->code, p->dir);
    fputc('\n', stderr);
}

/* One that was stopped is left, as it was before. */
static int end(sweeping *self, size_t index, int status, flow_err *err)
{
    sweep_point_of *p = &self->list->points[index];
    p->code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    p->seconds = flow_seconds() - self->started[index];
    self->pids[index] = 0;
    self->running--;
    p->state = p->code <= EXIT_GATE              ? POINT_DONE
               : p->code > 128 && self->stopping ? POINT_LEFT
                                                 : POINT_FAILED;
    if (p->state == POINT_LEFT)
        return FLOW_OK;
    self->ended++;
    tell(self, p);
    return sweep_list_save(self->list, err);
}

/* ---- all of them */

/* The first point with a teacher trains it; the others wait for that. */
static bool may_start(const sweeping *self, size_t index)
{
    const sweep_point_of *p = &self->list->points[index];
    const sweep_point_of *leader = &self->list->points[p->leader];
    return p->state == POINT_LEFT &&
           (p->leader == index || leader->state == POINT_DONE || leader->state == POINT_FAILED);
}

static int start_some(sweeping *self, flow_err *err)
{
    for (size_t i = 0; i < self->list->n && self->running < self->options->jobs && !err->code; i++)
        if (may_start(self, i))
            start(self, i, err);
    return err->code;
}

static int collect(sweeping *self, flow_err *err)
{
    for (size_t i = 0; i < self->list->n && !err->code; i++) {
        int status;
        if (self->pids[i] && waitpid(self->pids[i], &status, WNOHANG) == self->pids[i])
            end(self, i, status, err);
    }
    return err->code;
}

static void stop_all(sweeping *self)
{
    for (size_t i = 0; i < self->list->n && !self->stopping; i++)
        if (self->pids[i])
            kill(self->pids[i], SIGTERM);
    self->stopping = true;
}

static int run_all(sweeping *self, flow_err *err)
{
    const struct timespec moment = {.tv_nsec = 20000000};
    flow_err later = FLOW_ERR_INIT;
    do {
        if (signals_pending() || err->code)
            stop_all(self);
        else
            start_some(self, err);
        if (self->running)
            nanosleep(&moment, NULL);
        collect(self, err->code ? &later : err);
    } while (self->running || (!self->stopping && err->code == 0 && self->ended < self->list->n));
    if (!err->code && signals_pending())
        flow_fail(err, FLOW_ESTOPPED,
                  "stopped with %zu of %zu points done; the same command goes on", self->ended,
                  self->list->n);
    return err->code;
}

/* Those that failed are tried again. */
static int sweep_all(sweep_list *list, const sweep_options *o, flow_err *err)
{
    sweeping self = {.list = list,
                     .options = o,
                     .pids = calloc(list->n, sizeof *self.pids),
                     .started = calloc(list->n, sizeof *self.started)};
    for (size_t i = 0; i < list->n; i++) {
        list->points[i].state = list->points[i].state == POINT_DONE ? POINT_DONE : POINT_LEFT;
        self.ended += list->points[i].state == POINT_DONE;
    }
    if (!self.pids || !self.started)
        flow_fail(err, FLOW_ENOMEM, "out of memory for %zu points", list->n);
    else if (rundir_make_folders(list->root, err) == 0) {
        signals_catch();
        run_all(&self, err);
    }
    free(self.pids);
    free(self.started);
    return err->code;
}

/* ---- the whole */

static int link_best(const sweep_list *list, const char *point, flow_err *err)
{
    char path[PATH], fresh[PATH + 32];
    snprintf(path, sizeof path, "%s/best", list->root);
    snprintf(fresh, sizeof fresh, "%s.tmp.%ld", path, (long)getpid());
    unlink(fresh);
    if (symlink(point, fresh) == 0 && rename(fresh, path) == 0)
        return 0;
    int code = flow_fail(err, (flow_code)file_create_code(errno), "%s: %s", path, file_why(errno));
    unlink(fresh);
    return code;
}

/* ROOT/results.csv, and ROOT/best, a link. */
static int keep_table(const sweep_list *list, const json_t *table, flow_err *err)
{
    char path[PATH];
    char *text = NULL;
    size_t size;
    const char *best = sweep_table_best(table);
    FILE *to = open_memstream(&text, &size);
    snprintf(path, sizeof path, "%s/results.csv", list->root);
    if (!to || sweep_table_print(to, table, SWEEP_CSV, err) || fclose(to))
        return flow_fail(err, FLOW_ENOMEM, "%s: out of memory", path);
    int code = file_atomic_write(path, text, size, err);
    free(text);
    return code || !best ? code : link_best(list, strrchr(best, '/') + 1, err);
}

static int worst_code(const sweep_list *list)
{
    int worst = EXIT_GOOD;
    for (size_t i = 0; i < list->n; i++)
        if (list->points[i].state != POINT_LEFT && list->points[i].code > worst)
            worst = list->points[i].code;
    return worst;
}

static int tell_all(const sweep_list *list, const sweep_options *o, flow_err *err)
{
    json_t *table = sweep_table(list, err);
    if (table && o->what == SWEEP_RUN)
        keep_table(list, table, err);
    if (table && !err->code)
        sweep_table_print(stdout, table, o->form, err);
    if (table && !err->code && sweep_table_best(table) && o->form == SWEEP_TABLE)
        printf("best by %s: %s\n", gate_figures[list->config->sweep->metric].name,
               sweep_table_best(table));
    json_decref(table);
    return err->code;
}

int sweep_verb(const sweep_options *options)
{
    int status;
    flow_err err = FLOW_ERR_INIT;
    sweep_list *list = sweep_list_create(&status, options);
    if (!list)
        return status;
    if (options->what == SWEEP_COMMANDS)
        sweep_list_print_commands(list);
    else if (options->what == SWEEP_LIST || sweep_all(list, options, &err) == 0)
        tell_all(list, options, &err);
    status = err.code ? exit_fail(&err) : options->what == SWEEP_RUN ? worst_code(list) : EXIT_GOOD;
    sweep_list_free(list);
    return status;
}
