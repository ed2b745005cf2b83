/* flow/layer/conditioned.h -- what layers have in common whose transformers get their numbers from a
 * conditioner: y_i = tau(x_i; h_i), or the inverse of it, the dimensions in groups 1 .. G
 * (conditioner.h). Their keys, the groups, and whole vectors or a single row through the transformer.
 *
 * Group 1 sees the context only. It has a tau of its own that is learned (first: free), or is left as
 * it is (first: identity), as NICE and RealNVP do. */
#ifndef FLOW_LAYER_CONDITIONED_H
#define FLOW_LAYER_CONDITIONED_H

#include "flow/layer/conditioner.h"
#include "flow/layer/layer.h"
#include "flow/layer/transformer.h"

#define conditioned_open FLOW_NAME(conditioned_open)
#define conditioned_close FLOW_NAME(conditioned_close)
#define conditioned_describe FLOW_NAME(conditioned_describe)
#define conditioned_unroll FLOW_NAME(conditioned_unroll)
#define conditioned_firsts FLOW_NAME(conditioned_firsts)
#define conditioned_set_context FLOW_NAME(conditioned_set_context)
#define conditioned_copy FLOW_NAME(conditioned_copy)
#define conditioned_transform FLOW_NAME(conditioned_transform)

/* ---- what may be said about one */

typedef struct conditioned_options {
    const json_t *transformer, *conditioner;
    size_t groups; /* 0: D */
    int first;     /* of conditioned_firsts */
} conditioned_options;

extern const flow_word conditioned_firsts[];

/* The first keys of such a kind, whose options begin with conditioned_options. */
#define CONDITIONED_KEYS                                                                           \
    {FLOW_KEY(conditioned_options, transformer), .type = FLOW_KEY_KIND,                            \
     .kinds = &flow_transformers, .def = "spline",                                                 \
     .doc = "What a layer does to each coordinate with the numbers its conditioner gives."},       \
        {FLOW_KEY(conditioned_options, conditioner), .type = FLOW_KEY_KIND,                        \
         .kinds = &flow_conditioners, .def = "mlp",                                                \
         .doc = "The network that gives each coordinate's numbers from the coordinates before "    \
                "it."},                                                                            \
        {FLOW_KEY(conditioned_options, groups),                                                    \
         .type = FLOW_KEY_WHOLE,                                                                   \
         .flags = FLOW_KEY_AUTO,                                                                   \
         .min = 1,                                                                                 \
         .max = FLOW_MAX_DIM,                                                                      \
         .def = "auto",                                                                            \
         .doc = "Neighbouring coordinates in so many groups, each transformed by numbers that "    \
                "see the groups before it. 2 is a coupling layer, 1 an element-wise one; auto: "   \
                "each coordinate is a group of its own."},                                         \
    {                                                                                              \
        FLOW_KEY(conditioned_options, first), .type = FLOW_KEY_WORD, .words = conditioned_firsts,  \
                                              .def = "free",                                       \
                                              .doc = "What happens to the first group."            \
    }

/* ---- one, as a part of a layer */

/* Dimensions first .. end - 1 and where their parameters begin in the conditioner's values, or the
 * cotangents of these. Bare: they have none, and stay as they are. */
typedef struct conditioned_group {
    size_t first, end, row;
    int bare;
} conditioned_group;

typedef struct conditioned {
    conditioned_options options; /* without the objects */
    const transformer *tau;
    conditioner *net;
    void *tau_options, *net_options;
    size_t outputs;            /* parameters of tau */
    conditioned_group *groups; /* (G) */
    /* The dimensions without parameters, and the others, whatever their group. */
    conditioned_group bare, all;
} conditioned;

/* A layer that is nothing else: autoregressive. */
typedef struct conditioned_layer {
    flow_layer base;
    conditioned maps;
} conditioned_layer;

/* kind: the layer's name, for messages. After a failure it is to be closed all the same. */
int conditioned_open(conditioned *self, const conditioned_options *options, const char *kind,
                     const layer_scope *scope, flow_err *err);
void conditioned_close(conditioned *self);

/* Adds transformer and conditioner to a layer's description, whose other keys are there. Takes the
 * description over and hands it back; NULL, also if it was NULL: no memory. */
json_t *conditioned_describe(const conditioned *self, json_t *description);

/* The op unroll of such a layer: `unrolled` with the same keys, but for a narrower conditioner. */
json_t *conditioned_unroll(const flow_layer *layer, const flow_unrolling *how, flow_err *err);

/* ---- a shard of values: what ops have to do with one another */

typedef struct conditioned_shard {
    const conditioned *self;
    const conditioner *net;
    const real *theta;
    real *values;
    real *slopes; /* NULL: no backward follows */
    real *wide;   /* for ld = 1: room for conditioned_wide_len numbers */
    size_t ld;
} conditioned_shard;

static inline size_t conditioned_wide_len(const conditioned *self)
{
    return (self->outputs + 2) * FLOW_PAD;
}

/* The inputs among the values, or their cotangents. */
static inline real *conditioned_inputs(const conditioned_shard *s, real *values)
{
    return values + s->net->shape.context * s->ld;
}

/* The parameters of dimension i, which is of this group, among the values. */
static inline real *conditioned_params(const conditioned_shard *s, real *values,
                                       const conditioned_group *g, size_t i)
{
    return values + (g->row + (i - g->first) * s->self->outputs) * s->ld;
}

void conditioned_set_context(const conditioned_shard *s, const real *context);

/* The rows of a group, from one array (D, ld) to another. */
void conditioned_copy(const conditioned_shard *s, real *to, const real *from,
                      const conditioned_group *g);

typedef void conditioned_map(const void *options, real *to, double *logdet, const real *from,
                             const real *h, size_t ld);

/* The rows of a group through tau's forward or inverse; its parameters are fresh from the conditioner,
 * and prepared afterwards. */
void conditioned_transform(const conditioned_shard *s, conditioned_map *f, real *to, double *logdet,
                           const real *from, const conditioned_group *g);

#endif
