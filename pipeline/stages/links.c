#define _XOPEN_SOURCE 700 /* symlink, readlink */

#include "pipeline/stages/links.h"

#include "files/atomic.h"

#include <dirent.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char STAGES[] = "stages/";

static int fail_errno(flow_err *err, const char *path)
{
    return flow_fail(err, (flow_code)file_create_code(errno), "%s: %s", path, file_why(errno));
}

/* What a link at `name` holds: "../stages/..." for one in a folder. */
void links_text(char *out, const char *name, const char *to)
{
    size_t used = 0;
    for (const char *c = name; (c = strchr(c, '/')) && used + 4 < RUNDIR_PATH; c++)
        used += (size_t)snprintf(out + used, RUNDIR_PATH - used, "../");
    snprintf(out + used, RUNDIR_PATH - used, "%s", to);
}

/* Where it leads from RUN, "stages/..."; false: it is no link of ours. */
static bool where(char *out, const char *path)
{
    char text[RUNDIR_PATH];
    ssize_t n = readlink(path, text, sizeof text - 1);
    text[n > 0 ? n : 0] = '\0';
    const char *at = text;
    while (strncmp(at, "../", 3) == 0)
        at += 3;
    snprintf(out, RUNDIR_PATH, "%s", at);
    return n > 0 && strncmp(at, STAGES, sizeof STAGES - 1) == 0;
}

bool links_leads(const char *root, const char *name, const char *to)
{
    char path[RUNDIR_PATH], wanted[RUNDIR_PATH], is[RUNDIR_PATH];
    rundir_in(path, root, name);
    links_text(wanted, name, to);
    ssize_t n = readlink(path, is, sizeof is - 1);
    is[n > 0 ? n : 0] = '\0';
    return n > 0 && strcmp(is, wanted) == 0;
}

/* ---- making them */

/* A file that is no link of ours goes out of the way, under the first name that is free. */
static int move_aside(const char *root, const char *name, const char *path, flow_err *err)
{
    char folder[RUNDIR_PATH], to[RUNDIR_PATH];
    struct stat is;
    const char *last = strrchr(name, '/');
    if (lstat(path, &is) || where(to, path))
        return 0;
    rundir_in(folder, root, LINKS_EARLIER);
    if (rundir_make_folders(folder, err))
        return err->code;
    for (unsigned i = 0; i == 0 || lstat(to, &is) == 0; i++)
        snprintf(to, sizeof to, "%.2000s/%.1000s.%u", folder, last ? last + 1 : name, i);
    return rename(path, to) ? fail_errno(err, path) : 0;
}

static int make_folder_of(char *path, flow_err *err)
{
    char *slash = strrchr(path, '/');
    *slash = '\0';
    int code = rundir_make_folders(path, err);
    *slash = '/';
    return code;
}

int links_make_way(const char *root, const char *name, flow_err *err)
{
    char path[RUNDIR_PATH];
    rundir_in(path, root, name);
    return make_folder_of(path, err) ? err->code : move_aside(root, name, path, err);
}

int links_remove(const char *root, const char *name, flow_err *err)
{
    char path[RUNDIR_PATH];
    rundir_in(path, root, name);
    if (unlink(path) && errno != ENOENT)
        return fail_errno(err, path);
    links_drop_folder(root, name);
    return 0;
}

void links_drop_folder(const char *root, const char *name)
{
    char path[RUNDIR_PATH];
    rundir_in(path, root, name);
    *strrchr(path, '/') = '\0';
    if (strchr(name, '/'))
        rmdir(path); /* fails, rightly, if anything is in it */
}

/* ---- looking for them */

typedef struct looking {
    const char *root;
    links_visit visit;
    void *arg;
} looking;

static int look_into(const looking *self, const char *folder, int deep, flow_err *err);

static int look_at(const looking *self, const char *name, int deep, flow_err *err)
{
    char path[RUNDIR_PATH], to[RUNDIR_PATH];
    struct stat is;
    rundir_in(path, self->root, name);
    if (lstat(path, &is))
        return 0;
    if (S_ISLNK(is.st_mode))
        return where(to, path) ? self->visit(self->arg, name, to, err) : 0;
    return S_ISDIR(is.st_mode) && deep ? look_into(self, name, deep - 1, err) : 0;
}

static int look_into(const looking *self, const char *folder, int deep, flow_err *err)
{
    char path[RUNDIR_PATH], name[RUNDIR_PATH];
    rundir_in(path, self->root, folder);
    DIR *open = opendir(path);
    int code = 0;
    for (struct dirent *e; open && !code && (e = readdir(open));) {
        snprintf(name, sizeof name, "%.2000s%s%s", folder, *folder ? "/" : "", e->d_name);
        if (e->d_name[0] != '.' && strcmp(name, "stages") != 0)
            code = look_at(self, name, deep, err);
    }
    if (open)
        closedir(open);
    return code;
}

/* Folders of a run's own have files alone. */
int links_each(const char *root, links_visit visit, void *arg, flow_err *err)
{
    const looking self = {root, visit, arg};
    return look_into(&self, "", 1, err);
}

static int drop_unfinished(void *arg, const char *name, const char *to, flow_err *err)
{
    (void)to;
    return name[file_atomic_stem(name)] ? links_remove(arg, name, err) : 0;
}

int links_sweep(const char *root, flow_err *err)
{
    return links_each(root, drop_unfinished, (void *)(uintptr_t)root /* read only */, err);
}
