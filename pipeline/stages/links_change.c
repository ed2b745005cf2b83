#define _XOPEN_SOURCE 700 /* symlink, strdup */

#include "pipeline/stages/links_change.h"

#include "files/atomic.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Names below RUN. */
typedef struct links_one {
    char *name;
    bool fresh; /* a new link waits, or did */
    bool had;   /* one that led elsewhere does for an undo */
    bool done;
} links_one;

/* By which sweeps know it (file_atomic_stem). */
static const char *waiting(char *out, const links_change *self, const links_one *one,
                           const char *mark)
{
    snprintf(out, RUNDIR_PATH, "%.2000s/%.1900s.tmp.%s%ld", self->root, one->name, mark,
             (long)getpid());
    return out;
}

static const char *new_name(char *out, const links_change *self, const links_one *one)
{
    return waiting(out, self, one, "");
}

static const char *old_name(char *out, const links_change *self, const links_one *one)
{
    return waiting(out, self, one, "0");
}

static int fail(flow_err *err, const links_change *self, const links_one *one)
{
    return flow_fail(err, (flow_code)file_create_code(errno), "%s/%s: %s", self->root, one->name,
                     file_why(errno));
}

/* ---- before anything is seen */

static links_one *grow(links_change *self, const char *name, flow_err *err)
{
    links_one *at = realloc(self->at, (self->n + 1) * sizeof *at);
    char *copy = at ? strdup(name) : NULL;
    if (at)
        self->at = at;
    if (!copy) {
        flow_fail(err, FLOW_ENOMEM, "out of memory for a link");
        return NULL;
    }
    at[self->n] = (links_one){.name = copy};
    return &at[self->n++];
}

static int make_link(const char *to, const char *path)
{
    unlink(path);
    return symlink(to, path);
}

/* The way back. */
static int copy_old(const links_change *self, links_one *one, flow_err *err)
{
    char path[RUNDIR_PATH], to[RUNDIR_PATH], copy[RUNDIR_PATH];
    ssize_t n = readlink(rundir_in(path, self->root, one->name), to, sizeof to - 1);
    if (n <= 0)
        return 0;
    to[n] = '\0';
    if (make_link(to, old_name(copy, self, one)))
        return fail(err, self, one);
    one->had = true;
    return 0;
}

int links_change_add(links_change *self, const char *name, const char *to, flow_err *err)
{
    char text[RUNDIR_PATH], path[RUNDIR_PATH];
    if (to && links_leads(self->root, name, to))
        return 0;
    links_one *one = links_make_way(self->root, name, err) ? NULL : grow(self, name, err);
    if (!one || copy_old(self, one, err))
        return err->code;
    if (!to)
        return 0;
    links_text(text, name, to);
    if (make_link(text, new_name(path, self, one)))
        return fail(err, self, one);
    one->fresh = true;
    return 0;
}

bool links_change_has(const links_change *self, const char *name)
{
    for (size_t i = 0; i < self->n; i++)
        if (strcmp(self->at[i].name, name) == 0)
            return true;
    return false;
}

/* ---- then */

static int make_one(const links_change *self, links_one *one, flow_err *err)
{
    char from[RUNDIR_PATH], path[RUNDIR_PATH];
    rundir_in(path, self->root, one->name);
    if (!one->fresh)
        return links_remove(self->root, one->name, err);
    return rename(new_name(from, self, one), path) ? fail(err, self, one) : 0;
}

int links_change_make(links_change *self, flow_err *err)
{
    int code = 0;
    for (size_t i = 0; i < self->n && !code; i++) {
        code = make_one(self, &self->at[i], err);
        self->at[i].done = !code;
    }
    if (code)
        links_change_undo(self);
    return code;
}

static void undo_one(const links_change *self, links_one *one)
{
    char from[RUNDIR_PATH], path[RUNDIR_PATH];
    rundir_in(path, self->root, one->name);
    if (one->had)
        (void)!rename(old_name(from, self, one),
                      path); /* else verify tells, and the next run mends it */
    else
        unlink(path);
    one->done = one->had = false;
}

void links_change_undo(links_change *self)
{
    for (size_t i = self->n; i-- > 0;)
        if (self->at[i].done)
            undo_one(self, &self->at[i]);
}

void links_change_end(links_change *self)
{
    char path[RUNDIR_PATH];
    for (size_t i = 0; i < self->n; i++) {
        unlink(new_name(path, self, &self->at[i]));
        unlink(old_name(path, self, &self->at[i]));
        links_drop_folder(self->root, self->at[i].name);
        free(self->at[i].name);
    }
    free(self->at);
    *self = (links_change){.root = self->root};
}

int links_change_finish(links_change *self, int code, flow_err *err)
{
    code = code ? code : links_change_make(self, err);
    links_change_end(self);
    return code;
}

int links_show(const rundir *dir, const char *name, flow_err *err)
{
    char to[RUNDIR_PATH];
    const char *slash = strrchr(name, '/');
    links_change change = {.root = dir->home};
    rundir_in(to, rundir_folder(dir), slash ? slash + 1 : name);
    return links_change_finish(&change, links_change_add(&change, name, to, err), err);
}
