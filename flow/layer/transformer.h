/* flow/layer/transformer.h -- element-wise monotone maps y = tau(x; h) of one dimension, whose
 * parameters h come from a conditioner.
 *
 * Shapes: x, y, dx, dy are rows of ld numbers, h and dh are (n_params, ld); ld is a multiple of
 * FLOW_PAD. With l = log dtau/dx: forward adds l to logdet, inverse subtracts it. h = 0 is the
 * identity. All ops are closed forms; none fails. Outputs may not overlap inputs.
 *
 * To add one: write a file that ends in its table, declare the table below and list it in
 * transformer.c. Nothing else changes. */
#ifndef FLOW_LAYER_TRANSFORMER_H
#define FLOW_LAYER_TRANSFORMER_H

#include "flow/err.h"
#include "flow/layer/real.h"

#include <jansson.h>

/* The options of every transformer, read from the layer's description; each uses its own. */
typedef struct transformer_spec {
    size_t bins;        /* spline: number of bins K */
    double bound;       /* spline: identity outside [-bound, bound] */
    double scale_bound; /* affine: |log-scale| < scale_bound */
} transformer_spec;

typedef struct transformer {
    const char *name, *doc;
    const char *keys; /* the options that it uses, separated by spaces */
    size_t (*n_params)(const transformer_spec *spec);
    /* What every op needs of h, once and in place: the others take h so prepared (and hand back
     * cotangents of the raw one). NULL: h is good as it is. */
    void (*prepare)(const transformer_spec *spec, real *h, size_t ld);
    void (*forward)(const transformer_spec *spec, real *y, double *logdet, const real *x,
                    const real *h, size_t ld);
    void (*inverse)(const transformer_spec *spec, real *x, double *logdet, const real *y,
                    const real *h, size_t ld);
    /* dx = dy dtau/dx + dl dl/dx,  dh = dy dtau/dh + dl dl/dh;  dl (ld) */
    void (*backward)(const transformer_spec *spec, real *dx, real *dh, const real *dy,
                     const real *dl, const real *x, const real *h, size_t ld);
    /* g = (a - dl/dx) / (dtau/dx),  dh = g dtau/dh + dl/dh  (mathematics 4) */
    void (*score)(const transformer_spec *spec, real *g, real *dh, const real *a, const real *x,
                  const real *h, size_t ld);
} transformer;

#define transformer_kinds FLOW_NAME(transformer_kinds)
#define transformer_find FLOW_NAME(transformer_find)
#define transformer_affine FLOW_NAME(transformer_affine)
#define transformer_spline FLOW_NAME(transformer_spline)

enum { TRANSFORMER_MAX_BINS = 64 };

extern const transformer transformer_affine, transformer_spline;
extern const transformer *const transformer_kinds[];   /* NULL-terminated */
const transformer *transformer_find(const char *name); /* NULL: no such name */

#endif
