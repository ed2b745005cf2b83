/* teacher/maf.h -- the masked autoregressive flow (Papamakarios, Pavlakou, Murray 2017).
 *
 * A stack of autoregressive layers (flow/layer/autoregressive.c) whose parallel direction goes from
 * data to noise: a density costs one pass, a sample an incremental inverse. */
#ifndef TEACHER_MAF_H
#define TEACHER_MAF_H

#include "flow/preset.h"

/* The flow that a preset (flow/preset.h) describes, parameters zero. FLOW_ECONFIG: it makes no
 * sense, or is for the other direction. */
flow *maf_create(const json_t *preset, const flow_place *place, flow_precision precision,
                 flow_err *err);

#endif
