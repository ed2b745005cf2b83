/* flow/layer/conditioner.h -- what gives the transformers of an autoregressive layer their
 * parameters: a network whose outputs for a group of dimensions see earlier groups only, as a table of
 * operations.
 *
 * The D dimensions belong to groups 1 .. G, even, contiguous and ascending: dimension i, 0-based, to
 * group 1 + floor(i G / D). The P outputs of a dimension of group c see the C context columns and the
 * inputs of groups < c. G = D is a MADE, G = 2 what a coupling layer has. A dimension has one input, or
 * more, what the layer makes of it; and P outputs, or a number of its own.
 *
 * A conditioner works on `values` (value_rows, ld): the context and the inputs are the first rows,
 * which the caller fills; the outputs are the rows from output_row on, dimension after dimension;
 * what is between is the conditioner's. Backward works on cotangents of the same layout.
 *
 * To add one: write a file that ends in its table, conditioner_NAME, and add NAME to kinds.h. */
#ifndef FLOW_LAYER_CONDITIONER_H
#define FLOW_LAYER_CONDITIONER_H

#include "flow/flow.h"
#include "flow/kind.h"
#include "flow/layer/real.h"
#include "flow/pcg.h"
#include "flow/round.h"

typedef struct conditioner_ops conditioner_ops;

typedef struct conditioner_shape {
    size_t dim, context, groups, outputs; /* D, C, G, P */
    int bare_first;   /* group 1 has no outputs: its dimensions are left as they are */
    flow_network low; /* the precision, once it is rounded; for a kind that can */
    /* (D + 1) how many there are of the dimensions before i, the caller's; NULL: i, and i P. */
    const size_t *inputs_before, *outputs_before;
} conditioner_shape;

/* What every conditioner has; kinds put it first in their own struct. */
typedef struct conditioner {
    const conditioner_ops *ops;
    conditioner_shape shape;
    size_t value_rows, slope_rows; /* room that it wants; slopes live from forward to backward */
    size_t output_row;
    size_t n_params, n_live;
} conditioner;

struct conditioner_ops {
    flow_kind kind;

    conditioner *(*create)(const void *options, const conditioner_shape *shape, flow_err *err);
    void (*free)(conditioner *self); /* accepts NULL */
    /* Initial parameters, with outputs of zero. */
    void (*init)(const conditioner *self, real *theta, pcg *rng);

    /* Options of a network with `width`, 0 < width < 1, of the hidden units, from those of a whole one: in
     * place. Optional (NULL: it cannot be made narrower). */
    void (*narrow)(void *options, double width);
    /* theta, zero before, = from_theta, the parameters of `from`, which has the same options or those before
     * narrow, and the same shape: all of them, to the last bit, or those of the units that matter most.
     * FLOW_ENOMEM. NULL where narrow is. */
    int (*narrow_params)(const conditioner *self, real *theta, const conditioner *from,
                         const real *from_theta, flow_err *err);

    /* With shape.low: what it takes becomes theirs that the n rows had that went through it since it was made; it
     * has computed as it is until now. To be called once. NULL: shape.low has no meaning. */
    void (*round)(const conditioner *self, real *theta, size_t n);

    /* slopes (slope_rows, ld), NULL: no backward follows. ld = 1 is one row, with the same bits. */
    void (*forward)(const conditioner *self, real *values, real *slopes, const real *theta,
                    size_t ld);

    /* The same piece by piece: hidden_of 0, then for c = 1 .. G outputs_of c, and, once the inputs of
     * group c are known, hidden_of c, which does all that does not depend on later groups. Together
     * they do the work of one forward, to the same bits. */
    void (*outputs_of)(const conditioner *self, real *values, const real *theta, size_t group,
                       size_t ld);
    void (*hidden_of)(const conditioner *self, real *values, real *slopes, const real *theta,
                      size_t group, size_t ld);

    /* The caller has filled the outputs' cotangents; the inputs' are written. dtheta += gradient, or,
     * with add 0, = gradient; NULL: frozen. 1 < ld <= FLOW_SHARD. */
    void (*backward)(const conditioner *self, real *cotangents, real *dtheta, int add,
                     const real *theta, const real *values, const real *slopes, size_t ld);

    /* Backward to the inputs of one group only, asked for c = G .. 1, when the cotangents of the
     * outputs of groups > c are there. For c = G, which nothing sees, zeros. */
    void (*pull)(const conditioner *self, real *cotangents, const real *theta, const real *values,
                 const real *slopes, size_t group, size_t ld);

    /* Parameters by name, as those of a layer (layer.h). */
    size_t (*n_tensors)(const conditioner *self);
    void (*tensor)(const conditioner *self, flow_tensor_info *info, size_t index);
    void (*tensor_get)(const conditioner *self, double *values, const real *theta, size_t index);
    void (*tensor_set)(const conditioner *self, real *theta, const double *values, size_t index);
    void (*tensor_live)(const conditioner *self, unsigned char *live, size_t index, size_t row);
};

#define conditioner_kinds FLOW_NAME(conditioner_kinds)
#define conditioner_find FLOW_NAME(conditioner_find)
extern const conditioner_ops *const conditioner_kinds[];   /* NULL-terminated */
const conditioner_ops *conditioner_find(const char *name); /* NULL: no such name */

/* The first dimension of a group, 1 .. G; of G + 1: D. */
static inline size_t conditioner_group(const conditioner_shape *shape, size_t group)
{
    return ((group - 1) * shape->dim + shape->groups - 1) / shape->groups;
}

/* The rows of inputs of the dimensions before i. */
static inline size_t conditioner_inputs_before(const conditioner_shape *shape, size_t i)
{
    return shape->inputs_before ? shape->inputs_before[i] : i;
}

/* The outputs of the dimensions first .. end - 1. */
static inline size_t conditioner_outputs(const conditioner_shape *shape, size_t first, size_t end)
{
    const size_t *before = shape->outputs_before;
    return before ? before[end] - before[first] : (end - first) * shape->outputs;
}

/* The rows of outputs before those of this group. */
static inline size_t conditioner_outputs_before(const conditioner_shape *shape, size_t group)
{
    size_t bare = shape->bare_first ? conditioner_group(shape, 2) : 0;
    size_t dims = conditioner_group(shape, group);
    return dims > bare ? conditioner_outputs(shape, bare, dims) : 0;
}

#endif
