/* pipeline/command/init.h -- distill init: a config with comments to begin with, which runs in under a minute. */
#ifndef PIPELINE_COMMAND_INIT_H
#define PIPELINE_COMMAND_INIT_H

#include "files/csv.h"

typedef struct init_options {
    const char *kind; /* of init_kinds; NULL: table if there are data, else the first */
    const char *data; /* .npy or .csv; NULL: none */
    file_header header;
    const char *output; /* NULL: KIND.yaml, or after the table, in the working directory */
} init_options;

/* Writes the file, and beside it the schema that its first line names, where there is none. A file that is there is
 * left as it is: EXIT_CREATE. Prints the name of the file on stdout; returns the exit code of the process. */
int init_verb(const init_options *options);

/* What configs to begin with have in common. */
#define INIT_SEED                                                                                  \
    "seed: 1 # every random number depends on it; without it one is drawn and recorded\n\n"
#define INIT_STUDENT                                                                               \
    "student: # learns to sample it, in parallel\n"                                                \
    "  flow: {kind: unrolled, iterations: auto} # auto: as few steps as the gates below allow\n"
#define INIT_GATES                                                                                 \
    "validate: # a gate that does not hold: exit code 1. distill explain kl_reverse says more\n"
#define INIT_EXPORT                                                                                \
    "\n"                                                                                           \
    "# Samples that are written beside the results; more: distill sample RUN -n 1e6 -o x.npy\n"    \
    "export: {samples: 10000, file: samples.npy}\n"

/* What may be written. */
typedef struct init_kind {
    const char *name; /* NULL ends the list */
    const char *doc;
    const char *text; /* of the file, behind its first lines; NULL: made from a table */
} init_kind;

extern const init_kind init_kinds[];

#endif
