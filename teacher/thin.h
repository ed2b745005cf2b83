/* teacher/thin.h -- rows of equal weight out of rows that are weighed, for what counts each row once. */
#ifndef TEACHER_THIN_H
#define TEACHER_THIN_H

#include "flow/pcg.h"
#include "teacher/part.h"

/* out = rows of part, which picks none itself, each kept with probability weight / largest weight, in their order: a sample
 * of what the weights say, no row twice. Without weights, part itself. To be released, unless it failed.
 * FLOW_ENOMEM. */
int data_thin(data_part *out, const data_part *part, pcg_stream stream, flow_err *err);
void data_thin_release(data_part *out);

#endif
