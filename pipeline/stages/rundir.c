#include "pipeline/stages/rundir.h"

#include "files/atomic.h"
#include "flow/json.h"
#include "pipeline/stages/links_change.h"
#include "pipeline/stages/lock.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int fail_errno(flow_err *err, flow_code code, const char *path)
{
    if (code == FLOW_ECREATE)
        code = (flow_code)file_create_code(errno);
    return flow_fail(err, code, "%s: %s", path, file_why(errno));
}

/* ---- the directory */

/* mkdir -p, up to `length` bytes of path. */
static int make_folders(const char *path, size_t length, flow_err *err)
{
    char at[RUNDIR_PATH];
    for (size_t i = 1; i <= length; i++) {
        if (i < length && path[i] != '/')
            continue;
        memcpy(at, path, i);
        at[i] = '\0';
        if (mkdir(at, 0777) && errno != EEXIST)
            return fail_errno(err, FLOW_ECREATE, at);
    }
    return 0;
}

static bool is_dots(const char *name)
{
    return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

/* 1 if the folder holds what no run leaves before its first file is whole, 0 if not, negative on errors: not the lock, temporary
 * files, and `empty`, a folder of the same. */
static int occupied(const char *path, const char *empty, flow_err *err)
{
    char inside[RUNDIR_PATH];
    DIR *folder = opendir(path);
    if (!folder)
        return fail_errno(err, FLOW_ECREATE, path);
    int found = 0;
    for (struct dirent *e; found == 0 && (e = readdir(folder));)
        if (strcmp(e->d_name, empty) == 0)
            found = occupied(rundir_in(inside, path, empty), "", err);
        else
            found = !is_dots(e->d_name) && strcmp(e->d_name, LOCK_FILE) != 0 &&
                    !e->d_name[file_atomic_stem(e->d_name)];
    closedir(folder);
    return found;
}

rundir rundir_at(const char *root)
{
    rundir out = {.lock = -1};
    snprintf(out.root, sizeof out.root, "%s", root);
    return out;
}

bool rundir_is_folder(const char *path)
{
    struct stat is;
    return stat(path, &is) == 0 && S_ISDIR(is.st_mode);
}

const char *rundir_folder(const rundir *self)
{
    return self->root + strlen(self->home) + 1;
}

const char *rundir_in(char *out, const char *root, const char *name)
{
    snprintf(out, RUNDIR_PATH, "%.2000s/%.2000s", root, name);
    return out;
}

int rundir_make_folders(const char *path, flow_err *err)
{
    return make_folders(path, strlen(path), err);
}

bool rundir_is_run(const char *root)
{
    char mark[RUNDIR_PATH], memory[RUNDIR_PATH];
    struct stat is; /* of a link of ours, though what it leads to may be gone */
    snprintf(mark, sizeof mark, "%s/resolved.json", root);
    snprintf(memory, sizeof memory, "%s/" RUNDIR_MEMORY, root);
    return lstat(mark, &is) == 0 || access(memory, F_OK) == 0;
}

int rundir_open(rundir *self, const char *root, flow_err *err)
{
    *self = (rundir){.lock = -1};
    if (strlen(root) >= RUNDIR_PATH / 2)
        return flow_fail(err, FLOW_ECREATE, "%.60s...: the path is too long", root);
    strcpy(self->root, root);
    if (make_folders(root, strlen(root), err))
        return err->code;
    int any = occupied(root, "stages", err);
    if (any > 0 && !rundir_is_run(root))
        return flow_fail(err, FLOW_ECREATE,
                         "%s: holds files that are not of a run; choose another --out", root);
    if (any >= 0)
        self->lock = lock_take(root, err);
    return self->lock < 0 ? err->code : 0;
}

void rundir_close(rundir *self)
{
    if (self->lock >= 0)
        close(self->lock);
    self->lock = -1;
}

static int gone(const char *root, flow_err *err)
{
    return flow_fail(err, FLOW_EIO, "%s is gone: it was removed while the run was at work", root);
}

int rundir_check(const rundir *self, flow_err *err)
{
    char path[RUNDIR_PATH];
    struct stat held, there;
    if (self->home) /* a stage's, which was made when it began */
        return access(self->root, F_OK) ? gone(self->home, err) : 0;
    rundir_in(path, self->root, LOCK_FILE);
    if (self->lock < 0 || (fstat(self->lock, &held) == 0 && stat(path, &there) == 0 &&
                           held.st_ino == there.st_ino && held.st_dev == there.st_dev))
        return 0;
    return gone(self->root, err);
}

int rundir_check_plain(const char *path, flow_err *err)
{
    struct stat is;
    if (stat(path, &is) || S_ISREG(is.st_mode))
        return 0;
    return flow_fail(err, FLOW_ECREATE, "%s: is in the way, and no plain file", path);
}

const char *rundir_path(const rundir *self, char *out, const char *name, flow_err *err)
{
    const char *slash = self->home ? strrchr(name, '/') : NULL;
    int length = snprintf(out, RUNDIR_PATH, "%s/%s", self->root, slash ? slash + 1 : name);
    if (length < 0 || length >= RUNDIR_PATH) {
        flow_fail(err, FLOW_ECREATE, "%s: the path is too long", name);
        return NULL;
    }
    if (self->home)
        return rundir_check(self, err) ? NULL : out;
    size_t folder = (size_t)(strrchr(out, '/') - out);
    return make_folders(out, folder, err) ? NULL : out;
}

const char *rundir_shown(const rundir *self, char *out, const char *name)
{
    return rundir_in(out, self->home ? self->home : self->root, name);
}

/* ---- files */

int rundir_write_text(const rundir *self, const char *name, const char *text, flow_err *err)
{
    char path[RUNDIR_PATH];
    if (!rundir_path(self, path, name, err))
        return err->code;
    return rundir_check_plain(path, err) ? err->code
                                         : file_atomic_write(path, text, strlen(text), err);
}

int rundir_write_json(const rundir *self, const char *name, const json_t *value, flow_err *err)
{
    char *text = flow_json_line(value, JSON_INDENT(2) | JSON_SORT_KEYS);
    int code = text ? rundir_write_text(self, name, text, err)
                    : flow_fail(err, FLOW_ENOMEM, "%s: out of memory", name);
    free(text);
    return code;
}

bool rundir_fits(const char *pattern, const char *file)
{
    const char *slash = strrchr(pattern, '/'), *last = strrchr(file, '/');
    return fnmatch(slash ? slash + 1 : pattern, last ? last + 1 : file, FNM_PERIOD) == 0;
}

void rundir_sweep(const char *path)
{
    char file[RUNDIR_PATH];
    DIR *folder = opendir(path);
    for (struct dirent *e; folder && (e = readdir(folder));) {
        snprintf(file, sizeof file, "%.3000s/%s", path, e->d_name);
        if (e->d_name[file_atomic_stem(e->d_name)])
            unlink(file);
    }
    if (folder)
        closedir(folder);
}

int rundir_remove_flat(const char *path, flow_err *err)
{
    char file[RUNDIR_PATH];
    DIR *folder = opendir(path);
    int code = folder || errno == ENOENT ? 0 : fail_errno(err, FLOW_ECREATE, path);
    for (struct dirent *e; folder && !code && (e = readdir(folder));) {
        snprintf(file, sizeof file, "%.3000s/%s", path, e->d_name);
        if (!is_dots(e->d_name) && unlink(file) && errno != ENOENT)
            code = fail_errno(err, FLOW_ECREATE, file);
    }
    if (folder)
        closedir(folder);
    if (folder && !code && rmdir(path) && errno != ENOENT)
        code = fail_errno(err, FLOW_ECREATE, path);
    return code;
}

/* ---- metrics */

int metrics_open(metrics *self, const rundir *dir, const char *name, flow_err *err)
{
    self->fd = -1;
    if (!rundir_path(dir, self->path, name, err))
        return err->code;
    self->fd = open(self->path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    if (self->fd < 0)
        return fail_errno(err, FLOW_ECREATE, self->path);
    return dir->shown ? links_show(dir, name, err) : 0;
}

int metrics_cut(metrics *self, long long bytes, flow_err *err)
{
    return ftruncate(self->fd, (off_t)bytes) ? fail_errno(err, FLOW_EIO, self->path) : 0;
}

long long metrics_length(const metrics *self)
{
    return (long long)lseek(self->fd, 0, SEEK_END);
}

int metrics_sync(const metrics *self, flow_err *err)
{
    return fsync(self->fd) ? fail_errno(err, FLOW_EIO, self->path) : 0;
}

/* Adds to *row the list of its keys that are null. */
static void list_nonfinite(json_t **row)
{
    const char *key;
    json_t *value, *list = json_array();
    json_object_foreach(*row, key, value) if (json_is_null(value))
        flow_json_append(&list, json_string(key));
    if (list && json_array_size(list) == 0)
        json_decref(list);
    else
        flow_json_set(row, "nonfinite", list);
}

int metrics_append(metrics *self, json_t *row, flow_err *err)
{
    if (row)
        list_nonfinite(&row);
    char *line = flow_json_line(row, JSON_COMPACT);
    json_decref(row);
    if (!line)
        return flow_fail(err, FLOW_ENOMEM, "%s: out of memory", self->path);
    ssize_t done = 1;
    for (const char *at = line; *at && done > 0; at += done > 0 ? done : 0)
        done = write(self->fd, at, strlen(at));
    int code = done > 0 ? 0 : fail_errno(err, FLOW_EIO, self->path);
    free(line);
    return code;
}

int metrics_close(metrics *self, flow_err *err)
{
    int code = self->fd >= 0 ? metrics_sync(self, err) : 0;
    if (self->fd >= 0 && close(self->fd) && !code)
        code = fail_errno(err, FLOW_EIO, self->path);
    self->fd = -1;
    return code;
}
