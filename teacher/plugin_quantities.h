/* teacher/plugin_quantities.h -- the quantities of a shared library (plugin/distill_quantities.h) in this process: opened, held
 * to its word, asked. */
#ifndef TEACHER_PLUGIN_QUANTITIES_H
#define TEACHER_PLUGIN_QUANTITIES_H

#include "plugin/distill_quantities.h"
#include "teacher/plugin_library.h"
#include "teacher/quantities.h"

enum { PLUGIN_MAX_QUANTITIES = 1 << 20 };

/* What it says of them, once that is known to make sense. */
typedef struct plugin_derived {
    size_t count, usual; /* 0: it has none */
    unsigned flags;      /* DISTILL_THREADS | DISTILL_INSTEAD */
    size_t names_size;
    char *names; /* count texts, as plugin_library_names has them */
} plugin_derived;

typedef struct plugin_quantities {
    const char *path; /* borrowed */
    plugin_role role;
    const distill_derived *code;
    void *handle;
    bool open;
    size_t dim;
    plugin_derived about;
} plugin_quantities;

/* The table of a library (of dlopen) becomes code; NULL: it has none. FLOW_EDATA: of another version, or without functions. */
int plugin_quantities_find(const distill_derived **code, void *library, const char *path,
                           flow_err *err);

/* self has path, role, code, and the handle that `open` is given. columns (dim). To be closed also after a failure. */
int plugin_quantities_open(plugin_quantities *self, const char *const *columns, size_t dim,
                           const char *options, flow_err *err);
void plugin_quantities_close(plugin_quantities *self);

/* As derive of quantities.h. */
int plugin_quantities_rows(const plugin_quantities *self, double *values, size_t k, bool *broken,
                           char *why, const double *x, size_t n, flow_err *err);

/* Those of a library that is used for them alone, of rows of these columns (dim). It may also have a density, which is left
 * alone. FLOW_ENOINPUT, FLOW_EDATA; messages begin with the path. */
quantities *plugin_quantities_create(const char *path, const char *const *columns, size_t dim,
                                     const char *options, flow_err *err);
void plugin_quantities_free(quantities *self); /* accepts NULL; of plugin_quantities_create */

#endif
