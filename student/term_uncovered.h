/* student/term_uncovered.h -- forward KL where a student has too little density, on rows of its own that are drawn
 * far out. See term_uncovered.c. */
#ifndef STUDENT_TERM_UNCOVERED_H
#define STUDENT_TERM_UNCOVERED_H

#include "student/term.h"

/* Weight of the term, 0 to 1; NaN: auto, a hundredth for a student that is warm, whose base can be stretched
 * and whose KL was last judged to be 1e-3 or more, 0 for others. NULL: FLOW_ENOMEM. */
objective_term *term_uncovered_create(const distill_options *options, double weight, flow_err *err);

#endif
