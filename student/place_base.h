/* student/place_base.h -- a base that begins where rows are: the components of a mixture, placed by k-means. */
#ifndef STUDENT_PLACE_BASE_H
#define STUDENT_PLACE_BASE_H

#include "student/distill.h"

/* Sets the places, widths and shares of a mixture base so that the student, whose layers are as they are at first,
 * fits the rows; a base of another kind is left as it is. The same for any number of threads. FLOW_ENOMEM; what
 * flow_log_prob says. */
int student_place_base(flow *student, flow_pool *pool, const distill_rows *rows, pcg_stream stream,
                       flow_err *err);

#endif
