/* teacher/plugin_library.h -- a shared library of the user's: loaded, its code entered and left, what it says made fit to be
 * shown. */
#ifndef TEACHER_PLUGIN_LIBRARY_H
#define TEACHER_PLUGIN_LIBRARY_H

#include "flow/err.h"

#include <fenv.h>
#include <stddef.h>

/* What it is to those who use it. */
typedef enum plugin_role { PLUGIN_TARGET, PLUGIN_FUNCTION } plugin_role;

/* Of dlopen; its code stays in the process. FLOW_ENOINPUT: no such file; FLOW_EDATA: no library. */
void *plugin_library_load(const char *path, plugin_role role, flow_err *err);

/* Around each call of its code: what it does to the rounding mode is undone. */
void plugin_library_enter(const char *path, plugin_role role, fenv_t *ours);
void plugin_library_leave(const fenv_t *ours);

/* The path of the library whose code this thread is in, and what it is; NULL: none. For those who are told that the process
 * ends (exit handlers, signals), on the thread that ends it. */
const char *plugin_inside(plugin_role *role);

/* A message of its own (size bytes), on one line and ended, whatever it wrote; words of ours if it is empty. */
const char *plugin_library_tidy(char *message, size_t size);

enum { PLUGIN_NAME = 64 }; /* bytes of a name, its '\0' included */

/* A copy of n names, each with its '\0', one behind the other: new memory, *size bytes. NULL, FLOW_EDATA: one is missing, too long,
 * has signs in it that a .csv would have to quote, or is there twice; what, whats: "column", "columns". */
char *plugin_library_names(size_t *size, const char *path, const char *what, const char *whats,
                           const char *const *names, size_t n, flow_err *err);

/* The same as a list (n) into them, new memory; FLOW_ENOMEM. */
const char **plugin_library_list(const char *names, size_t n, flow_err *err);

#endif
