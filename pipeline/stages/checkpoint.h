/* pipeline/stages/checkpoint.h -- the state of a training on its way, in the directory of its stage: checkpoint-0 and checkpoint-1 in turn, so
 * that one of them is whole whatever happens. Each is a line of JSON, {key, number, backend, metrics, more, size, sha256}, and a block of so many
 * bytes (flow/snapshot.h). Who goes on from one cuts metrics.jsonl back to the length it had then. */
#ifndef PIPELINE_STAGES_CHECKPOINT_H
#define PIPELINE_STAGES_CHECKPOINT_H

#include "flow/keeper.h"
#include "pipeline/stages/course.h"
#include "pipeline/stages/stage.h"

typedef struct checkpoint {
    const stage_work *work;
    const char *stage; /* its name */
    course *told;
    /* What belongs to the state beside the training's own: its counters. NULL: nothing. take is given what more made. */
    json_t *(*more)(const void *arg);
    int (*take)(void *arg, const json_t *more, flow_err *err);
    void *arg;

    /* Its own. */
    double last,
        cost; /* seconds of the clock: when the latest was written, or the stage began; that it took */
    uint64_t number;
    json_t *found; /* the head of the one that was found */
    flow_keeper keeper;
} checkpoint;

/* The fields above `last` are set. Its keeper is for the training; *self stays where it is. */
const flow_keeper *checkpoint_keeper(checkpoint *self);
void checkpoint_release(checkpoint *self);

/* Removes them: the stage is at its end. */
int checkpoint_remove(const rundir *dir, flow_err *err);

/* Whether there is one of this key in the directory. */
bool checkpoint_is_there(const char *directory, const char *key);

#endif
