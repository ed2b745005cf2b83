/* pipeline/stages/validate.h -- the product of stage validate. */
#ifndef PIPELINE_STAGES_VALIDATE_H
#define PIPELINE_STAGES_VALIDATE_H

#include <stdbool.h>

typedef struct validate_product {
    bool gate_failed;
} validate_product;

#endif
