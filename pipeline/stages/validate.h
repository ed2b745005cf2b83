/* pipeline/stages/validate.h -- the product of stage validate. */
#ifndef PIPELINE_STAGES_VALIDATE_H
#define PIPELINE_STAGES_VALIDATE_H

#include "pipeline/report/verdict.h"

#include <stdbool.h>

typedef struct validate_product {
    bool gate_failed;
    flow_network
        network; /* that the student was measured with, and passed if the choice was the stage's */
    char teacher_note[VERDICT_NOTE], student_note[VERDICT_NOTE]; /* for the report */
} validate_product;

#endif
