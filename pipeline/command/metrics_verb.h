/* pipeline/command/metrics_verb.h -- distill metrics: the course of both trainings of a run as a table. */
#ifndef PIPELINE_COMMAND_METRICS_VERB_H
#define PIPELINE_COMMAND_METRICS_VERB_H

typedef enum metrics_form { METRICS_TABLE, METRICS_CSV, METRICS_JSON } metrics_form;

typedef struct metrics_options {
    const char *run;
    const char *stage; /* NULL: all that have metrics */
    metrics_form form;
} metrics_options;

/* Prints on stdout; returns the exit code of the process. */
int metrics_verb(const metrics_options *options);

#endif
