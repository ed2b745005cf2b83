/* teacher/start.h -- the weights that a fit begins with. */
#ifndef TEACHER_START_H
#define TEACHER_START_H

#include "flow/flow.h"
#include "teacher/dataset.h"

/* Weights drawn from the stream, then what can be set from data: layers that say so (flow_init_data), by up to 4096 training
 * rows at even distances; and, of one column without context or weights, the first spline (flow/column_start.h).
 * FLOW_ENOMEM. */
int teacher_start(flow *fitted, const data_set *data, pcg_stream stream, flow_err *err);

#endif
