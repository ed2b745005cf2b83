/* pipeline/stages/run.h -- distill run: a YAML file in, a run directory out; and distill check. */
#ifndef PIPELINE_STAGES_RUN_H
#define PIPELINE_STAGES_RUN_H

#include "pipeline/config/config.h"

typedef struct run_options {
    config_sources sources;
    const char *out;  /* NULL: runs/NAME */
    uint64_t threads; /* 0: as compute.threads says; never changes a result */
    bool quiet;
    int argc; /* the command line from the verb on, for the record; operands come last */
    char **argv;
} run_options;

/* Loads, checks and runs; prints errors; returns the exit code of the process. */
int run_verb(const run_options *options);

/* Loads and checks all that a run would before it touches anything; says so; returns the exit code. */
int check_verb(const config_sources *sources);

#endif
