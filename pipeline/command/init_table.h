/* pipeline/command/init_table.h -- the config of a table, by what inspect finds in it. */
#ifndef PIPELINE_COMMAND_INIT_TABLE_H
#define PIPELINE_COMMAND_INIT_TABLE_H

#include "files/csv.h"
#include "flow/err.h"

#include <stdio.h>

/* Writes it, behind its first lines. `path` is what the config calls the file; whatever inspect would refuse the
 * table for is told on stderr. */
int init_table(FILE *to, const char *file, const char *path, file_header header, flow_err *err);

#endif
