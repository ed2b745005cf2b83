/* pipeline/config/settings.h -- what the config says, in the words of the floors below. */
#ifndef PIPELINE_CONFIG_SETTINGS_H
#define PIPELINE_CONFIG_SETTINGS_H

#include "flow/kind.h"
#include "pipeline/config/config.h"
#include "student/distill.h"
#include "student/layerwise.h"
#include "teacher/fit.h"
#include "teacher/streams.h"

/* columns, context and dequantise of the result point into the config. */
data_options settings_data(const config *self);

/* Whether columns with a period are wrapped, for the flow of teacher or student cannot have circles (units.h). */
bool settings_wrap(const config *self);

/* out (dim) = 1 where a data column is on a circle in the flows. Whether any is. */
bool settings_circles(unsigned char *out, const config *self, size_t dim);

/* Where the flow of a stage stands. */
flow_place settings_place(const config *self, stream_stage stage, size_t dim, size_t context);

/* rows: to train on. */
teacher_fit_options settings_fit(const config *self, size_t rows);
student_layers_options
settings_layerwise(const config *self); /* rows, warmup, clip, average: as trained */
distill_options settings_distill(const config *self);

/* Rows of long chains on a target that a student is held against; 0: none. */
size_t settings_chain(const config *self, const target *t);

/* How many chains these are of, and the effort of the hunt beside them, times the usual. */
size_t settings_chains(const config *self);
double settings_hunt(const config *self);

/* Steps of distillation. */
uint64_t settings_steps(const config_student *self);

/* The weight of forward KL at the last step. */
double settings_forward_end(const config_student_train *self);

#endif
