/* pipeline/command/sweep_verb.h -- distill sweep: every point of a config's `sweep` (config/sweep.h) is a run of its own.
 *
 * A point is the plain command that --commands prints; the sweep starts those that are not done, so many at a time, and puts
 * what came of all of them side by side. */
#ifndef PIPELINE_COMMAND_SWEEP_VERB_H
#define PIPELINE_COMMAND_SWEEP_VERB_H

#include "pipeline/config/config.h"

typedef enum sweep_what { SWEEP_RUN, SWEEP_LIST, SWEEP_COMMANDS } sweep_what;
typedef enum sweep_form { SWEEP_TABLE, SWEEP_CSV, SWEEP_JSON } sweep_form;

typedef struct sweep_options {
    config_sources sources;
    const char *out;  /* the directory above the points; NULL: runs/NAME-sweep */
    uint64_t jobs;    /* at a time */
    uint64_t threads; /* of each; 0: the processors, shared out */
    sweep_what what;
    sweep_form form;
} sweep_options;

/* Prints the table on stdout; returns the exit code of the process: that of the worst point. */
int sweep_verb(const sweep_options *options);

#endif
