/* pipeline/stages/run.h -- distill run: a YAML file in, a run directory out; a stage of it again; distill plan and check. */
#ifndef PIPELINE_STAGES_RUN_H
#define PIPELINE_STAGES_RUN_H

#include "pipeline/config/config.h"
#include "pipeline/stages/plan.h"

typedef struct run_options {
    config_sources sources;
    const char *out; /* NULL: runs/NAME */
    bool
        told; /* the file of the sources is the directory of a run: what that was told is run, not a file */
    const char
        *only; /* one stage of what was told, again; NULL: all of it, or a run of the sources */
    plan_wishes wishes; /* of `only` none */
    uint64_t threads;   /* 0: as compute.threads says; never changes a result */
    bool quiet;
    bool json; /* of a plan */
    int argc;  /* the command line from the verb on, for the record; operands come last */
    char **argv;
} run_options;

/* Loads, checks and runs; prints errors; returns the exit code of the process. */
int run_verb(const run_options *options);

/* What run_verb would do with these, and why, on stdout; writes nothing. */
int plan_verb(const run_options *options);

/* Loads and checks all that a run would before it touches anything; says so; returns the exit code. Of the options the sources count. */
int check_verb(const run_options *options);

#endif
