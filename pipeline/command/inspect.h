/* pipeline/command/inspect.h -- distill inspect: a look at a table, column by column, before anything is fitted. */
#ifndef PIPELINE_COMMAND_INSPECT_H
#define PIPELINE_COMMAND_INSPECT_H

#include "files/csv.h"
#include "teacher/look.h"

#include <stdbool.h>

typedef struct inspect_options {
    const char *file;   /* .npy or .csv; or the .yaml of a run; or a model (inspect_model.h) */
    file_header header; /* of a .csv */
    bool header_given;
    bool json; /* for programs */
} inspect_options;

/* Prints on stdout; returns the exit code of the process: that of wrong data where `run` would refuse the
 * table. */
int inspect_verb(const inspect_options *options);

/* A look at a table as it is, handed to `use` with its head; what that returns is returned. */
typedef int inspect_use(const data_look *look, const file_table *head, void *arg, flow_err *err);
int inspect_file(const char *file, file_header header, inspect_use *use, void *arg, flow_err *err);

#endif
