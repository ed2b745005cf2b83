/* pipeline/command/logp.h -- distill logp: the log-density of a model at the rows of a file. */
#ifndef PIPELINE_COMMAND_LOGP_H
#define PIPELINE_COMMAND_LOGP_H

#include "pipeline/command/sample.h"

typedef struct logp_options {
    const char *model;
    const char *input; /* .npy or .csv */
    context_options
        context; /* of each row, or one for all; its header and extra hold for the input, too */
    const char *output; /* NULL: stdout. Never an .npy stream to a terminal */
    output_form form;   /* of the output: from its name, else csv */
    int network;        /* as with_model has it */
    uint64_t threads;   /* 0: auto */
    bool quiet;         /* no progress */
} logp_options;

/* Prints errors; returns the exit code of the process. */
int logp_verb(const logp_options *options);

#endif
