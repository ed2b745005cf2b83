/* pipeline/stages/checkpoint.h -- the state of a training on its way, in the directory of its stage (state_file.h): checkpoint-0 and
 * checkpoint-1 in turn, so that one of them is whole whatever happens. */
#ifndef PIPELINE_STAGES_CHECKPOINT_H
#define PIPELINE_STAGES_CHECKPOINT_H

#include "flow/keeper.h"
#include "pipeline/stages/state_file.h"

typedef struct checkpoint {
    state_owner *of;
    uint64_t turn;   /* which of the stage's trainings */
    long long lines; /* bytes of metrics.jsonl before this training began; -1: it writes none */

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
