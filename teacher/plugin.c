#include "teacher/plugin.h"

#include "teacher/broken.h"
#include "teacher/stan.h"
#include "teacher/umami.h"

#include <assert.h>
#include <dlfcn.h>
#include <errno.h>
#include <fenv.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const char SYMBOL[] = "distill_plugin";

struct plugin {
    char *path;
    void *library;
    const distill_target *code;
    void *handle;
    bool open;
    plugin_about about;
};

/* ---- in and out of its code */

static _Thread_local const char *inside;

const char *plugin_inside(void)
{
    return inside;
}

static void enter(const plugin *self, fenv_t *ours)
{
    fegetenv(ours);
    inside = self->path;
}

static void leave(const fenv_t *ours)
{
    inside = NULL;
    fesetenv(ours);
}

/* A message of its own, on one line and ended, whatever it wrote. */
static const char *tidy(char *message)
{
    message[DISTILL_MESSAGE - 1] = '\0';
    for (char *c = message; *c; c++)
        *c = (unsigned char)*c < ' ' ? ' ' : *c;
    return *message ? message : "it did not say why";
}

/* ---- loading */

static int check_file(const char *path, flow_err *err)
{
    struct stat is;
    if (stat(path, &is))
        return flow_fail(err, FLOW_ENOINPUT, "%s: %s", path, strerror(errno));
    if (!S_ISREG(is.st_mode))
        return flow_fail(err, FLOW_EDATA, "%s: this is no file", path);
    return 0;
}

static const char *last_error(void)
{
    const char *text = dlerror();
    return text ? text : "no reason is given";
}

/* dlopen looks for a name without '/' elsewhere. */
static int load(plugin *self, flow_err *err)
{
    size_t size = strlen(self->path) + 3;
    char *path = malloc(size);
    fenv_t ours;
    if (!path)
        return flow_fail(err, FLOW_ENOMEM, "%s: out of memory", self->path);
    snprintf(path, size, "%s%s", strchr(self->path, '/') ? "" : "./", self->path);
    enter(self, &ours);
    self->library = dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    leave(&ours);
    free(path);
    return self->library ? 0
                         : flow_fail(err, FLOW_EDATA, "%s: this library cannot be loaded: %s",
                                     self->path, last_error());
}

/* Interfaces of others, whose libraries have no table: ours speaks to them. */
static const struct {
    bool (*is_one)(void *library);
    const distill_target *code;
} spoken[] = {{stan_is_one, &stan_table}, {umami_is_one, &umami_table}};
enum { N_SPOKEN = sizeof spoken / sizeof *spoken };

/* It returns a flow_code when it opens a library. */
static bool is_ours(const distill_target *code)
{
    for (size_t i = 0; i < N_SPOKEN; i++)
        if (code == spoken[i].code)
            return true;
    return false;
}

/* Our table for a library, which is told which library that is; or not. */
static bool speak(plugin *self)
{
    for (size_t i = 0; i < N_SPOKEN && !self->code; i++)
        self->code = spoken[i].is_one(self->library) ? spoken[i].code : NULL;
    self->handle = self->library;
    return self->code != NULL;
}

static int find_table(plugin *self, flow_err *err)
{
    const distill_target *code = self->code = dlsym(self->library, SYMBOL);
    if (!code && speak(self))
        return 0;
    if (!code)
        return flow_fail(err, FLOW_EDATA,
                         "%s: the library has no symbol '%s' (distill_target.h says what it is), "
                         "and none of BridgeStan's or UMAMI's",
                         self->path, SYMBOL);
    if (code->version < 1 || code->version > DISTILL_TARGET_VERSION)
        return flow_fail(err, FLOW_EDATA,
                         "%s: it was built for version %d of distill_target.h; 1 .. %d can be",
                         self->path, code->version, DISTILL_TARGET_VERSION);
    if (!code->open || (!code->rows && !code->row))
        return flow_fail(err, FLOW_EDATA, "%s: '%s' has no function %s", self->path, SYMBOL,
                         code->open ? "rows, nor row" : "open");
    return 0;
}

/* ---- what it says of itself */

