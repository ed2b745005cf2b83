/* flow/base.h -- the density on R^D that a flow's noise has, as a table of operations. Internal to
 * flow/: everyone else asks the flow (flow.h).
 *
 * Shapes     z, dz, score are (n, D), row-major and double; logp, dlogp are (n). A call takes up to
 *            FLOW_SHARD rows, sample any number.
 *
 * Parameters A base's few numbers lie behind those of the layers in the flow's one block, in the
 *            flow's precision, tensor after tensor. All arithmetic is in double.
 *
 * Numbers    Nothing fails: a NaN that comes in goes out.
 *
 * A kind is one file that ends in its table, base_NAME, and one line of FLOW_BASES. Descriptions, YAML,
 * `explain` and the conformance tests walk that list. Where the base itself is learned from own samples, a gradient
 * takes one of two ways, and a kind says which of them are closed:
 *
 *   z = z(noise; theta), the path: what `pull` follows. Of the weights of a mixture there is none, for
 *   the choice of a component jumps; `pathless` names that tensor.
 *
 *   E_q[d log q(x)/dtheta, x fixed] = 0, which lets a path-gradient estimator leave that term out
 *   (Roeder 2017): it is d/dtheta of the integral of q, and vanishes if q goes to zero continuously. A
 *   base with an edge has an edge in x that moves with the layers, and what flows through it is
 *   missing: q = 1/theta on [0, theta] has d log q/dtheta = -1/theta everywhere. `edge` says so. */
#ifndef FLOW_BASE_H
#define FLOW_BASE_H

#include "flow/backend.h"

typedef struct flow_base flow_base;
typedef struct flow_base_ops flow_base_ops;

/* The base's part of a block of parameters, and of one that can be written: parameters or gradient. */
typedef struct base_view {
    const void *numbers;
    flow_precision precision;
} base_view;

typedef struct base_block {
    void *numbers;
    flow_precision precision;
} base_block;

typedef struct base_tensor {
    const char *name; /* "shift": in files "base.shift" */
    size_t rows, cols, first;
} base_tensor;

/* What every base has; kinds put it first in their own struct, freed by flow_base_free. */
struct flow_base {
    const flow_base_ops *ops;
    size_t dim, n_params;
    size_t n_tensors;
    base_tensor tensors[3];
    const char *pathless;     /* the tensor that no path reaches; NULL: all can be reached */
    const char *instead;      /* then: what to ask for that has none, for messages */
    int edge;                 /* the density jumps somewhere */
    size_t tempered;          /* columns that temper moves; 0: it cannot */
    unsigned char *on_circle; /* (D) 1: that column is on a circle (circle.h); NULL: none is */
};

struct flow_base_ops {
    flow_kind kind; /* its options are the kind's struct */
    int edge;       /* the density jumps somewhere */

    /* Adds tensors, and computes what follows from the options, whose objects it must not keep. NULL: nothing
     * does. */
    int (*begin)(flow_base *self, flow_err *err);
    void (*release)(flow_base *self); /* what begin took, also if it failed; NULL: nothing */
    /* Adds to its description what its keys point to. Non-zero: no memory. NULL: they point to nothing. */
    int (*describe)(const flow_base *self, json_t *description);

    /* Initial parameters, given zeros. NULL: zeros they are. */
    void (*init)(const flow_base *self, base_block theta, pcg *rng);

    /* Rows first .. first + n - 1 of the stream. */
    void (*sample)(const flow_base *self, double *z, base_view theta, pcg_stream stream,
                   uint64_t first, size_t n);
    void (*log_prob)(const flow_base *self, double *logp, base_view theta, const double *z,
                     size_t n);
    /* score = d log p / dz */
    void (*score)(const flow_base *self, double *score, base_view theta, const double *z, size_t n);

    /* dtheta += sum_r dlogp_r d log p(z_r) / dtheta, z fixed. NULL: the kind has no parameters. */
    void (*backward)(const flow_base *self, base_block dtheta, base_view theta, const double *dlogp,
                     const double *z, size_t n);
    /* dtheta += sum_r dz_r . dz_r / dtheta, the noise behind z fixed, or a sum with this mean over the
     * noise that could be behind z. NULL as above. */
    void (*pull)(const flow_base *self, base_block dtheta, base_view theta, const double *dz,
                 const double *z, size_t n);

    /* z (n, D), which may be u: where the points u (n, D) of the unit hypercube lie, 0 < u < 1, in a map under which
     * uniform points have this density: column by column, each given those before it (Rosenblatt 1952). */
    void (*at)(const flow_base *self, double *z, base_view theta, const double *u, size_t n);

    /* z (n, D) = m + temperature (z - m), m the middle of the density. NULL: it has no one middle, or an edge. */
    void (*temper)(const flow_base *self, double *z, base_view theta, double temperature, size_t n);
};

/* The first one is that of a flow that names none. */
#define FLOW_BASES(KIND)                                                                           \
    KIND(normal)                                                                                   \
    KIND(uniform)                                                                                  \
    KIND(student_t)                                                                                \
    KIND(mixture)                                                                                  \
    KIND(circular)

#define FLOW_BASE_DECLARE(NAME) extern const flow_base_ops base_##NAME;
FLOW_BASES(FLOW_BASE_DECLARE)

/* Every kind, NULL-terminated; flow_bases (kind.h) is their registry. */
extern const flow_base_ops *const flow_base_kinds[];

/* From a complete object, or from a kind's name, whose keys have their defaults then, or NULL for the
 * name of the first kind. */
flow_base *flow_base_create(const json_t *description, size_t dim, flow_err *err);
json_t *flow_base_describe(const flow_base *self); /* a new reference; NULL: no memory */
void flow_base_free(flow_base *self);              /* accepts NULL */
void flow_base_init(const flow_base *self, base_block theta, pcg_stream stream);

void flow_base_tensor(const flow_base *self, flow_tensor_info *info, size_t index);
void flow_base_tensor_get(const flow_base *self, double *values, base_view theta, size_t index);
void flow_base_tensor_set(const flow_base *self, base_block theta, size_t index,
                          const double *values);

/* ---- for kinds */

#define BASE_PI 3.14159265358979323846
#define BASE_HALF_LOG_2PI 0.91893853320467274178 /* log(2 pi)/2 */

/* One more tensor behind those that there are; cols 0: a vector. */
void base_add_tensor(flow_base *self, const char *name, size_t rows, size_t cols);

static inline double base_get(base_view theta, size_t i)
{
    return theta.precision == FLOW_F32 ? (double)((const float *)theta.numbers)[i]
                                       : ((const double *)theta.numbers)[i];
}

static inline void base_set(base_block to, size_t i, double value)
{
    if (to.precision == FLOW_F32)
        ((float *)to.numbers)[i] = (float)value;
    else
        ((double *)to.numbers)[i] = value;
}

static inline void base_add(base_block to, size_t i, double value)
{
    base_set(to, i, base_get((base_view){to.numbers, to.precision}, i) + value);
}

/* ---- for flows: the base's part of a block like the parameters */

static inline base_block base_part(const flow *self, void *block)
{
    const flow_backend *b = self->backend;
    return (base_block){(char *)block + self->stack.n_params * b->real_size, b->precision};
}

/* params NULL: the flow's own. */
static inline base_view base_params(const flow *self, const void *params)
{
    const flow_backend *b = self->backend;
    const char *block = params ? params : self->params;
    return (base_view){block + self->stack.n_params * b->real_size, b->precision};
}

#endif
