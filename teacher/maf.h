/* teacher/maf.h -- the masked autoregressive flow (Papamakarios, Pavlakou, Murray 2017).
 *
 * A stack of autoregressive layers (flow/layer/autoregressive.c) whose parallel direction goes from
 * data to noise: a density costs one pass, a sample an incremental inverse. */
#ifndef TEACHER_MAF_H
#define TEACHER_MAF_H

#include "flow/spec.h"

/* The flow that the options describe, parameters zero; spec->direction is not looked at. */
flow *maf_create(const flow_spec *spec, flow_precision precision, flow_err *err);

#endif
