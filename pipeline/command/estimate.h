/* pipeline/command/estimate.h -- distill estimate: means, widths and quantiles under the density that a model was made for,
 * by importance weights of its samples. */
#ifndef PIPELINE_COMMAND_ESTIMATE_H
#define PIPELINE_COMMAND_ESTIMATE_H

#include "pipeline/command/context.h"
#include "pipeline/command/deriving.h"

typedef struct estimate_options {
    const char *model;
    const char *target; /* as reference_open has it */
    const char
        *of; /* names of columns and quantities, with commas between; NULL: all that are usual */
    deriving_options deriving;
    context_options context;
    uint64_t n, seed;
    int network;      /* as with_model has it */
    uint64_t threads; /* 0: auto */
    bool json;
} estimate_options;

/* Prints a line a column on stdout, or one JSON object; returns the exit code of the process. */
int estimate_verb(const estimate_options *options);

#endif
