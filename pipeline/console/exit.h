/* pipeline/console/exit.h -- how the program ends: every exit code and what it means, in one table. */
#ifndef PIPELINE_CONSOLE_EXIT_H
#define PIPELINE_CONSOLE_EXIT_H

#include "flow/err.h"

#include <stdio.h>

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
int exit_code(int flow_code);

/* Prints "distill: error: text" on stderr and returns exit_code(err->code). */
int exit_fail(const flow_err *err);

/* "0 good, 1 a gate of validate.require failed, ...", wrapped and indented, for --help. */
void exit_list(FILE *to);

#endif
