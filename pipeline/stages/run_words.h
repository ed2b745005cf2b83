/* pipeline/stages/run_words.h -- what a run says at its end, on stderr, where no stage says it. */
#ifndef PIPELINE_STAGES_RUN_WORDS_H
#define PIPELINE_STAGES_RUN_WORDS_H

#include "pipeline/stages/run.h"

/* That nothing was to be done, with the word of the verdict there is (NULL: none); shown: whether the links were right. */
void run_tell_idle(const json_t *verdict, bool shown);

/* The command that goes on where a run was stopped. */
void run_tell_how_to_go_on(const run_options *options);

#endif
