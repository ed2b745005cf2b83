/* teacher/volume.h -- what rows in the units of a flow weigh in those of the user: with x = x(u),
 *
 *     log p(x) = log p(u) - log|det dx/du|
 *
 * A column that is only shifted and scaled has the same for all rows; others (flow/units.h) have not. */
#ifndef TEACHER_VOLUME_H
#define TEACHER_VOLUME_H

#include "flow/units.h"
#include "teacher/part.h"

/* Mean of log|det dx/du| over the rows of a part; 0 for none. */
int volume_mean(double *mean, const flow_units *units, const data_part *part, flow_err *err);

#endif
