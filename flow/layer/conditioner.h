/* flow/layer/conditioner.h -- the masked network of an autoregressive layer (MADE, Germain 2015).
 *
 * Inputs are C context columns (degree 0) and x_1 .. x_D (degree 1 .. D). A hidden unit has a
 * degree in 1 .. D - 1 (0 .. D - 1 with context) and sees units of no larger degree; the P outputs
 * of dimension i see hidden units of degree < i. Hidden units are sorted by degree, so every map is
 * a stair. With D = 1 and no context there is nothing to see and the outputs are their biases.
 *
 * Bodies: a plain network of any widths, or, with `residual` = B > 0 blocks, the pre-activation
 * residual network r <- r + W2 f(W1 f(r) + b1) + b2 of one width (He 2016; Durkan 2019).
 *
 * The network is a short program of steps over buffers. Each step can run on all rows, or on the
 * rows of one degree: that is what makes the inverse and the score incremental (mathematics 2 and
 * 4). */
#ifndef FLOW_LAYER_CONDITIONER_H
#define FLOW_LAYER_CONDITIONER_H

#include "flow/err.h"
#include "flow/layer/activation.h"
#include "flow/layer/stair.h"
#include "flow/pcg.h"

enum { CONDITIONER_MAX_STEPS = 64 };

typedef struct conditioner_spec {
    size_t dim, context, outputs; /* D, C, P: outputs per dimension */
    size_t n_hidden, hidden[FLOW_MAX_WHOLES];
    size_t residual; /* blocks; 0: plain */
    const activation *activation;
} conditioner_spec;

/* A buffer of features: rows [begin[d], begin[d + 1]) have degree d. For the output buffer these
 * are the P outputs of dimension d, which belong to the step that needs hidden degrees < d. */
typedef struct conditioner_buffer {
    size_t rows, offset; /* offset in rows of ld numbers */
    size_t *begin;       /* (D + 2) */
} conditioner_buffer;

typedef struct conditioner_step {
    int map; /* index of a stair, or -1: dst = activation(src) */
    size_t src, dst;
    size_t add;    /* buffer added to a map's result; SIZE_MAX: none */
    size_t slope;  /* of an activation without pull: offset in rows among the slopes */
    size_t offset; /* of a map: its parameters */
} conditioner_step;

typedef struct conditioner {
    conditioner_spec spec;
    size_t n_buffers, n_steps, n_maps;
    conditioner_buffer buffers[CONDITIONER_MAX_STEPS + 1]; /* 0: inputs; last: outputs */
    conditioner_step steps[CONDITIONER_MAX_STEPS];
    stair maps[CONDITIONER_MAX_STEPS];
    size_t value_rows, slope_rows; /* rows of all buffers, of all slopes */
    size_t n_params, n_live;
} conditioner;

#define conditioner_mlp FLOW_NAME(conditioner_mlp)
#define conditioner_create FLOW_NAME(conditioner_create)
#define conditioner_options_of FLOW_NAME(conditioner_options_of)
#define conditioner_release FLOW_NAME(conditioner_release)
#define conditioner_init FLOW_NAME(conditioner_init)
#define conditioner_forward FLOW_NAME(conditioner_forward)
#define conditioner_outputs_of FLOW_NAME(conditioner_outputs_of)
#define conditioner_hidden_of FLOW_NAME(conditioner_hidden_of)
#define conditioner_backward FLOW_NAME(conditioner_backward)
#define conditioner_pull_degree FLOW_NAME(conditioner_pull_degree)

/* Its kind, whose options are these. */
typedef struct conditioner_options {
    flow_wholes hidden;
    size_t residual;
    int activation; /* index into activation_kinds */
} conditioner_options;
extern const flow_kind conditioner_mlp;

int conditioner_create(conditioner *self, const conditioner_options *options, size_t dim,
                       size_t context, size_t outputs, flow_err *err);
void conditioner_release(conditioner *self);
conditioner_options conditioner_options_of(const conditioner *self);

/* Hidden weights uniform on +- sqrt(3 / fan-in) * gain, the output map zero. */
void conditioner_init(const conditioner *self, real *theta, pcg *rng);

/* values (value_rows, ld): the caller has filled the inputs, rows 0 .. C + D - 1. slopes
 * (slope_rows, ld), NULL: not wanted (slope_rows is 0 if values tell the slopes). The outputs of dimension i (1-based), P rows, begin at row
 * P (i - 1) of the last buffer. */
void conditioner_forward(const conditioner *self, real *values, real *slopes, const real *theta,
                         size_t ld);

/* The same network piece by piece, in order from 1 (outputs) and 0 (hidden units) on: outputs of
 * dimension i once hidden degrees < i are known; hidden units of degree d once inputs of degree <= d
 * are known. */
void conditioner_outputs_of(const conditioner *self, real *values, const real *theta, size_t i,
                            size_t ld);
void conditioner_hidden_of(const conditioner *self, real *values, real *slopes, const real *theta,
                           size_t d, size_t ld);

/* cotangents (value_rows, ld): the caller has filled those of the outputs; the inputs' are written.
 * dtheta += gradient, or, with add 0, = gradient; NULL: frozen. ld <= FLOW_SHARD. */
void conditioner_backward(const conditioner *self, real *cotangents, real *dtheta, int add_to,
                          const real *theta, const real *values, const real *slopes, size_t ld);

/* Backward through degree d only, given the cotangents of outputs d + 1 .. D and that this has been
 * called for all higher degrees: writes the cotangents of hidden units and of the input of degree
 * d. d = D writes zeros (nothing sees the last input). */
void conditioner_pull_degree(const conditioner *self, real *cotangents, const real *theta,
                             const real *values, const real *slopes, size_t d, size_t ld);

static inline real *conditioner_rows(const conditioner *self, real *values, size_t buffer,
                                     size_t row, size_t ld)
{
    return values + (self->buffers[buffer].offset + row) * ld;
}

#endif
