#include "teacher/plugin_quantities.h"

#include "teacher/plugin_library.h"
#include "teacher/stan.h"

#include <dlfcn.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char SYMBOL[] = "distill_quantities";

int plugin_quantities_find(const distill_derived **code, void *library, const char *path,
                           flow_err *err)
{
    const distill_derived *found = *code = dlsym(library, SYMBOL);
    if (!found)
        return 0;
    if (found->version != DISTILL_QUANTITIES_VERSION)
        return flow_fail(
            err, FLOW_EDATA,
            "%s: it was built for version %d of distill_quantities.h, this is version %d", path,
            found->version, DISTILL_QUANTITIES_VERSION);
    if (!found->open || !found->rows)
        return flow_fail(err, FLOW_EDATA, "%s: '%s' has no function %s", path, SYMBOL,
                         found->open ? "rows" : "open");
    return 0;
}

/* ---- what it says of itself */

static int check_about(const char *path, const distill_quantities_about *a, flow_err *err)
{
    const unsigned known = DISTILL_THREADS | DISTILL_INSTEAD;
    if (a->count == 0 || a->count > PLUGIN_MAX_QUANTITIES)
        return flow_fail(err, FLOW_EDATA, "%s: it says that it has %zu quantities; 1 .. %d can be",
                         path, a->count, PLUGIN_MAX_QUANTITIES);
    if (a->usual > a->count)
        return flow_fail(err, FLOW_EDATA, "%s: it says that %zu of %zu quantities are usual", path,
                         a->usual, a->count);
    if (a->flags & ~known)
        return flow_fail(err, FLOW_EDATA,
                         "%s: its quantities have flags 0x%x, and only 0x%x are known", path,
                         a->flags, known);
    if (!a->names)
        return flow_fail(err, FLOW_EDATA, "%s: its quantities have no names", path);
    return 0;
}

/* What stands behind columns has other names. */
static int check_names(const plugin_quantities *self, const distill_quantities_about *a,
                       const char *const *columns, flow_err *err)
{
    for (size_t j = 0; j < a->count && !(a->flags & DISTILL_INSTEAD); j++)
        for (size_t i = 0; i < self->dim; i++)
            if (a->names[j] && strcmp(a->names[j], columns[i]) == 0)
                return flow_fail(err, FLOW_EDATA, "%s: a quantity is called '%s', as a column is",
                                 self->path, columns[i]);
    return 0;
}

static int take(plugin_quantities *self, const distill_quantities_about *a,
                const char *const *columns, flow_err *err)
{
    if (check_about(self->path, a, err) || check_names(self, a, columns, err))
        return err->code;
    self->about = (plugin_derived){.usual = a->usual ? a->usual : a->count, .flags = a->flags};
    self->about.names = plugin_library_names(&self->about.names_size, self->path, "quantity",
                                             "quantities", a->names, a->count, err);
    self->about.count = self->about.names ? a->count : 0;
    return self->about.names ? 0 : err->code;
}

int plugin_quantities_open(plugin_quantities *self, const char *const *columns, size_t dim,
                           const char *options, flow_err *err)
{
    char message[DISTILL_MESSAGE] = "";
    distill_quantities_about about = {.count = 0};
    fenv_t ours;
    self->dim = dim;
    plugin_library_enter(self->path, self->role, &ours);
    int code = self->code->open(&self->handle, &about, columns, dim, options, message);
    plugin_library_leave(&ours);
    if (code)
        return flow_fail(err, self->code == &stan_quantities ? (flow_code)code : FLOW_EDATA,
                         "%s: its quantities could not be opened: %s", self->path,
                         plugin_library_tidy(message, sizeof message));
    self->open = true;
    return take(self, &about, columns, err);
}

void plugin_quantities_close(plugin_quantities *self)
{
    fenv_t ours;
    free(self->about.names);
    if (!self->open || !self->code->close)
        return;
    plugin_library_enter(self->path, self->role, &ours);
    self->code->close(self->handle);
    plugin_library_leave(&ours);
}

