/* flow/layer/mlp.h -- the masked network (MADE, Germain 2015), the conditioner "mlp".
 *
 * A hidden unit has a degree in 1 .. G - 1 (0 .. G - 1 with context), even and ascending, and sees
 * units of no larger degree; the outputs of a dimension of group c see hidden units of degree < c.
 * Units are sorted by degree, so every map is a stair. With one group and no context there is
 * nothing to see and the outputs are their biases.
 *
 * Bodies: a plain network of any widths, or, with `residual` = B > 0 blocks, the pre-activation
 * residual network r <- r + W2 f(W1 f(r) + b1) + b2 of one width (He 2016; Durkan 2019).
 *
 * The network is a short program of steps over buffers (mlp.c). Each step can run on all rows, or on
 * the rows of one degree (mlp_run.c): that is what makes the inverse and the score incremental
 * (mathematics 2 and 4). */
#ifndef FLOW_LAYER_MLP_H
#define FLOW_LAYER_MLP_H

#include "flow/layer/activation.h"
#include "flow/layer/conditioner.h"
#include "flow/layer/stair.h"

enum { MLP_MAX_STEPS = 64 };

/* What the kind's keys point into. */
typedef struct mlp_options {
    flow_wholes hidden;
    size_t residual; /* blocks; 0: plain */
    int activation;  /* index into activation_kinds */
} mlp_options;

/* A buffer of features: rows [begin[d], begin[d + 1]) have degree d. For the output buffer these
 * are the outputs of group d, which belong to the step that needs hidden degrees < d. */
typedef struct mlp_buffer {
    size_t rows, offset; /* offset in rows of ld numbers */
    size_t *begin;       /* (G + 2) */
} mlp_buffer;

typedef struct mlp_step {
    int map; /* index of a stair, or -1: dst = activation(src) */
    size_t src, dst;
    size_t add;    /* buffer added to a map's result; SIZE_MAX: none */
    size_t slope;  /* of an activation without pull: offset in rows among the slopes */
    size_t offset; /* of a map: its parameters */
} mlp_step;

typedef struct mlp_low mlp_low; /* mlp_low.h */

typedef struct mlp {
    conditioner base;
    mlp_options options;
    const activation *activation;
    size_t n_buffers, n_steps, n_maps;
    mlp_buffer buffers[MLP_MAX_STEPS + 1]; /* 0: inputs; last: outputs */
    mlp_step steps[MLP_MAX_STEPS];
    stair maps[MLP_MAX_STEPS];
    mlp_low *low; /* in low precision; NULL: as it is */
} mlp;

#define mlp_new FLOW_NAME(mlp_new)
#define mlp_forward FLOW_NAME(mlp_forward)
#define mlp_outputs_of FLOW_NAME(mlp_outputs_of)
#define mlp_hidden_of FLOW_NAME(mlp_hidden_of)
#define mlp_backward FLOW_NAME(mlp_backward)
#define mlp_pull FLOW_NAME(mlp_pull)
#define mlp_narrow FLOW_NAME(mlp_narrow)
#define mlp_narrow_params FLOW_NAME(mlp_narrow_params)

/* Freed by its ops. */
mlp *mlp_new(const mlp_options *options, const conditioner_shape *shape, flow_err *err);

/* Ops of a conditioner. */
void mlp_forward(const conditioner *base, real *values, real *slopes, const real *theta, size_t ld);
void mlp_outputs_of(const conditioner *base, real *values, const real *theta, size_t group,
                    size_t ld);
void mlp_hidden_of(const conditioner *base, real *values, real *slopes, const real *theta,
                   size_t degree, size_t ld);
void mlp_backward(const conditioner *base, real *cotangents, real *dtheta, int add,
                  const real *theta, const real *values, const real *slopes, size_t ld);
void mlp_pull(const conditioner *base, real *cotangents, const real *theta, const real *values,
              const real *slopes, size_t degree, size_t ld);
void mlp_narrow(void *options, double width);
int mlp_narrow_params(const conditioner *base, real *theta, const conditioner *from,
                      const real *from_theta, flow_err *err);

static inline real *mlp_rows(const mlp *self, real *values, size_t buffer, size_t row, size_t ld)
{
    return values + (self->buffers[buffer].offset + row) * ld;
}

#endif
