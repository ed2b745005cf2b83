/* teacher/target_model.h -- a model file as a target: a flow that was fitted before. */
#ifndef TEACHER_TARGET_MODEL_H
#define TEACHER_TARGET_MODEL_H

#include "files/model.h"
#include "teacher/target.h"

extern const target_kind target_model;

/* The model that a target is, in whose flow's units its x are; NULL: it is none. The target's own. */
const flow_model *target_model_of(const target *self);

/* The file with rows of context that its description names; NULL: none. */
const char *target_model_contexts(const target *self);

#endif
