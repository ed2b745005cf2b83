/* pipeline/stages/student.h -- the product of stage student. */
#ifndef PIPELINE_STAGES_STUDENT_H
#define PIPELINE_STAGES_STUDENT_H

#include "files/model.h"
#include "pipeline/report/rungs.h"
#include "pipeline/report/verdict.h"
#include "student/distill.h"

typedef struct student_product {
    flow_model model; /* as teacher_product has it */
    distill_state training;
    verdict_price price; /* of its training */
    rungs_report ladder; /* of a student that starts as its teacher; else without rungs */
} student_product;

#endif
