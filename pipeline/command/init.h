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

/* What may be written. */
typedef struct init_kind {
    const char *name; /* NULL ends the list */
    const char *doc;
    const char *text; /* of the file, behind its first lines; NULL: made from a table */
} init_kind;

extern const init_kind init_kinds[];

#endif
