/* pipeline/command/completion.h -- distill completion: what a shell completes, from the tables of verbs, options and keys.
 *
 * What an argument is called says how it is completed: FILE and LIB.so are files, DIR and RUN directories, a|b|c its words,
 * KEY and KEY=VALUE keys of the config and, behind '=', the words of that key. */
#ifndef PIPELINE_COMMAND_COMPLETION_H
#define PIPELINE_COMMAND_COMPLETION_H

#include "flow/err.h"

#include <stdio.h>

/* shell: bash, zsh or fish. FLOW_EUSAGE if it is none of them. */
int completion(FILE *to, const char *shell, flow_err *err);

#endif
