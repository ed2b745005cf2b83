#include "pipeline/stages/checkpoint.h"

#include "files/atomic.h"
#include "flow/clock.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { KEPT = 2, CHECKPOINT_RARE = 100 };
static const char *const names[KEPT] = {"checkpoint-0", "checkpoint-1"};

/* ---- reading */

bool checkpoint_is_there(const char *directory, const char *key)
{
    return state_file_is_there(directory, names[0], key) ||
           state_file_is_there(directory, names[1], key);
}

/* The one in this slot takes the place of what was found if it is whole and later. */
static void look_at(checkpoint *self, unsigned slot, void **block, size_t *size)
{
    void *is;
    size_t n;
    json_t *head = state_file_read(self->of, names[slot], self->turn, &is, &n);
    if (is && (!self->found || state_file_number(head) > state_file_number(self->found))) {
        json_decref(self->found);
        free(*block);
        self->found = json_incref(head);
        *block = is;
        *size = n;
    } else {
        free(is);
    }
    json_decref(head);
}

static int find(void *arg, void **block, size_t *size, flow_err *err)
{
    checkpoint *self = arg;
    (void)err;
    *block = NULL;
    for (unsigned slot = 0; slot < KEPT; slot++)
        look_at(self, slot, block, size);
    return 0;
}

static int begin(void *arg, int resumed, flow_err *err)
{
    checkpoint *self = arg;
    long long lines = resumed ? state_file_lines(self->found) : self->lines;
    int code = self->lines < 0 ? 0 : metrics_cut(&self->of->told->metrics, lines, err);
    if (code || !resumed)
        return code;
    self->number = state_file_number(self->found);
    return state_file_take(self->of, self->found, err);
}

/* ---- writing */

/* So seldom that it takes no more than a hundredth of the time. */
static int due(void *arg)
{
    const checkpoint *self = arg;
    double every = self->of->work->config->checkpoint.every, since = flow_seconds() - self->last;
    return every > 0 && since >= every && since >= CHECKPOINT_RARE * self->cost;
}

/* Over the older one. */
static int keep(void *arg, const void *block, size_t size, flow_err *err)
{
    checkpoint *self = arg;
    double start = flow_seconds();
    self->number++;
    int code = state_file_write(self->of, names[self->number % KEPT], self->turn, self->number,
                                block, size, err);
    self->last = flow_seconds();
    self->cost = self->last - start;
    return code;
}

/* ---- */

const flow_keeper *checkpoint_keeper(checkpoint *self)
{
    self->last = flow_seconds();
    self->keeper = (flow_keeper){find, begin, due, keep, self};
    return &self->keeper;
}

void checkpoint_release(checkpoint *self)
{
    json_decref(self->found);
    self->found = NULL;
}

static int remove_one(const rundir *dir, const char *name, flow_err *err)
{
    char path[RUNDIR_PATH];
    rundir_in(path, dir->root, name);
    return unlink(path) && errno != ENOENT
               ? flow_fail(err, FLOW_ECREATE, "%s: %s", path, file_why(errno))
               : 0;
}

int checkpoint_remove(const rundir *dir, flow_err *err)
{
    int code = 0;
    for (unsigned slot = 0; slot < KEPT && !code; slot++)
        code = remove_one(dir, names[slot], err);
    return code;
}
