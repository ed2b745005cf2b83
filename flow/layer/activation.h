/* flow/layer/activation.h -- the element-wise nonlinearities of a conditioner network. */
#ifndef FLOW_LAYER_ACTIVATION_H
#define FLOW_LAYER_ACTIVATION_H

#include "flow/kind.h"
#include "flow/layer/real.h"

typedef struct activation {
    flow_kind kind; /* without keys */
    /* h = f(a) over count numbers; slope = f'(a), NULL: not wanted. h may be a. */
    void (*apply)(real *h, real *slope, const real *a, size_t count);
    /* d *= f'(a), given h = f(a): nothing but h need be kept for backward. NULL: h does not tell. */
    void (*pull)(real *d, const real *h, size_t count);
    /* The same to some 1e-5, for networks in bytes. NULL: apply is as fast. */
    void (*rough)(real *h, const real *a, size_t count);
    int rectifier; /* apply is max(0, a), which stair_product_rectified does too */
} activation;

#define activation_kinds FLOW_NAME(activation_kinds)
#define activation_find FLOW_NAME(activation_find)

extern const activation activation_kinds[];          /* ends with a NULL apply */
const activation *activation_find(const char *name); /* NULL: no such name */

#endif
