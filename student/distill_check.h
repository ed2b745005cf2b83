/* student/distill_check.h -- whether a distillation can begin. */
#ifndef STUDENT_DISTILL_CHECK_H
#define STUDENT_DISTILL_CHECK_H

#include "student/distill.h"

/* FLOW_EUSAGE: the student is of another size than the target's. FLOW_ECONFIG: a layer without the direction that it
 * needs. One that is parallel from data to noise can be had by terms that leave rows where they are (term.h). */
int distill_check_flow(const flow *student, const target *teacher, flow_err *err);

#endif
