/* flow/layer/layer.h -- one invertible map y = f(x; theta) on R^dim, as a table of operations.
 *
 * - Shapes: feature-major shards (real.h). x, y, dx, dy, scores are (dim, ld), and no op writes
 *   beyond; context is (C, ld), dlogdet (ld), logdet (ld) in double, with room for FLOW_PAD even if
 *   ld = 1; theta, dtheta are (n_params); cache and work are flat, cache_len and work_len numbers.
 *
 * - Direction: forward is x -> y and is the parallel one. Whether that means density or sampling is
 *   the flow's choice.
 *
 * - Memory: the caller owns every buffer; none may overlap. Only create allocates. Buffers are
 *   aligned to 64 bytes, x and y of ld = 1 only to a number; ld is a multiple of FLOW_PAD, or 1.
 *
 * - Threads: self is const: share it, and give each thread its own cache, work and counters.
 *
 * - Numbers: nothing fails. A NaN that comes in goes out, what an iteration did not reach is
 *   counted (layer_call), and callers check results.
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
    size_t n_params;   /* padded */
    size_t n_live;     /* weights that take part */
    size_t n_networks; /* conditioners that can be rounded, on a backend that rounds */
    int one_way;       /* set for a layer around one that has no inverse */
    size_t in_series;  /* groups that its inverse finishes one after the other; 0: all at once */
} flow_layer;

/* What create has to know beside the description. */
typedef struct layer_scope {
    size_t dim, context;
    size_t max_live;  /* more live weights than this are refused (flow_create_within) */
    size_t depth;     /* layers around this one */
    flow_network low; /* the precision of conditioners (flow/round.h) */
} layer_scope;

/* Where initial parameters come from. */
typedef struct layer_draws {
    pcg rng; /* the layer's own */
    /* A layer that holds others gives each a row of its own, r << 32 with r from *spare on, which
     * moves: no two layers of a flow have one in common. */
    pcg_stream stream;
    uint64_t *spare;
} layer_draws;

/* What every op of a pass needs beside its arrays. */
typedef struct layer_call {
    const real *theta;
    const real *context;
    /* Lives from forward or inverse, which fill it, to backward and score, which read it. NULL: no
     * backward or score follows. */
    real *cache;
    real *work;   /* scratch of any op */
    size_t ld, n; /* columns; those that are rows, the others being filler that nobody counts */
    /* Random numbers for a layer whose log-determinant is an estimate: layer_noise. */
    pcg_stream noise;
    uint64_t row;            /* of the first column of the shard */
    uint64_t path;           /* which layer; unique in a flow */
    flow_counters *counters; /* added to */
} layer_call;

struct flow_layer_ops {
    flow_kind kind;
    int single; /* forward and inverse without cache also take ld = 1: one row, with the same bits */
    int flat;   /* the log-determinant is the same for every x */

    /* circle (dim), 1 where a column of x is on a circle (flow/circle.h), becomes that of y; with `back` that of y
     * becomes that of x. FLOW_ECONFIG: the layer does not fit. Optional (NULL: all columns are on lines). */
    int (*circles)(const flow_layer *self, unsigned char *circle, int back, flow_err *err);

    /* From the layer's description, an object with all of the kind's keys. */
    flow_layer *(*create)(const json_t *description, const layer_scope *scope, flow_err *err);
    void (*free)(flow_layer *self); /* accepts NULL */
    /* A complete description: create gives an equal layer back. New reference; NULL: no memory. */
    json_t *(*describe)(const flow_layer *self);

    /* The description of a layer for the other direction that is parallel where this one's inverse may not
     * be: the inverse, or steps towards it (unrolled.c). New reference. Optional (NULL: there is none). */
    json_t *(*unroll)(const flow_layer *self, const flow_unrolling *how, flow_err *err);
    /* theta, zero before, = the parameters of `from`, whose unroll this is. FLOW_ENOMEM. Optional (NULL: theta
     * is that of `from`). */
    int (*unroll_params)(const flow_layer *self, real *theta, const flow_layer *from,
                         const real *from_theta, flow_err *err);

    /* Initial parameters: writes all of theta. */
    void (*init)(const flow_layer *self, real *theta, layer_draws *draws);
    /* Optional (NULL: none): sets the parameters that depend on data, x with n rows of it real, and
     * then does as forward without cache. theta is call->theta. 0 or FLOW_ENOMEM. */
    int (*init_data)(const flow_layer *self, real *theta, real *y, double *logdet, const real *x,
                     size_t n, const layer_call *call);

    /* Of layers made with scope->low: rounds the conditioners, which n rows went through (conditioner.h). Optional
     * (NULL: there are none). */
    void (*round)(const flow_layer *self, real *theta, size_t n);

    size_t (*cache_len)(const flow_layer *self, size_t ld);
    size_t (*work_len)(const flow_layer *self, size_t ld);

    /* y = f(x); logdet += log|det df/dx|. */
    void (*forward)(const flow_layer *self, real *y, double *logdet, const real *x,
                    const layer_call *call);

    /* x = f^-1(y); logdet += log|det df^-1/dy|. The cache as after forward at x. Optional (NULL: it
     * cannot); flow.h tells who asks. */
    void (*inverse)(const flow_layer *self, real *x, double *logdet, const real *y,
                    const layer_call *call);

    /* dx = J^T dy + dlogdet grad_x logdet; the same for theta (NULL: frozen) is added to dtheta, or,
     * with add 0, written over all of it. */
    void (*backward)(const flow_layer *self, real *dx, real *dtheta, int add, const real *dy,
                     const real *dlogdet, const real *x, const layer_call *call);

    /* score_y = J^-T (score_x - grad_x logdet): carries grad log q through the layer. */
    void (*score)(const flow_layer *self, real *score_y, const real *score_x, const real *x,
                  const layer_call *call);

    /* Parameters by name, dense, in double, for files. */
    size_t (*n_tensors)(const flow_layer *self);
    void (*tensor)(const flow_layer *self, flow_tensor_info *info, size_t index);
    void (*tensor_get)(const flow_layer *self, double *values, const real *theta, size_t index);
    /* Values of masked entries are 0. */
    void (*tensor_set)(const flow_layer *self, real *theta, const double *values, size_t index);
    /* Which entries of one row take part, the others being masked: live (cols) of 0 and 1. Optional
     * (NULL: all do). Never asked of a vector. */
    void (*tensor_live)(const flow_layer *self, unsigned char *live, size_t index, size_t row);
};

/* Random numbers of column r, `width` of them, for this layer alone: they depend neither on the
 * other columns nor on who computes them. */
static inline pcg layer_noise(const layer_call *call, size_t r, size_t width)
{
    pcg_stream own = call->noise;
    own.seed ^= (call->path ^ call->path >> 29) * 0x9e3779b97f4a7c15u; /* spread over all bits */
    return pcg_at(own, call->row + r, width);
}

/* The op unroll of a layer whose inverse is parallel over rows: the layer `inverted` around it. */
#define layer_unroll_inverted FLOW_NAME(layer_unroll_inverted)
json_t *layer_unroll_inverted(const flow_layer *self, const flow_unrolling *how, flow_err *err);

#define flow_layer_kinds FLOW_NAME(flow_layer_kinds)
#define kind_at FLOW_NAME(kind_at)

/* Kind number `index` of a sort; NULL past the end. */
const flow_kind *kind_at(flow_sort sort, size_t index);

/* Every kind of kinds.h, NULL-terminated. */
extern const flow_layer_ops *const flow_layer_kinds[];

#endif
