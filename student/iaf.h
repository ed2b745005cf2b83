/* student/iaf.h -- the inverse autoregressive flow (Kingma, Salimans, Jozefowicz, Chen, Sutskever,
 * Welling 2016).
 *
 * A stack of autoregressive layers (flow/layer/autoregressive.c) whose parallel direction goes from
 * noise to data: a sample with its log-density costs one pass, the density of a given point an
 * incremental inverse. */
#ifndef STUDENT_IAF_H
#define STUDENT_IAF_H

#include "flow/preset.h"

/* The flow that a preset (flow/preset.h) describes, parameters zero. FLOW_ECONFIG: it makes no
 * sense, or is for the other direction. */
flow *iaf_create(const json_t *preset, const flow_place *place, flow_precision precision,
                 flow_err *err);

#endif
