/* pipeline/command/cli.h -- the command line: verbs and their options. */
#ifndef PIPELINE_COMMAND_CLI_H
#define PIPELINE_COMMAND_CLI_H

#include "pipeline/command/lines.h"

/* The whole program; returns its exit code. */
/* The verbs, in the order of --help; NULL past the last. */
const line_spec *cli_verb(size_t index);

int cli_main(int argc, char **argv);

#endif