static int check_about(const plugin *self, const distill_about *a, flow_err *err)
{
    const unsigned known = DISTILL_GRADIENT | DISTILL_THREADS;
    if (a->dim == 0 || a->dim > FLOW_MAX_DIM)
        return flow_fail(err, FLOW_EDATA, "%s: it says that it has %zu columns; 1 .. %d can be",
                         self->path, a->dim, FLOW_MAX_DIM);
    if (a->flags & ~known)
        return flow_fail(err, FLOW_EDATA, "%s: it has flags 0x%x, and only 0x%x are known",
                         self->path, a->flags, known);
    if (isinf(a->log_z))
        return flow_fail(err, FLOW_EDATA, "%s: it says that log Z is infinite", self->path);
    return 0;
}

/* Visible ASCII, and nothing that a .csv would have to quote. */
static bool is_name(const char *name)
{
    size_t n = name ? strnlen(name, PLUGIN_NAME) : 0;
    bool good = n > 0 && n < PLUGIN_NAME;
    for (size_t i = 0; good && i < n; i++)
        good = name[i] > ' ' && name[i] < 127 && !strchr(",;\"'#", name[i]);
    return good;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* list (dim) is put in order. */
static int check_twice(const plugin *self, const char **list, size_t dim, flow_err *err)
{
    qsort(list, dim, sizeof *list, by_text);
    for (size_t j = 1; j < dim; j++)
        if (strcmp(list[j - 1], list[j]) == 0)
            return flow_fail(err, FLOW_EDATA, "%s: two columns are called '%s'", self->path,
                             list[j]);
    return 0;
}

static int copy_names(plugin *self, const char **list, const char *const *names, flow_err *err)
{
    plugin_about *a = &self->about;
    char *to = a->names;
    for (size_t j = 0; j < a->dim; j++) {
        if (!is_name(names[j]))
            return flow_fail(err, FLOW_EDATA,
                             "%s: the name of column %zu is empty, longer than %d or has more in "
                             "it than letters, digits and marks",
                             self->path, j, PLUGIN_NAME - 1);
        list[j] = strcpy(to, names[j]);
        to += strlen(to) + 1;
    }
    a->names_size = (size_t)(to - a->names);
    return check_twice(self, list, a->dim, err);
}

static int take_names(plugin *self, const char *const *names, flow_err *err)
{
    size_t dim = self->about.dim;
    const char **list = malloc(dim * sizeof *list);
    self->about.names = malloc(dim * PLUGIN_NAME);
    int code = list && self->about.names ? copy_names(self, list, names, err)
                                         : flow_fail(err, FLOW_ENOMEM, "out of memory for names");
    free(list);
    return code;
}

/* What is not given is none. */
static void copy_support(double *to, const distill_about *from)
{
    size_t dim = from->dim;
    for (size_t j = 0; j < dim; j++) {
        to[j] = from->lower ? from->lower[j] : -(double)INFINITY;
        to[dim + j] = from->upper ? from->upper[j] : (double)INFINITY;
        to[2 * dim + j] = from->period ? from->period[j] : 0;
    }
}

data_kind plugin_kind(const plugin_about *self, size_t j)
{
    const double *at = self->support + j;
    return (data_kind){.lo = at[0], .hi = at[self->dim], .period = at[2 * self->dim]};
}

static int take_support(plugin *self, const distill_about *from, flow_err *err)
{
    char why[DATA_KIND_WHY];
    plugin_about *a = &self->about;
    if (!from->lower && !from->upper && !from->period)
        return 0;
    if (!(a->support = malloc(3 * a->dim * sizeof *a->support)))
        return flow_fail(err, FLOW_ENOMEM, "out of memory for the support");
    copy_support(a->support, from);
    for (size_t j = 0; j < a->dim; j++) {
        data_kind kind = plugin_kind(a, j);
        if (data_kind_fault(why, &kind))
            return flow_fail(err, FLOW_EDATA, "%s: the support of column %zu: %s", self->path, j,
                             why);
    }
    return 0;
}

static int open_it(plugin *self, const char *options, flow_err *err)
{
    char message[DISTILL_MESSAGE] = "";
    distill_about about = {.log_z = NAN};
    fenv_t ours;
    enter(self, &ours);
    int code = self->code->open(&self->handle, &about, options, message);
    leave(&ours);
    if (code)
        return flow_fail(err, is_ours(self->code) ? (flow_code)code : FLOW_EDATA,
                         "%s: it could not be opened: %s", self->path, tidy(message));
    self->open = true;
    self->about = (plugin_about){.dim = about.dim, .flags = about.flags, .log_z = about.log_z};
    code = check_about(self, &about, err);
    if (!code && about.names)
        code = take_names(self, about.names, err);
    if (self->code->version < 2)
        about.period = NULL; /* of which it cannot know */
    return code ? code : take_support(self, &about, err);
}

/* ---- the whole */

plugin *plugin_open(const char *path, const char *options, flow_err *err)
{
    if (check_file(path, err))
        return NULL;
    plugin *self = calloc(1, sizeof *self);
    if (self && (self->path = strdup(path))) {
        if (load(self, err) == 0 && find_table(self, err) == 0 && open_it(self, options, err) == 0)
            return self;
    } else {
        flow_fail(err, FLOW_ENOMEM, "%s: out of memory", path);
    }
    plugin_close(self);
    return NULL;
}

static void close_it(plugin *self)
{
    fenv_t ours;
    enter(self, &ours);
    self->code->close(self->handle);
    leave(&ours);
}

void plugin_close(plugin *self)
{
    if (!self)
        return;
    if (self->open && self->code->close)
        close_it(self);
    if (self->library)
        dlclose(self->library);
    free(self->about.names);
    free(self->about.support);
    free(self->path);
    free(self);
}

const plugin_about *plugin_says(const plugin *self)
{
    return &self->about;
}

/* ---- rows */

static int fatal(const plugin *self, int code, char *message, flow_err *err)
{
    if (code == DISTILL_FATAL)
        return flow_fail(err, FLOW_EDATA, "%s: %s", self->path, tidy(message));
    return flow_fail(err, FLOW_EDATA, "%s: it returned %d, which is no code of distill_target.h",
                     self->path, code);
}

static bool is_status(int code)
{
    return code == DISTILL_GOOD || code == DISTILL_NO_DENSITY || code == DISTILL_BROKEN;
}

static target_status status_of(int code)
{
    return code == DISTILL_GOOD         ? TARGET_FINITE
           : code == DISTILL_NO_DENSITY ? TARGET_NO_DENSITY
                                        : TARGET_BROKEN;
}

/* Its code, for n points. */
static int ask(const plugin *self, double *logp, double *grad, int *how, const double *x, size_t n,
               char *message)
{
    size_t dim = self->about.dim;
    int code = DISTILL_GOOD;
    if (self->code->rows)
        return self->code->rows(self->handle, logp, grad, how, x, n, message);
    for (size_t r = 0; r < n && is_status(code); r++)
        code = how[r] = self->code->row(self->handle, logp + r, grad ? grad + r * dim : NULL,
                                        x + r * dim, message);
    return is_status(code) ? DISTILL_GOOD : code;
}

/* What it leaves unwritten is not a number. */
static void blank(double *to, size_t n)
{
    for (size_t i = 0; to && i < n; i++)
        to[i] = NAN;
}

static int ask_points(const plugin *self, double *logp, double *grad, target_status *status,
                      const double *x, size_t n, flow_err *err)
{
    char message[DISTILL_MESSAGE] = "";
    int how[FLOW_SHARD] = {DISTILL_GOOD};
    fenv_t ours;
    blank(logp, n);
    blank(grad, n * self->about.dim);
    enter(self, &ours);
    int code = ask(self, logp, grad, how, x, n, message);
    leave(&ours);
    for (size_t r = 0; r < n && is_status(code); r++) {
        int own = code == DISTILL_GOOD ? how[r] : code;
        if (!is_status(own))
            return fatal(self, own, message, err);
        status[r] = status_of(own);
    }
    return is_status(code) ? 0 : fatal(self, code, message, err);
}

/* Rows from `at` on that are points. */
static size_t points_from(const double *x, size_t dim, size_t at, size_t n)
{
    size_t end = at;
    while (end < n && broken_is_point(x + end * dim, dim))
        end++;
    return end - at;
}

int plugin_rows(const plugin *self, double *logp, double *grad, target_status *status,
                const double *x, size_t n, flow_err *err)
{
    size_t dim = self->about.dim;
    int code = 0;
    assert(n <= FLOW_SHARD);
    for (size_t r = 0; r < n && !code;) {
        size_t good = points_from(x, dim, r, n);
        if (good > 0)
            code = ask_points(self, logp + r, grad ? grad + r * dim : NULL, status + r, x + r * dim,
                              good, err);
        r += good;
        if (r < n && !code) {
            logp[r] = NAN;
            status[r++] = TARGET_BROKEN;
        }
    }
    return code;
}
