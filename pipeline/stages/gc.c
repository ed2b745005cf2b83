#include "pipeline/stages/gc.h"

#include "flow/json.h"
#include "pipeline/console/exit.h"
#include "pipeline/stages/links.h"
#include "pipeline/stages/why.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

typedef struct sweeping {
    const char *root;
    bool dry;
    json_t *used; /* {"stages/teacher-3f9a1c2e": true} */
    size_t n;
    long long bytes;
} sweeping;

/* ---- what is used */

static int use_link(void *arg, const char *name, const char *to, flow_err *err)
{
    sweeping *self = arg;
    char folder[RUNDIR_PATH];
    (void)name;
    (void)err;
    snprintf(folder, sizeof folder, "%s", to);
    char *slash = strrchr(folder, '/');
    *slash = '\0';
    flow_json_set(&self->used, folder, json_true());
    return 0;
}

static void use_set(sweeping *self, const json_t *current)
{
    const char *name;
    json_t *key;
    char folder[STORE_NAME];
    json_object_foreach(json_object_get(current, "stages"), name, key)
        flow_json_set(&self->used, store_name(folder, name, json_string_value(key)), json_true());
    const char *record = json_string_value(json_object_get(current, "record"));
    if (record)
        flow_json_set(&self->used, record, json_true());
}

static int find_used(sweeping *self, flow_err *err)
{
    json_t *current = why_current(self->root);
    self->used = json_object();
    use_set(self, current);
    int code = links_each(self->root, use_link, self, err);
    json_decref(current);
    return code         ? code
           : self->used ? 0
                        : flow_fail(err, FLOW_ENOMEM, "out of memory for what is used");
}

/* ---- what is not */

static long long size_of(const char *path)
{
    char file[RUNDIR_PATH];
    struct stat is;
    long long sum = 0;
    DIR *folder = opendir(path);
    for (struct dirent *e; folder && (e = readdir(folder));) {
        snprintf(file, sizeof file, "%.3000s/%s", path, e->d_name);
        if (lstat(file, &is) == 0 && S_ISREG(is.st_mode))
            sum += is.st_size;
    }
    if (folder)
        closedir(folder);
    return sum;
}

static int drop(sweeping *self, const char *name, const char *path, flow_err *err)
{
    long long bytes = size_of(path);
    self->n++;
    self->bytes += bytes;
    printf("%12lld  %s\n", bytes, name);
    return self->dry ? 0 : rundir_remove_flat(path, err);
}

static int look_at(sweeping *self, const char *last, flow_err *err)
{
    char name[RUNDIR_PATH], path[RUNDIR_PATH];
    struct stat is;
    snprintf(name, sizeof name, "stages/%.300s", last);
    snprintf(path, sizeof path, "%.2000s/%.1000s", self->root, name);
    if (last[0] == '.' || strcmp(name, LINKS_EARLIER) == 0 || lstat(path, &is) ||
        !S_ISDIR(is.st_mode) || json_object_get(self->used, name))
        return 0;
    return drop(self, name, path, err);
}

static int sweep(sweeping *self, flow_err *err)
{
    char path[RUNDIR_PATH];
    snprintf(path, sizeof path, "%.2000s/stages", self->root);
    DIR *folder = opendir(path);
    if (!folder)
        return flow_fail(err, FLOW_ENOINPUT, "%s: %s", path, strerror(errno));
    int code = 0;
    for (struct dirent *e; !code && (e = readdir(folder));)
        code = look_at(self, e->d_name, err);
    closedir(folder);
    return code;
}

int gc_verb(const char *root, bool dry)
{
    flow_err err = FLOW_ERR_INIT;
    rundir dir = {.lock = -1};
    sweeping self = {.root = root, .dry = dry};
    int code = rundir_is_run(root) ? rundir_open(&dir, root, &err)
                                   : flow_fail(&err, FLOW_ENOINPUT, "%s: no run is there", root);
    if (!code)
        code = why_current_check(root, &err);
    if (!code)
        code = find_used(&self, &err);
    if (!code)
        code = sweep(&self, &err);
    if (!code)
        printf("%12lld  bytes of %zu result%s that %s\n", self.bytes, self.n,
               self.n == 1 ? "" : "s", dry ? "would go" : "are gone");
    json_decref(self.used);
    rundir_close(&dir);
    return code ? exit_fail(&err) : EXIT_GOOD;
}
