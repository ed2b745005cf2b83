/* teacher/target_seams.h -- whether what says that it is a circle comes round. */
#ifndef TEACHER_TARGET_SEAMS_H
#define TEACHER_TARGET_SEAMS_H

#include "teacher/target.h"

/* FLOW_EDATA if log p~ jumps at the seam of a column with a period: it has none. Looked at in SEAM_ROWS rows of each circle;
 * those without a density on one side are left out. The target's errors; FLOW_ENOMEM. */
enum { SEAM_ROWS = 16 };
int target_check_seams(const target *self, flow_err *err);

#endif
