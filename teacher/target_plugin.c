/* teacher/target_plugin.c -- a density of the user's own, from a shared library (plugin/distill_target.h). */
#include "teacher/plugin_workers.h"
#include "teacher/target_density.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

extern const target_kind target_plugin;

typedef struct plugin_options {
    const char *path, *options, *data;
    uint64_t workers;
    double timeout, log_z, log_z_se;
} plugin_options;

typedef struct plugin_target {
    target base;
    plugin *here;          /* in this process, */
    plugin_workers *there; /* or in others */
    const char **names;    /* (D), into what the plug-in says; NULL: it has none */
    data_kind *kinds;      /* (D), NULL: R^D */
    quantities derived;    /* count 0: there are none */
    const char **derived_names;
} plugin_target;

static const plugin_target *down(const target *self)
{
    return (const plugin_target *)self;
}

/* ---- the interface of a target */

static void plugin_free(target *self)
{
    plugin_target *p = (plugin_target *)self;
    plugin_close(p->here);
    plugin_workers_free(p->there);
    free(p->names);
    free(p->kinds);
    free(p->derived_names);
    free(p);
}

/* There is no scratch. */
static void *plugin_work_create(const target *self, size_t max_rows, flow_err *err)
{
    (void)max_rows, (void)err;
    return (void *)(uintptr_t)self;
}

static void plugin_work_free(const target *self, void *work)
{
    (void)self, (void)work;
}

static int plugin_log_density(const target *self, double *logp, double *grad, target_status *status,
                              const double *x, const double *context, size_t n, void *work,
                              flow_err *err)
{
    const plugin_target *p = down(self);
    (void)context, (void)work;
    return p->here ? plugin_rows(p->here, logp, grad, status, x, n, err)
                   : plugin_workers_rows(p->there, logp, grad, status, x, n, err);
}

static const char *plugin_column(const target *self, char *text, size_t at)
{
    const plugin_target *p = (const plugin_target *)self;
    if (p->names)
        return p->names[at];
    snprintf(text, TARGET_COLUMN_TEXT, "x%zu", at);
    return text;
}

static const quantities *plugin_quantities_of(const target *self)
{
    const plugin_target *p = down(self);
    return p->derived.count ? &p->derived : NULL;
}

static int derive(const quantities *self, double *values, size_t k, bool *broken, char *why,
                  const double *x, size_t n, flow_err *err)
{
    const plugin_target *p = self->of;
    return p->here ? plugin_derive(p->here, values, k, broken, why, x, n, err)
                   : plugin_workers_derive(p->there, values, k, broken, why, x, n, err);
}

static const target_ops plugin_ops = {
    .name = "plugin",
    .free = plugin_free,
    .work_create = plugin_work_create,
    .work_free = plugin_work_free,
    .log_density = plugin_log_density,
    .column = plugin_column,
    .quantities = plugin_quantities_of,
};

/* ---- making one */

static int list_names(plugin_target *self, const plugin_about *about, flow_err *err)
{
    const plugin_derived *d = &about->derived;
    if (about->names && !(self->names = plugin_library_list(about->names, about->dim, err)))
        return err->code;
    if (d->count && !(self->derived_names = plugin_library_list(d->names, d->count, err)))
        return err->code;
    self->derived = (quantities){.dim = about->dim,
                                 .count = d->count,
                                 .usual = d->usual,
                                 .instead = d->flags & DISTILL_INSTEAD,
                                 .threads = self->there || d->flags & DISTILL_THREADS,
                                 .names = self->derived_names,
                                 .of = self,
                                 .derive = derive};
    return 0;
}

static int list_kinds(plugin_target *self, const plugin_about *about, flow_err *err)
{
    if (!about->support)
        return 0;
    if (!(self->kinds = malloc(about->dim * sizeof *self->kinds)))
        return flow_fail(err, FLOW_ENOMEM, "out of memory for %zu columns", about->dim);
    for (size_t j = 0; j < about->dim; j++)
        self->kinds[j] = plugin_kind(about, j);
    self->base.kinds = self->kinds;
    return 0;
}

static int describe(plugin_target *self, const plugin_about *about, const plugin_options *o,
                    flow_err *err)
{
    self->base.ops = &plugin_ops;
    self->base.dim = about->dim;
    self->base.flags |= about->flags & DISTILL_GRADIENT ? TARGET_GRADIENT : 0;
    self->base.flags |= TARGET_DEAR;
    self->base.flags |= self->there || about->flags & DISTILL_THREADS ? TARGET_THREADS : 0;
    target_density_log_z(&self->base, o->log_z, o->log_z_se, about->log_z);
    int code = list_names(self, about, err);
    return code ? code : list_kinds(self, about, err);
}

