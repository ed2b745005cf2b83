/* pipeline/stages/opening.h -- what a run begins with: its config, its directory, what that knows, and a plan. */
#ifndef PIPELINE_STAGES_OPENING_H
#define PIPELINE_STAGES_OPENING_H

#include "pipeline/stages/run.h"

typedef struct opening {
    config *config;
    rundir dir; /* locked from opening_begin, or opening_lock, on */
    known memory;
    plan plan;
} opening;

/* The config, of the sources or of the run whose stage shall run again. False: *status is the exit code, and errors are told. */
bool opening_load(opening *out, int *status, const run_options *options);

/* The plan, from what is in the directory: writes nothing and takes no lock. */
int opening_look(opening *self, const run_options *options, flow_err *err);

/* The same for a run: a directory that is one already is locked, and a seed is drawn if there is none yet. */
int opening_begin(opening *self, const run_options *options, flow_err *err);

/* A directory that was none is made and locked. */
int opening_lock(opening *self, flow_err *err);

void opening_end(opening *self);

#endif
