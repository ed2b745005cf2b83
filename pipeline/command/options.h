/* pipeline/command/options.h -- the options of a verb: one table is what getopt_long parses and what --help
 * prints. */
#ifndef PIPELINE_COMMAND_OPTIONS_H
#define PIPELINE_COMMAND_OPTIONS_H

#include "flow/err.h"

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

typedef struct cli_option {
    const char *name; /* long; NULL ends a table */
    int id;           /* a letter, then also the short option; or a number from OPTION_LONG on */
    const char *arg;  /* what its argument is called; NULL: it takes none */
    const char *doc;
} cli_option;

enum { OPTION_END = -1, OPTION_WRONG = -2, OPTION_HELP = 'h', OPTION_LONG = 256 };
enum { OPTION_MAX = 24 };
enum { OPTION_WIDTH = 90 }; /* of a line of --help */

/* Where parsing stands. After OPTION_END the operands are argv[optind] ... */
typedef struct option_reader {
    const cli_option *table;
    int argc;
    char **argv;     /* argv[0] is the verb; operands are moved behind the options */
    const char *arg; /* of the option just read */
} option_reader;

void options_start(option_reader *self, const cli_option *table, int argc, char **argv);

/* The id of the next option, or OPTION_HELP for -h and --help, OPTION_END, or OPTION_WRONG with
 * FLOW_EUSAGE in *err. */
int options_next(option_reader *self, flow_err *err);

/* A whole number from the argument of an option. */
int option_whole(uint64_t *out, const char *name, const char *arg, uint64_t min, uint64_t max,
                 flow_err *err);

/* A finite number. */
int option_real(double *out, const char *name, const char *arg, flow_err *err);

/* One above 0. */
int option_positive(double *out, const char *name, const char *arg, flow_err *err);

/* The table as lines of --help. */
void options_print(FILE *to, const cli_option *table);

#endif
