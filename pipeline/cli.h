/* pipeline/cli.h -- the command line: verbs, options, exit codes. */
#ifndef PIPELINE_CLI_H
#define PIPELINE_CLI_H

#include "flow/err.h"
#include "pipeline/config.h"

typedef enum exit_status {
    EXIT_GOOD = 0,
    EXIT_GATE = 1,      /* validation failed a gate */
    EXIT_DIVERGED = 2,  /* training met numbers that are not finite */
    EXIT_USAGE = 64,    /* wrong command line */
    EXIT_DATA = 65,     /* bad content of a data or model file */
    EXIT_NO_INPUT = 66, /* a file is missing */
    EXIT_BUG = 70,
    EXIT_MEMORY = 71,
    EXIT_CREATE = 73, /* an output cannot be created */
    EXIT_IO = 74,     /* reading or writing failed, disk full */
    EXIT_LOCKED = 75, /* another process uses the run directory */
    EXIT_CONFIG = 78
} exit_status; /* and 128 + n after signal n */

/* The exit code for a flow_code; FLOW_ESTOPPED gives 128 + the signal that was caught. */
int cli_exit_code(int flow_code);

/* Prints "distill: error: text" on stderr and returns cli_exit_code(err->code). */
int cli_fail(const flow_err *err);

/* Loads a configuration and shows what is wrong with it on stderr. NULL, and the exit code in
 * *status, if anything is. */
config *cli_load_config(int *status, const config_sources *sources);

/* The whole program. */
int cli_main(int argc, char **argv);

#endif
