/* pipeline/stages/state_file.h -- a state of a stage at work, in a file: a line of JSON, {key, turn, number, backend, seconds, metrics,
 * more, size, sha256}, sealed, and a block of so many bytes (flow/snapshot.h). Who goes on from it cuts metrics.jsonl back to the length that it had then. */
#ifndef PIPELINE_STAGES_STATE_FILE_H
#define PIPELINE_STAGES_STATE_FILE_H

#include "pipeline/stages/course.h"
#include "pipeline/stages/stage.h"

/* Whose states they are. */
typedef struct state_owner {
    const stage_work *work;
    const char *stage; /* its name */
    course *told;
    /* What belongs to a state beside the block: counters. NULL: nothing. take is given what more made. */
    json_t *(*more)(const void *arg);
    int (*take)(void *arg, const json_t *more, flow_err *err);
    void *arg;
    double began; /* when this process began with the stage, by flow_seconds */
    bool said;    /* its own: that the stage goes on was told */
} state_owner;

/* In that directory; the file appears whole or not at all. turn: which of the stage's trainings; number: which of its states. */
int state_file_write(const state_owner *self, const char *name, uint64_t turn, uint64_t number,
                     const void *block, size_t size, flow_err *err);

/* The head of one that is whole and of this key and turn, a new reference, and its block, to be freed. NULL: there is none; one
 * that is damaged, or of another key, is told. */
json_t *state_file_read(const state_owner *self, const char *name, uint64_t turn, void **block,
                        size_t *size);

/* Goes on from there: tells so, and takes what more made. */
int state_file_take(state_owner *self, const json_t *head, flow_err *err);

uint64_t state_file_number(const json_t *head); /* 0 of NULL */
long long state_file_lines(const json_t *head); /* bytes of metrics.jsonl then */

/* Whether there is one of this key in the directory. */
bool state_file_is_there(const char *directory, const char *name, const char *key);

#endif
