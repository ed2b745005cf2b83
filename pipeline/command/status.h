/* pipeline/command/status.h -- distill status: how a run stands, or ended. */
#ifndef PIPELINE_COMMAND_STATUS_H
#define PIPELINE_COMMAND_STATUS_H

#include <stdbool.h>

typedef struct status_options {
    const char *run;
    bool json;
} status_options;

/* Prints verdict, warnings, stages with their times and the course of both trainings on stdout; returns the exit code
 * of the process, which is that of the looking, not of the run. */
int status_verb(const status_options *options);

#endif
