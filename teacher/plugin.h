/* teacher/plugin.h -- a density in a shared library (plugin/distill_target.h, or an interface of others: stan.h, umami.h), in this process:
 * loaded, held to its word, and asked. */
#ifndef TEACHER_PLUGIN_H
#define TEACHER_PLUGIN_H

#include "plugin/distill_target.h"
#include "teacher/plugin_library.h"
#include "teacher/plugin_quantities.h"
#include "teacher/target.h"

typedef struct plugin plugin;

/* What it says of itself, once that is known to make sense. */
typedef struct plugin_about {
    size_t dim;        /* 1 .. FLOW_MAX_DIM */
    unsigned flags;    /* DISTILL_GRADIENT | DISTILL_THREADS */
    double log_z;      /* finite, or NAN: not known */
    size_t names_size; /* bytes of names */
    char *names;       /* dim texts, each with its '\0', one behind the other; NULL: none */
    double *
        support; /* (3, dim): lower ends, upper ends, -+INFINITY where there is none; periods or 0. NULL: R^dim */
    plugin_derived derived; /* its quantities */
} plugin_about;

/* Column j of it, which has a support. */
data_kind plugin_kind(const plugin_about *self, size_t j);

/* Loads the library at path and opens it with these options. What its own code does to the rounding mode is
 * undone, here and in every call. The code of a library stays in the process. FLOW_ENOINPUT: no such file;
 * FLOW_EDATA: anything else that is wrong with it; messages begin with the path. */
plugin *plugin_open(const char *path, const char *options, flow_err *err);
void plugin_close(plugin *self); /* accepts NULL */

/* Its own. */
const plugin_about *plugin_says(const plugin *self);

/* As log_density of target_ops; n <= FLOW_SHARD. It is asked for points alone: a row that is none is broken. */
int plugin_rows(const plugin *self, double *logp, double *grad, target_status *status,
                const double *x, size_t n, flow_err *err);

/* As derive of quantities.h; it has some. */
int plugin_derive(const plugin *self, double *values, size_t k, bool *broken, char *why,
                  const double *x, size_t n, flow_err *err);

#endif
