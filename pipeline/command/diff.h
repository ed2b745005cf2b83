/* pipeline/command/diff.h -- distill diff: two runs side by side, what they were asked and what came of it. */
#ifndef PIPELINE_COMMAND_DIFF_H
#define PIPELINE_COMMAND_DIFF_H

#include <stdbool.h>

typedef struct diff_options {
    const char *runs[2];
    bool json;
} diff_options;

/* Prints on stdout: keys of the config that differ, verdicts, figures with their differences, seconds. Returns the
 * exit code of the process; that two runs differ is no failure. */
int diff_verb(const diff_options *options);

#endif
