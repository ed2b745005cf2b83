/* pipeline/command/export_verb.h -- distill export --to: a model in another form. */
#ifndef PIPELINE_COMMAND_EXPORT_VERB_H
#define PIPELINE_COMMAND_EXPORT_VERB_H

#include "pipeline/export/export.h"

typedef struct export_options {
    const char *model; /* a file, or the run whose student it is */
    const export_kind *kind;
    const char *output;
    const char *stem; /* NULL: that of output */
    int network;      /* as with_model has it */
} export_options;

/* Prints errors; returns the exit code of the process. */
int export_verb(const export_options *options);

#endif
