/* pipeline/report/picture_run.h -- data, teacher and student of a run, side by side (picture.h). */
#ifndef PIPELINE_REPORT_PICTURE_RUN_H
#define PIPELINE_REPORT_PICTURE_RUN_H

#include "files/model.h"
#include "student/contexts.h"
#include "teacher/dataset.h"
#include "teacher/target.h"

#include <stdint.h>

enum { PICTURE_RUN_ROWS = 50000 };

/* Up to PICTURE_RUN_ROWS rows of the data, spread evenly over all of them, and as many samples of
 * each flow, in user's units. Row r of a sample has the context of row r of the data, so all three
 * have the same mixture of contexts. teacher_note and student_note stand below their titles; NULL: nothing does. Streams: (seed, STREAM_EXPORT, PCG_TARGET) for the teacher,
 * (seed, STREAM_EXPORT, PCG_BASE) for the student. The file has the same bytes for any number of
 * threads. Errors: those of picture_write and flow_model_sample. */
int picture_of_run(const char *path, const data_set *data, const flow_model *teacher,
                   const flow_model *student, const char *teacher_note, const char *student_note,
                   flow_pool *pool, uint64_t seed, flow_err *err);

/* PICTURE_RUN_ROWS samples of a target, in the units of the student's flow, if it has a sampler, beside as many of the
 * student. contexts: those of both, in turn. names: of the columns. Streams and errors as above. */
int picture_of_target(const char *path, const target *from, const distill_contexts *contexts,
                      const flow_model *student, const char *const *names, const char *student_note,
                      flow_pool *pool, uint64_t seed, flow_err *err);

#endif
