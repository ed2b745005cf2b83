/* pipeline/command/cli.h -- the command line: verbs and their options. */
#ifndef PIPELINE_COMMAND_CLI_H
#define PIPELINE_COMMAND_CLI_H

/* The whole program; returns its exit code. */
int cli_main(int argc, char **argv);

#endif
