/* pipeline/stages/course.h -- the course of a training, as it is told while it goes on: progress on stderr
 * and a line of metrics.jsonl for each report. */
#ifndef PIPELINE_STAGES_COURSE_H
#define PIPELINE_STAGES_COURSE_H

#include "flow/unroll.h"
#include "pipeline/stages/rundir.h"
#include "student/layerwise.h"
#include "teacher/fit.h"

#include <stdint.h>

typedef struct course {
    metrics metrics;
    const flow_unrolling
        *size; /* of a distillation: which of several is going on; NULL: the only one */
    double
        log_z; /* of the target that is learnt from: 0 unless it is set; NaN: not known, and so no KL is */
    size_t layer_steps; /* of each layer, where layers are trained by themselves */
    double train_volume,
        valid_volume; /* of a fit: mean log|det dx/du| of the rows (teacher/volume.h), by which
                                          losses in the units of the data differ from the flow's */
    flow_err error;   /* the first one met by a watch, which cannot fail: it stops the training */
} course;

/* Begins a stage of `total` epochs or steps; `name` is its file, whose lines, of one that was stopped, stay until whoever goes on
 * from there cuts them (checkpoint.h). The name of the stage is kept, not copied. */
int course_begin(course *self, const rundir *dir, const char *stage, const char *name,
                 uint64_t total, flow_err *err);

/* Watches for teacher_fit, student_distill_layers and student_distill; arg is the course. They also stop on a
 * signal. */
int course_watch_fit(void *arg, const teacher_fit_state *state);
void course_watch_layers(void *arg, const student_layers_state *state);
int course_watch_distill(void *arg, const distill_state *state);

/* The line that stays when a training came to its end. */
void course_tell_fit(const course *self, const teacher_fit_state *state, size_t weights);
void course_tell_layers(const course *self, const student_layers_state *state);
void course_tell_distill(const course *self, const distill_state *state, size_t weights);

/* What a watch met so far: 0, or *err. */
int course_check(const course *self, flow_err *err);

/* Closes the file. Non-zero: *err is what a watch met. */
int course_end(course *self, flow_err *err);

#endif
