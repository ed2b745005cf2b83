/* pipeline/command/show_progress.h -- progress of a verb that is mostly quick. */
#ifndef PIPELINE_COMMAND_SHOW_PROGRESS_H
#define PIPELINE_COMMAND_SHOW_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

/* Begins it, of `rows`; nothing is shown where the rows themselves go to a terminal. Ends in progress_clear. */
void show_progress(const char *verb, uint64_t rows, bool quiet, bool to_stdout);

#endif
