/* pipeline/command/sample.h -- distill sample: draws from a model file. */
#ifndef PIPELINE_COMMAND_SAMPLE_H
#define PIPELINE_COMMAND_SAMPLE_H

#include "pipeline/command/context.h"
#include "pipeline/command/deriving.h"
#include "pipeline/command/exact.h"
#include "pipeline/stages/output.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct sample_options {
    const char *model;
    uint64_t n;
    uint64_t seed;           /* 0 unless given: the same command gives the same samples */
    uint64_t first;          /* row of the stream to start at */
    context_options context; /* one row for each sample, or one for all */
    double temperature;      /* 1 unless given */
    bool logp;               /* a last column with log q(x) */
    deriving_options deriving;
    exact_options exact; /* weights, and draws of what the model was made for */
    const char *output;  /* NULL: stdout. Never an .npy stream to a terminal */
    output_form form;    /* from --format, else from the name of the output, else csv */
    int network;         /* as with_model has it */
    uint64_t threads;    /* 0: auto */
    bool quiet;          /* no progress */
} sample_options;

/* Prints errors; returns the exit code of the process. */
int sample_verb(const sample_options *options);

#endif
