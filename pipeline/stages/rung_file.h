/* pipeline/stages/rung_file.h -- what is finished of a search (student/search.h), in the directory of its stage: rung-0, rung-1, ... as they were
 * measured, each with the weights of its student if that was trained (state_file.h). */
#ifndef PIPELINE_STAGES_RUNG_FILE_H
#define PIPELINE_STAGES_RUNG_FILE_H

#include "pipeline/stages/state_file.h"
#include "student/search.h"

/* student NULL, here and below: it is not trained. */
int rung_file_write(const state_owner *self, size_t n, const student_rung *rung,
                    const flow *student, flow_err *err);

/* *found: it is there, whole, and what belonged to it was taken. *lines: bytes of metrics.jsonl then. */
int rung_file_read(state_owner *self, bool *found, long long *lines, size_t n, student_rung *rung,
                   flow *student, flow_err *err);

bool rung_file_is_there(const char *directory, const char *key);
/* All of them. */
int rung_file_remove(const rundir *dir, flow_err *err);

#endif
