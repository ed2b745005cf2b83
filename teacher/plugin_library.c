#include "teacher/plugin_library.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* ---- in and out of its code */

static _Thread_local const char *inside;
static _Thread_local plugin_role inside_as;

const char *plugin_inside(plugin_role *role)
{
    *role = inside_as;
    return inside;
}

void plugin_library_enter(const char *path, plugin_role role, fenv_t *ours)
{
    fegetenv(ours);
    inside_as = role;
    inside = path;
}

void plugin_library_leave(const fenv_t *ours)
{
    inside = NULL;
    fesetenv(ours);
}

const char *plugin_library_tidy(char *message, size_t size)
{
    message[size - 1] = '\0';
    for (char *c = message; *c; c++)
        *c = (unsigned char)*c < ' ' ? ' ' : *c;
    for (size_t n = strlen(message); n > 0 && message[n - 1] == ' '; n--)
        message[n - 1] = '\0';
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
void *plugin_library_load(const char *path, plugin_role role, flow_err *err)
{
    if (check_file(path, err))
        return NULL;
    size_t size = strlen(path) + 3;
    char *name = malloc(size);
    fenv_t ours;
    if (!name) {
        flow_fail(err, FLOW_ENOMEM, "%s: out of memory", path);
        return NULL;
    }
    snprintf(name, size, "%s%s", strchr(path, '/') ? "" : "./", path);
    plugin_library_enter(path, role, &ours);
    void *library = dlopen(name, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    plugin_library_leave(&ours);
    free(name);
    if (!library)
        flow_fail(err, FLOW_EDATA, "%s: this library cannot be loaded: %s", path, last_error());
    return library;
}

/* ---- names */

/* Visible ASCII, and nothing that a .csv would have to quote. */
static bool is_name(const char *name)
{
    size_t n = name ? strnlen(name, PLUGIN_NAME) : 0;
    bool good = n > 0 && n < PLUGIN_NAME;
    for (size_t i = 0; good && i < n; i++)
        good = name[i] > ' ' && name[i] < 127 && !strchr(",;\"'#", name[i]);
    return good;
}

/* Bytes of all; 0: one is no name. */
static size_t size_of(const char *path, const char *what, const char *const *names, size_t n,
                      flow_err *err)
{
    size_t size = 0;
    for (size_t j = 0; j < n; j++) {
        if (!is_name(names[j])) {
            flow_fail(err, FLOW_EDATA,
                      "%s: the name of %s %zu is empty, longer than %d or has more in "
                      "it than letters, digits and marks",
                      path, what, j, PLUGIN_NAME - 1);
            return 0;
        }
        size += strlen(names[j]) + 1;
    }
    return size;
}

const char **plugin_library_list(const char *names, size_t n, flow_err *err)
{
    const char **list = malloc(n * sizeof *list);
    if (!list)
        flow_fail(err, FLOW_ENOMEM, "out of memory for %zu names", n);
    for (size_t j = 0; list && j < n; j++, names += strlen(names) + 1)
        list[j] = names;
    return list;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int check_twice(const char *path, const char *whats, const char *names, size_t n,
                       flow_err *err)
{
    const char **list = plugin_library_list(names, n, err), *twice = NULL;
    if (!list)
        return err->code;
    qsort(list, n, sizeof *list, by_text);
    for (size_t j = 1; j < n && !twice; j++)
        twice = strcmp(list[j - 1], list[j]) == 0 ? list[j] : NULL;
    free(list);
    return twice ? flow_fail(err, FLOW_EDATA, "%s: two %s are called '%s'", path, whats, twice) : 0;
}

char *plugin_library_names(size_t *size, const char *path, const char *what, const char *whats,
                           const char *const *names, size_t n, flow_err *err)
{
    if (!(*size = size_of(path, what, names, n, err)))
        return NULL;
    char *out = malloc(*size), *to = out;
    if (!out)
        flow_fail(err, FLOW_ENOMEM, "out of memory for names");
    for (size_t j = 0; out && j < n; j++)
        to += strlen(strcpy(to, names[j])) + 1;
    if (!out || check_twice(path, whats, out, n, err) == 0)
        return out;
    free(out);
    return NULL;
}
