/* pipeline/stages/teacher.h -- the product of stage teacher. */
#ifndef PIPELINE_STAGES_TEACHER_H
#define PIPELINE_STAGES_TEACHER_H

#include "files/model.h"

typedef struct teacher_product {
    flow_model model; /* its flow is its own; units and names are those of the data */
} teacher_product;

#endif
