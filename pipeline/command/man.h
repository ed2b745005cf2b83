/* pipeline/command/man.h -- distill man: manual pages, from the tables of verbs, options, keys and exit codes. */
#ifndef PIPELINE_COMMAND_MAN_H
#define PIPELINE_COMMAND_MAN_H

#include <stdio.h>

/* man page 1, the program, and 5, its configs, in roff with the macros of man(7). */
void man_program(FILE *to);
void man_config(FILE *to);

#endif
