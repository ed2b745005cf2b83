/* flow/layer/transformer.h -- element-wise monotone maps y = tau(x; h) of one dimension, whose
 * parameters h come from a conditioner.
 *
 * Shapes: x, y, dx, dy are rows of ld numbers, h and dh are (n_params, ld); ld is a multiple of
 * FLOW_PAD. With l = log dtau/dx: forward adds l to logdet, inverse subtracts it. h = 0 is the
 * identity. All ops are closed forms; none fails. Outputs may not overlap inputs.
 *
 * To add one: write a file that ends in its table, transformer_NAME, and add NAME to kinds.h. */
#ifndef FLOW_LAYER_TRANSFORMER_H
#define FLOW_LAYER_TRANSFORMER_H

#include "flow/kind.h"
#include "flow/layer/real.h"

typedef struct transformer {
    flow_kind kind; /* whose options every op is given */
    /* It is a map of the circle, in radians: tau(x + 2 pi) = tau(x) + 2 pi, and otherwise like a map of the line. */
    int circular;
    size_t (*n_params)(const void *options);
    /* What every op needs of h, once and in place: the others take h so prepared (and hand back
     * cotangents of the raw one). NULL: h is good as it is. */
    void (*prepare)(const void *options, real *h, size_t ld);
    void (*forward)(const void *options, real *y, double *logdet, const real *x, const real *h,
                    size_t ld);
    void (*inverse)(const void *options, real *x, double *logdet, const real *y, const real *h,
                    size_t ld);
    /* dx = dy dtau/dx + dl dl/dx,  dh = dy dtau/dh + dl dl/dh;  dl (ld) */
    void (*backward)(const void *options, real *dx, real *dh, const real *dy, const real *dl,
                     const real *x, const real *h, size_t ld);
    /* g = (a - dl/dx) / (dtau/dx),  dh = g dtau/dh + dl/dh  (mathematics 4) */
    void (*score)(const void *options, real *g, real *dh, const real *a, const real *x,
                  const real *h, size_t ld);
    /* Backward of the inverse, at x = tau^-1(y; h) with the log-slope -l: dy = (dx - dm dl/dx) /
     * (dtau/dx),  dh = -dy dtau/dh - dm dl/dh;  dm (ld), the cotangents of -l  (mathematics-layers 0) */
    void (*pull_inverse)(const void *options, real *dy, real *dh, const real *dx, const real *dm,
                         const real *x, const real *h, size_t ld);
} transformer;

#define transformer_kinds FLOW_NAME(transformer_kinds)
#define transformer_find FLOW_NAME(transformer_find)
extern const transformer *const transformer_kinds[];   /* NULL-terminated */
const transformer *transformer_find(const char *name); /* NULL: no such name */

#endif