static int begin(plugin_target *self, const plugin_options *o, flow_err *err)
{
    const char *options = o->data ? o->data : o->options ? o->options : "";
    if (o->workers == 0)
        self->here = plugin_open(o->path, options, err);
    else
        self->there = plugin_workers_create(o->path, options, o->workers, o->timeout, err);
    if (!self->here && !self->there)
        return err->code;
    return describe(self, self->here ? plugin_says(self->here) : plugin_workers_say(self->there), o,
                    err);
}

static target *plugin_create(const json_t *object, flow_err *err)
{
    plugin_options *options = flow_kind_read(&target_plugin.kind, object, err);
    plugin_target *self = options ? calloc(1, sizeof *self) : NULL;
    if (options && !self)
        flow_fail(err, FLOW_ENOMEM, "out of memory for a target");
    bool good = self && begin(self, options, err) == 0;
    free(options);
    if (good)
        return &self->base;
    if (self)
        plugin_free(&self->base);
    return NULL;
}

static const char *plugin_conflict(char *why, size_t size, const void *options)
{
    const plugin_options *o = options;
    if (o->data && o->options) {
        snprintf(why, size, "cannot stand beside options: the library is opened with one text");
        return "data";
    }
    return target_density_log_z_conflict(why, size, o->log_z, o->log_z_se);
}

static const flow_key plugin_keys[] = {
    {FLOW_KEY(plugin_options, path), .type = FLOW_KEY_TEXT,
     .flags = FLOW_KEY_REQUIRED | FLOW_KEY_FILE, .min = 1, .max = 4096,
     .doc = "A shared library (.so): a Stan model that BridgeStan built, a matrix element of UMAMI "
            "(MadGraph), or one that was built with distill_target.h; its symbols tell. See "
            "plugin/README.md. It is code: it runs with "
            "all your rights, also when a config is only checked."},
    {FLOW_KEY(plugin_options, options), .type = FLOW_KEY_TEXT, .min = 0, .max = 65536,
     .doc = "Text that the library is opened with, as it wants it: a path, some JSON; a Stan model "
            "wants its data as JSON, a matrix element its energy, card and cuts. Paths in it are "
            "the library's affair."},
    {FLOW_KEY(plugin_options, data), .type = FLOW_KEY_TEXT, .flags = FLOW_KEY_FILE, .min = 1,
     .max = 4096,
     .doc = "A file whose path the library is opened with, in the place of options: the data of a "
            "Stan model, or the options of a matrix element, a file .json."},
    {FLOW_KEY(plugin_options, workers), .type = FLOW_KEY_WHOLE, .min = 0, .max = PLUGIN_MAX_WORKERS,
     .def = "0",
     .doc = "Processes that the library runs in, each with a handle of its own; 0: in this one. In "
            "a worker it may crash, hang, exit or print: the worker is replaced, and the row that "
            "it was lost at is named and counts as broken. Changes no bit. More than there are "
            "threads are idle."},
    {FLOW_KEY(plugin_options, timeout), .type = FLOW_KEY_REAL, .flags = FLOW_KEY_OPEN_MIN, .min = 0,
     .max = 1e6, .def = "30", .unit = "s", .only = "workers > 0",
     .doc = "How long a worker may take to open the library, or for a call of up to 128 rows, "
            "before it is ended."},
    {FLOW_KEY(plugin_options, log_z), .type = FLOW_KEY_REAL, .flags = FLOW_KEY_AUTO,
     .min = -INFINITY, .max = INFINITY, .def = "auto", .unit = "nats",
     .doc = "log of the integral of the density, if it is known from elsewhere; auto: what the "
            "library says, if anything."},
    {FLOW_KEY(plugin_options, log_z_se), .type = FLOW_KEY_REAL, .min = 0, .max = INFINITY,
     .def = "0", .unit = "nats", .only = "log_z",
     .doc = "Standard error of that log_z, which the verdict's KLs then have too; 0: it is exact."},
    TARGET_COLUMNS_KEY,
    {.name = NULL}};

const target_kind target_plugin = {
    .kind = {.name = "plugin",
             .doc = "a density of your own, from a shared library",
             .keys = plugin_keys,
             .size = sizeof(plugin_options),
             .conflict = plugin_conflict},
    .create = plugin_create,
};
