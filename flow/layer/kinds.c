#include "flow/layer/layer.h"

const flow_layer_ops *const flow_layer_kinds[] = {
    &layer_autoregressive, &layer_permutation, &layer_lu_linear, &layer_actnorm, NULL,
};
