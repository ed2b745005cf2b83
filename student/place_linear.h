/* student/place_linear.h -- the linear part of place.h. */
#ifndef STUDENT_PLACE_LINEAR_H
#define STUDENT_PLACE_LINEAR_H

#include "student/distill.h"

/* The last layer, if it is lu_linear, or a part of some columns that is nothing else. FLOW_ENOMEM. */
int student_place_linear(flow *student, const distill_rows *rows, flow_err *err);

#endif
