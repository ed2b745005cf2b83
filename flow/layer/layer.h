/* flow/layer/layer.h -- one invertible map y = f(x; theta) on R^dim, as a table of operations.
 *
 * Shapes     Feature-major shards (real.h): x, y, dx, dy, scores are (dim', ld), context is (C,
 * ld), logdet is (ld) in double, dlogdet is (ld); theta, dtheta are (n_params). cache and work are
 * flat, cache_len and work_len numbers. Direction  forward is x -> y and is the parallel one.
 * Whether that means density or sampling is the flow's choice. Memory     The caller owns every
 * buffer; none may overlap unless it is said. Only create allocates. Buffers are aligned to 64
 * bytes, lengths are multiples of FLOW_PAD. Threads    self is const: share it, and give each
 * thread its own cache and work. Numbers    Nothing fails: a NaN that comes in goes out. Callers
 * check results.
 *
 * A layer kind is one file that ends in its table, and one line of kinds.h. Configs, model files,
 * `explain` and the conformance tests walk that list. */
#ifndef FLOW_LAYER_LAYER_H
#define FLOW_LAYER_LAYER_H

#include "flow/backend.h"
#include "flow/err.h"
#include "flow/kind.h"
#include "flow/layer/real.h"
#include "flow/pcg.h"

#include <jansson.h>

typedef struct flow_layer_ops flow_layer_ops;

/* What every layer has; kinds put it first in their own struct. */
typedef struct flow_layer {
    const flow_layer_ops *ops;
    size_t dim, context;
    size_t n_params; /* padded */
    size_t n_live;   /* weights that take part */
} flow_layer;

struct flow_layer_ops {
    flow_kind kind;
    int single; /* forward and inverse without cache also take ld = 1: one row, with the same bits */

    /* From the layer's description, an object with all of the kind's keys. */
    flow_layer *(*create)(const json_t *description, size_t dim, size_t context, flow_err *err);
    void (*free)(flow_layer *self); /* accepts NULL */
    /* A complete description: create gives an equal layer back. New reference; NULL: no memory. */
    json_t *(*describe)(const flow_layer *self);

    /* Initial parameters. */
    void (*init)(const flow_layer *self, real *theta, pcg *rng);
    /* Optional (NULL: none): parameters that depend on data; x (dim', ld), n rows of it real. */
    void (*init_data)(const flow_layer *self, real *theta, const real *x, size_t n, size_t ld);

    size_t (*cache_len)(const flow_layer *self, size_t ld); /* lives from forward to backward */
    size_t (*work_len)(const flow_layer *self, size_t ld);  /* scratch of any op */

    /* y = f(x); logdet += log|det df/dx|. cache NULL: no backward or score follows. */
    void (*forward)(const flow_layer *self, real *y, real *cache, double *logdet, const real *theta,
                    const real *x, const real *context, size_t ld, real *work);

    /* x = f^-1(y); logdet += log|det df^-1/dy|. cache as after forward at x; NULL: not wanted. */
    void (*inverse)(const flow_layer *self, real *x, real *cache, double *logdet, const real *theta,
                    const real *y, const real *context, size_t ld, real *work);

    /* dx = J^T dy + dlogdet grad_x logdet; the same for theta (NULL: frozen) is added to dtheta, or,
     * with add 0, written over all of it. */
    void (*backward)(const flow_layer *self, real *dx, real *dtheta, int add, const real *theta,
                     const real *dy, const real *dlogdet, const real *x, const real *cache,
                     size_t ld, real *work);

    /* score_y = J^-T (score_x - grad_x logdet): carries grad log q through the layer. */
    void (*score)(const flow_layer *self, real *score_y, const real *theta, const real *score_x,
                  const real *x, const real *cache, size_t ld, real *work);

    /* Parameters by name, dense, in double, for files. */
    size_t (*n_tensors)(const flow_layer *self);
    void (*tensor)(const flow_layer *self, flow_tensor_info *info, size_t index);
    void (*tensor_get)(const flow_layer *self, double *values, const real *theta, size_t index);
    void (*tensor_set)(const flow_layer *self, real *theta, const double *values, size_t index);
};

#define flow_layer_kinds FLOW_NAME(flow_layer_kinds)
#define kind_at FLOW_NAME(kind_at)

/* Kind number `index` of a sort; NULL past the end. */
const flow_kind *kind_at(flow_sort sort, size_t index);

/* Every kind of kinds.h, NULL-terminated. */
extern const flow_layer_ops *const flow_layer_kinds[];

#endif
