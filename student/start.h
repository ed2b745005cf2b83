/* student/start.h -- the weights that a student of its own shape begins with. */
#ifndef STUDENT_START_H
#define STUDENT_START_H

#include "teacher/target.h"

/* Weights drawn from the stream. What follows the context next to the data (layer context_linear) is the teacher's, if
 * that is a flow that has such a layer there, too: where a conditional density is narrow and moves, a student would
 * else have to bend after it, and leave dust on the way. Of one column without context it starts at the quantiles of such a teacher
 * (flow/column_start.h): *near = 1. FLOW_ENOMEM. */
int student_start(flow *student, int *near, const target *teacher, pcg_stream stream,
                  flow_err *err);

#endif
