/* flow/backend.h -- what flow/layer/ offers in one precision and instruction set, as a table.
 * Internal to flow/: everyone else uses flow.h and optimizer.h. */
#ifndef FLOW_BACKEND_H
#define FLOW_BACKEND_H

#include "flow/flow.h"
#include "flow/kind.h"
#include "flow/round.h"
#include "flow/unroll.h"

#include <stdatomic.h>

struct flow_layer;
struct flow_base;
typedef struct flow_backend flow_backend;

/* Layers in a row: those of a flow, or of a layer that holds some. */
typedef struct flow_stack {
    size_t dim, context;
    size_t n_layers;
    struct flow_layer **layers; /* (n_layers) in the order of forward */
    size_t *offsets;            /* (n_layers) first parameter of each */
    size_t n_params, n_live;
    size_t n_networks; /* conditioners that can be rounded; 0 where the backend does not round */
    int one_way;       /* a layer has no inverse */
    int curved;        /* the log-determinant of a layer depends on its input */
    size_t in_series;  /* the most groups that a layer inverts one after the other; 1: none does */
} flow_stack;

struct flow {
    const flow_backend *backend;
    size_t dim, context;
    flow_direction direction;
    flow_network network; /* of its conditioners (round.h) */
    int settled;          /* rounded: its parameters stay */
    flow_stack stack;
    struct flow_base *base; /* (base.h); its parameters lie behind those of the stack */
    unsigned char *circles; /* (2, dim) 1 where a column of the data, and of the noise, is on a
                               circle; NULL: none is */
    void *params;
    atomic_uint_fast64_t unconverged; /* of flow_counters; a pass adds its own when it is freed */
};

typedef enum flow_sort {
    FLOW_LAYER_KIND,
    FLOW_TRANSFORMER_KIND,
    FLOW_CONDITIONER_KIND,
    FLOW_ACTIVATION_KIND
} flow_sort;

/* Blocks are arrays of n numbers of the backend's precision, cut into ranges by the caller. */
typedef struct flow_adam {
    double lr, beta1, beta2, eps, weight_decay; /* decoupled (Loshchilov & Hutter 2019) */
    double correct1, correct2;                  /* 1 - beta^t */
    double scale;                               /* multiplies the gradient */
    double average;                             /* weight of the new parameters in the average */
} flow_adam;

struct flow_backend {
    const char *name; /* "f32/avx512" */
    flow_precision precision;
    int rounds; /* for flows whose conditioners are in low precision, and for nothing else: the same bits on every
                   processor */
    size_t real_size;
    int (*supported)(void); /* by this processor */

    /* Kind number `index` of a sort; NULL past the end. */
    const flow_kind *(*kind)(flow_sort sort, size_t index);
    /* The stack is zero before, and freed also if it fails. max_live: flow_create_within. */
    int (*create_layers)(flow *self, const json_t *list, size_t max_live, flow_err *err);
    void (*free_layers)(flow_stack *self);
    /* FLOW_ECONFIG, with the name of a layer that has no inverse. */
    int (*inverse_missing)(const flow_stack *self, flow_err *err);
    json_t *(*describe_layers)(const flow_stack *self);
    /* circle (dim), where the inputs of layers first .. end - 1 are on circles, becomes where their outputs are;
     * with back the other way round. FLOW_ECONFIG, with the name of a layer that does not fit. */
    int (*circles)(const flow_stack *self, unsigned char *circle, size_t first, size_t end,
                   int back, flow_err *err);
    /* The layers, from the last to the first, unrolled (layer.h): a new reference. FLOW_ECONFIG, with the name of
     * a layer that cannot be. */
    json_t *(*unroll_layers)(const flow_stack *self, const flow_unrolling *how, flow_err *err);
    /* params = those of `from`, a stack of the same precision, whose unrolled layers these are. FLOW_ENOMEM. */
    int (*unroll_params)(const flow_stack *self, void *params, const flow_stack *from,
                         const void *from_params, flow_err *err);
    void (*init)(flow *self, pcg_stream stream);
    int (*init_data)(flow *self, const double *x, const double *context, size_t n, flow_err *err);

    /* flow_network_is_faster. */
    int (*faster)(flow_network network);
    /* Conditioners in low precision: from now on, n rows having gone through the flow. */
    void (*round)(flow *self, size_t n);

    size_t (*n_tensors)(const flow_stack *self);
    void (*tensor)(const flow_stack *self, flow_tensor_info *info, size_t index);
    void (*tensor_get)(const flow_stack *self, double *values, const void *params, size_t index);
    /* Values of masked entries are 0. */
    void (*tensor_set)(const flow_stack *self, void *params, const double *values, size_t index);
    void (*tensor_live)(const flow_stack *self, unsigned char *live, size_t index, size_t row);

    flow_pass *(*pass_create)(const flow *self, size_t max_rows, unsigned flags, flow_err *err);
    void (*pass_free)(flow_pass *pass);
    void (*pass_forward)(flow_pass *pass, const void *params, double *y, double *logdet,
                         const double *x, const double *context, size_t n);
    void (*pass_inverse)(flow_pass *pass, const void *params, double *x, double *logdet,
                         const double *y, const double *context, size_t n);
    void (*pass_backward)(flow_pass *pass, const void *params, double *dx, flow_gradient *gradient,
                          const double *dy, const double *dlogdet);
    void (*pass_score)(flow_pass *pass, const void *params, double *score_y, const double *score_x);

    /* to += from */
    void (*block_add)(void *to, const void *from, size_t first, size_t n);
    /* sum of squares */
    double (*block_square)(const void *block, size_t first, size_t n);
    /* one AdamW step on params with gradient grad and moments m, v */
    void (*block_adam)(void *params, void *m, void *v, void *average, const void *grad,
                       size_t first, size_t n, const flow_adam *adam);
};

/* The fastest backend of this precision on this processor. FLOW_ISA in the environment (generic,
 * avx2, avx512) asks for another; NULL with a message in *err if it cannot be had. avx2_vnni and avx512_vnni are
 * those two with leave to multiply bytes as the processor does, as without FLOW_ISA. */
const flow_backend *flow_backend_find(flow_precision precision, flow_err *err);
/* The same for flows in low precision. */
const flow_backend *flow_backend_find_rounding(flow_err *err);

/* Whether FLOW_ISA allows an instruction set: it names it, or none. */
int flow_isa_wanted(const char *isa);

/* All that run here and do not round, NULL past the end: for tests. */
const flow_backend *flow_backend_at(size_t index);

/* flow_create on a chosen backend, with networks in this precision that watch yet (flow/layer/mlp_low.h): one that
 * rounds, but for AS_IS. */
flow *flow_create_low(const flow_backend *backend, const json_t *description, flow_network network,
                      flow_err *err);
/* The same with the parameters of a flow whose description it is. */
flow *flow_copy_on(const flow *self, const flow_backend *backend, flow_network network,
                   flow_err *err);

/* flow_create_within on a chosen backend. */
flow *flow_create_on(const flow_backend *backend, const json_t *description, size_t max_weights,
                     flow_err *err);

/* The head of every pass, whatever the backend. */
struct flow_pass {
    const flow *flow;
    flow_counters counters;
    pcg_stream noise;
    uint64_t first_row;
    size_t n;          /* rows, of the last log_prob or transport */
    const double *z;   /* (n, D) their noise: the caller's */
    double *dz, *more; /* (max_rows, D) with FLOW_PASS_TRAIN; more: of bases with parameters */
};

#endif
