/* pipeline/stages/yardstick.h -- what students of a run are held against: its teacher as a target, in double
 * (student/sides.h), with the modes of the data where these are known. */
#ifndef PIPELINE_STAGES_YARDSTICK_H
#define PIPELINE_STAGES_YARDSTICK_H

#include "pipeline/stages/data.h"
#include "pipeline/stages/teacher.h"
#include "teacher/target.h"

typedef struct yardstick {
    target *target;
    flow *precise;
    target_modes modes;
    double *weights; /* of the modes */
} yardstick;

/* data and teacher must outlive it. To be closed also after an error. */
int yardstick_open(yardstick *self, const data_product *data, const teacher_product *teacher,
                   flow_err *err);
void yardstick_close(yardstick *self);

#endif
