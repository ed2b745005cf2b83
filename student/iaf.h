/* student/iaf.h -- the inverse autoregressive flow (Kingma, Salimans, Jozefowicz, Chen, Sutskever,
 * Welling 2016).
 *
 * A stack of autoregressive layers (flow/layer/autoregressive.c) whose parallel direction goes from
 * noise to data: a sample with its log-density costs one pass, the density of a given point an
 * incremental inverse. */
#ifndef STUDENT_IAF_H
#define STUDENT_IAF_H

#include "flow/spec.h"

/* The flow that the options describe, parameters zero; spec->direction is not looked at. */
flow *iaf_create(const flow_spec *spec, flow_precision precision, flow_err *err);

#endif
