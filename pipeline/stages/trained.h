/* pipeline/stages/trained.h -- what a training leaves: a model in the user's units, in a file. */
#ifndef PIPELINE_STAGES_TRAINED_H
#define PIPELINE_STAGES_TRAINED_H

#include "files/model.h"
#include "pipeline/stages/course.h"
#include "pipeline/stages/data.h"
#include "pipeline/stages/stage.h"

/* All of a model but its flow and role: units, names and ranges, which belong to data. */
flow_model trained_frame(const data_product *data);

/* A model of f with what the frame has. role: "teacher" or "student". */
flow_model trained_model(flow *f, const flow_model *frame, const char *role);

/* Ends a training that returned code. Its model is written to `name` even if it was stopped; the stop
 * stays an error, and checkpoints stay for another run. */
int trained_end(course *told, const flow_model *model, const stage_work *work, const char *name,
                int code, flow_err *err);

/* The model that was written there, with what the frame has. */
int trained_load(flow_model *out, const flow_model *frame, const char *role, const stage_work *work,
                 const char *name, flow_err *err);

#endif
