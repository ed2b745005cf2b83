#include "teacher/plugin.h"

#include "teacher/broken.h"
#include "teacher/plugin_library.h"
#include "teacher/stan.h"
#include "teacher/umami.h"

#include <assert.h>
#include <dlfcn.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char SYMBOL[] = "distill_plugin";

struct plugin {
    char *path;
    void *library;
    const distill_target *code;
    void *handle;
    bool open;
    plugin_about about;
    plugin_quantities derived; /* its own handle, or, of a Stan model, the same */
};

/* ---- in and out of its code */

static void enter(const plugin *self, fenv_t *ours)
{
    plugin_library_enter(self->path, PLUGIN_TARGET, ours);
}

static void leave(const fenv_t *ours)
{
    plugin_library_leave(ours);
}

static const char *tidy(char *message)
{
    return plugin_library_tidy(message, DISTILL_MESSAGE);
}

/* ---- loading */

/* Interfaces of others, whose libraries have no table: ours speaks to them. */
static const struct {
    bool (*is_one)(void *library);
    const distill_target *code;
    const distill_derived *quantities; /* with the same handle */
} spoken[] = {{stan_is_one, &stan_table, &stan_quantities},
              {umami_is_one, &umami_table, &umami_quantities}};
enum { N_SPOKEN = sizeof spoken / sizeof *spoken };

/* Which of them has that table, which returns a flow_code when it opens a library; N_SPOKEN: none. */
static size_t which(const distill_target *code)
{
    size_t i = 0;
    while (i < N_SPOKEN && code != spoken[i].code)
        i++;
    return i;
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

static int take_names(plugin *self, const char *const *names, flow_err *err)
{
    plugin_about *a = &self->about;
    a->names =
        plugin_library_names(&a->names_size, self->path, "column", "columns", names, a->dim, err);
    return a->names ? 0 : err->code;
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
        return flow_fail(err, which(self->code) < N_SPOKEN ? (flow_code)code : FLOW_EDATA,
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

/* ---- its quantities */

/* What columns are called that have no names: x0, x1, ... */
static char *made_up(size_t dim)
{
    char *out = malloc(dim * TARGET_COLUMN_TEXT), *to = out;
    for (size_t j = 0; out && j < dim; j++)
        to += snprintf(to, TARGET_COLUMN_TEXT, "x%zu", j) + 1;
    return out;
}

static int open_derived(plugin *self, const char *options, flow_err *err)
{
    plugin_about *a = &self->about;
    char *own = a->names ? NULL : made_up(a->dim);
    const char *names = a->names ? a->names : own;
    const char **columns = names ? plugin_library_list(names, a->dim, err) : NULL;
    int code = columns ? plugin_quantities_open(&self->derived, columns, a->dim, options, err)
                       : flow_fail(err, FLOW_ENOMEM, "out of memory for names");
    a->derived = self->derived.about;
    free(columns);
    free(own);
    return code;
}

static int find_derived(plugin *self, const char *options, flow_err *err)
{
    self->derived.path = self->path;
    if (which(self->code) < N_SPOKEN) {
        self->derived.code = spoken[which(self->code)].quantities;
        self->derived.handle = self->handle;
    } else if (plugin_quantities_find(&self->derived.code, self->library, self->path, err)) {
        return err->code;
    }
    return self->derived.code ? open_derived(self, options, err) : 0;
}

/* ---- the whole */

plugin *plugin_open(const char *path, const char *options, flow_err *err)
{
    plugin *self = calloc(1, sizeof *self);
    if (self && (self->path = strdup(path))) {
        if ((self->library = plugin_library_load(path, PLUGIN_TARGET, err)) &&
            find_table(self, err) == 0 && open_it(self, options, err) == 0 &&
            find_derived(self, options, err) == 0)
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
    plugin_quantities_close(&self->derived);
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

int plugin_derive(const plugin *self, double *values, size_t k, bool *broken, char *why,
                  const double *x, size_t n, flow_err *err)
{
    return plugin_quantities_rows(&self->derived, values, k, broken, why, x, n, err);
}
