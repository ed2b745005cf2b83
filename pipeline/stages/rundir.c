#include "pipeline/stages/rundir.h"

#include "files/atomic.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int fail_errno(flow_err *err, flow_code code, const char *path)
{
    return flow_fail(err, code, "%s: %s", path, strerror(errno));
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

/* 1 if the folder holds anything, 0 if not, negative on errors. */
static int occupied(const char *path, flow_err *err)
{
    DIR *folder = opendir(path);
    if (!folder)
        return fail_errno(err, FLOW_ECREATE, path);
    int found = 0;
    for (struct dirent *e; !found && (e = readdir(folder));)
        found = strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0;
    closedir(folder);
    return found;
}

int rundir_create(rundir *self, const char *root, flow_err *err)
{
    char mark[RUNDIR_PATH];
    if (strlen(root) >= RUNDIR_PATH / 2)
        return flow_fail(err, FLOW_ECREATE, "%.60s...: the path is too long", root);
    strcpy(self->root, root);
    if (make_folders(root, strlen(root), err))
        return err->code;
    int any = occupied(root, err);
    if (any <= 0)
        return any;
    snprintf(mark, sizeof mark, "%s/resolved.json", root);
    if (access(mark, F_OK) != 0)
        return flow_fail(err, FLOW_ECREATE,
                         "%s: holds files that are not of a run; choose another --out", root);
    return 0;
}

const char *rundir_path(const rundir *self, char *out, const char *name, flow_err *err)
{
    int length = snprintf(out, RUNDIR_PATH, "%s/%s", self->root, name);
    if (length < 0 || length >= RUNDIR_PATH) {
        flow_fail(err, FLOW_ECREATE, "%s: the path is too long", name);
        return NULL;
    }
    size_t folder = (size_t)(strrchr(out, '/') - out);
    return make_folders(out, folder, err) ? NULL : out;
}

/* ---- files */

int rundir_copy(const rundir *self, const char *name, const char *from, flow_err *err)
{
    char path[RUNDIR_PATH], buffer[65536];
    FILE *in = fopen(from, "rb");
    if (!in)
        return fail_errno(err, FLOW_ENOINPUT, from);
    file_atomic *out = rundir_path(self, path, name, err) ? file_atomic_open(path, err) : NULL;
    if (!out) {
        fclose(in);
        return err->code;
    }
    int failed = 0;
    for (size_t n; (n = fread(buffer, 1, sizeof buffer, in)) > 0 && !failed;)
        failed = fwrite(buffer, 1, n, file_atomic_file(out)) != n;
    failed |= ferror(in);
    fclose(in);
    if (!failed)
        return file_atomic_commit(out, err);
    file_atomic_discard(out);
    return flow_fail(err, FLOW_EIO, "%s: cannot be copied to %s", from, path);
}

int rundir_write_text(const rundir *self, const char *name, const char *text, flow_err *err)
{
    char path[RUNDIR_PATH];
    if (!rundir_path(self, path, name, err))
        return err->code;
    return file_atomic_write(path, text, strlen(text), err);
}

int rundir_write_json(const rundir *self, const char *name, const json_t *value, flow_err *err)
{
    char *text = value ? json_dumps(value, JSON_INDENT(2) | JSON_SORT_KEYS) : NULL;
    size_t length = text ? strlen(text) : 0;
    char *line = text ? realloc(text, length + 2) : NULL;
    if (!line) {
        free(text);
        return flow_fail(err, FLOW_ENOMEM, "%s: out of memory", name);
    }
    strcpy(line + length, "\n");
    int code = rundir_write_text(self, name, line, err);
    free(line);
    return code;
}

int rundir_remove(const rundir *self, const char *name, flow_err *err)
{
    char path[RUNDIR_PATH];
    if (!rundir_path(self, path, name, err))
        return err->code;
    return unlink(path) && errno != ENOENT ? fail_errno(err, FLOW_ECREATE, path) : 0;
}

json_t *json_finite(double value)
{
    return isfinite(value) ? json_real(value) : json_null();
}

/* ---- metrics */

int metrics_open(metrics *self, const rundir *dir, const char *name, flow_err *err)
{
    self->fd = -1;
    if (!rundir_path(dir, self->path, name, err))
        return err->code;
    self->fd = open(self->path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0666);
    return self->fd < 0 ? fail_errno(err, FLOW_ECREATE, self->path) : 0;
}

static void list_nonfinite(json_t *row)
{
    const char *key;
    json_t *value, *list = json_array();
    json_object_foreach(row, key, value) if (json_is_null(value))
        json_array_append_new(list, json_string(key));
    if (json_array_size(list))
        json_object_set(row, "nonfinite", list);
    json_decref(list);
}

int metrics_append(metrics *self, json_t *row, flow_err *err)
{
    if (row)
        list_nonfinite(row);
    char *text = row ? json_dumps(row, JSON_COMPACT) : NULL;
    json_decref(row);
    size_t length = text ? strlen(text) : 0;
    char *line = text ? realloc(text, length + 2) : NULL;
    if (!line) {
        free(text);
        return flow_fail(err, FLOW_ENOMEM, "%s: out of memory", self->path);
    }
    line[length] = '\n';
    ssize_t done = write(self->fd, line, length + 1);
    free(line);
    return done == (ssize_t)(length + 1) ? 0 : fail_errno(err, FLOW_EIO, self->path);
}

void metrics_close(metrics *self)
{
    if (self->fd >= 0)
        close(self->fd);
    self->fd = -1;
}