/* ---- rows */

static int refuse(const plugin_quantities *self, int code, char *message, flow_err *err)
{
    if (code == DISTILL_FATAL)
        return flow_fail(err, FLOW_EDATA, "%s: %s", self->path,
                         plugin_library_tidy(message, DISTILL_MESSAGE));
    return flow_fail(err, FLOW_EDATA,
                     "%s: it returned %d, which is no code of distill_quantities.h", self->path,
                     code);
}

static bool is_status(int code)
{
    return code == DISTILL_GOOD || code == DISTILL_BROKEN;
}

int plugin_quantities_rows(const plugin_quantities *self, double *values, size_t k, bool *broken,
                           char *why, const double *x, size_t n, flow_err *err)
{
    char message[DISTILL_MESSAGE] = "";
    int how[FLOW_SHARD] = {DISTILL_GOOD};
    fenv_t ours;
    for (size_t i = 0; i < n * k; i++)
        values[i] = NAN;
    plugin_library_enter(self->path, self->role, &ours);
    int code = self->code->rows(self->handle, values, k, how, x, n, message);
    plugin_library_leave(&ours);
    for (size_t r = 0; r < n && is_status(code); r++) {
        if (!is_status(how[r]))
            return refuse(self, how[r], message, err);
        broken[r] = code == DISTILL_BROKEN || how[r] == DISTILL_BROKEN;
    }
    snprintf(why, QUANTITIES_WHY, "%.*s", QUANTITIES_WHY - 1,
             plugin_library_tidy(message, sizeof message));
    return is_status(code) ? 0 : refuse(self, code, message, err);
}

/* ---- a library by itself */

typedef struct alone {
    quantities base;
    plugin_quantities here;
    char *path;
    void *library;
    const char **names;
} alone;

static int derive_here(const quantities *self, double *values, size_t k, bool *broken, char *why,
                       const double *x, size_t n, flow_err *err)
{
    return plugin_quantities_rows(self->of, values, k, broken, why, x, n, err);
}

void plugin_quantities_free(quantities *self)
{
    alone *a = (alone *)self;
    if (!a)
        return;
    plugin_quantities_close(&a->here);
    if (a->library)
        dlclose(a->library);
    free(a->names);
    free(a->path);
    free(a);
}

static int find_code(alone *self, flow_err *err)
{
    if (!(self->library = plugin_library_load(self->path, PLUGIN_FUNCTION, err)) ||
        plugin_quantities_find(&self->here.code, self->library, self->path, err))
        return err->code;
    return self->here.code ? 0
                           : flow_fail(err, FLOW_EDATA,
                                       "%s: the library has no symbol '%s' "
                                       "(distill_quantities.h says what it is)",
                                       self->path, SYMBOL);
}

static int open_alone(alone *self, const char *const *columns, size_t dim, const char *options,
                      flow_err *err)
{
    const plugin_derived *about = &self->here.about;
    if (find_code(self, err))
        return err->code;
    self->here.path = self->path;
    self->here.role = PLUGIN_FUNCTION;
    if (plugin_quantities_open(&self->here, columns, dim, options, err) ||
        !(self->names = plugin_library_list(about->names, about->count, err)))
        return err->code;
    self->base = (quantities){.dim = dim,
                              .count = about->count,
                              .usual = about->usual,
                              .instead = about->flags & DISTILL_INSTEAD,
                              .threads = about->flags & DISTILL_THREADS,
                              .names = self->names,
                              .of = &self->here,
                              .derive = derive_here};
    return 0;
}

quantities *plugin_quantities_create(const char *path, const char *const *columns, size_t dim,
                                     const char *options, flow_err *err)
{
    alone *self = calloc(1, sizeof *self);
    if (self && (self->path = strdup(path))) {
        if (open_alone(self, columns, dim, options, err) == 0)
            return &self->base;
    } else {
        flow_fail(err, FLOW_ENOMEM, "%s: out of memory", path);
    }
    plugin_quantities_free((quantities *)self);
    return NULL;
}
