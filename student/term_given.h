/* student/term_given.h -- forward KL on rows that are given: distill_options.start. */
#ifndef STUDENT_TERM_GIVEN_H
#define STUDENT_TERM_GIVEN_H

#include "student/term.h"

extern const term_ops term_given;

/* NULL: FLOW_ENOMEM. */
objective_term *term_given_create(const distill_options *options, flow_err *err);

#endif
