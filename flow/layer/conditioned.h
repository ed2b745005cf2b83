/* flow/layer/conditioned.h -- what layers have in common whose transformers get their numbers from a
 * conditioner: y_i = tau(x_i; h_i), or the inverse of it, the dimensions in groups 1 .. G
 * (conditioner.h). Their keys, the groups, and whole vectors or a single row through the transformer.
 *
 * Group 1 sees the context only. It has a tau of its own that is learned (first: free), or is left as
 * it is (first: identity), as NICE and RealNVP do.
 *
 * Dimensions may be on circles, in radians (flow/circle.h): they have another tau, a circular one, and the
 * conditioner sees their cosine and sine, so that nothing depends on how often a point was taken round. */
#ifndef FLOW_LAYER_CONDITIONED_H
#define FLOW_LAYER_CONDITIONED_H

#include "flow/layer/conditioner.h"
#include "flow/layer/layer.h"
#include "flow/layer/transformer.h"

#define conditioned_open FLOW_NAME(conditioned_open)
#define conditioned_close FLOW_NAME(conditioned_close)
#define conditioned_describe FLOW_NAME(conditioned_describe)
#define conditioned_init FLOW_NAME(conditioned_init)
#define conditioned_take FLOW_NAME(conditioned_take)
#define conditioned_networks FLOW_NAME(conditioned_networks)
#define conditioned_round FLOW_NAME(conditioned_round)
#define conditioned_unroll FLOW_NAME(conditioned_unroll)
#define conditioned_firsts FLOW_NAME(conditioned_firsts)
#define conditioned_set_context FLOW_NAME(conditioned_set_context)
#define conditioned_copy FLOW_NAME(conditioned_copy)
#define conditioned_show FLOW_NAME(conditioned_show)
#define conditioned_pull FLOW_NAME(conditioned_pull)
#define conditioned_circles FLOW_NAME(conditioned_circles)
#define conditioned_circle FLOW_NAME(conditioned_circle)
#define conditioned_transform FLOW_NAME(conditioned_transform)

/* ---- what may be said about one */

typedef struct conditioned_options {
    const json_t *transformer, *conditioner;
    size_t groups;                    /* 0: D */
    int first;                        /* of conditioned_firsts */
    const json_t *circles, *circular; /* NULL: none; the default */
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
        {FLOW_KEY(conditioned_options, first), .type = FLOW_KEY_WORD, .words = conditioned_firsts, \
         .def = "free", .doc = "What happens to the first group."},                                \
        {FLOW_KEY(conditioned_options, circles),                                                   \
         .type = FLOW_KEY_ORDER,                                                                   \
         .min = 0,                                                                                 \
         .max = FLOW_MAX_DIM - 1,                                                                  \
         .n_max = FLOW_MAX_DIM,                                                                    \
         .doc = "Coordinates on a circle, in radians, counted from 0. The network sees their "     \
                "cosine and sine. A preset knows by itself which columns have a period."},         \
    {                                                                                              \
        FLOW_KEY(conditioned_options, circular),                                                   \
            .type = FLOW_KEY_KIND, .kinds = &flow_transformers,                                    \
            .doc = "What a layer does to coordinates on a circle: a circular transformer. "        \
                   "Without it circular_spline."                                                   \
    }

/* ---- one, as a part of a layer */

/* Dimensions first .. end - 1 and where their parameters begin in the conditioner's values, or the
 * cotangents of these. Bare: they have none, and stay as they are. */
typedef struct conditioned_group {
    size_t first, end, row;
    int bare;
} conditioned_group;

/* A transformer with its numbers, and how many parameters it wants. */
typedef struct conditioned_tau {
    const transformer *ops;
    void *options;
    size_t outputs;
} conditioned_tau;

typedef struct conditioned {
    conditioned_options options; /* without the objects */
    conditioned_tau line, circle;
    conditioner *net;
    void *net_options;
    size_t most_outputs;       /* of either tau */
    unsigned char *on_circle;  /* (D) 1: that dimension is on a circle; NULL: none is */
    size_t *before;            /* (2, D + 1) inputs and outputs before each; NULL as above */
    conditioned_group *groups; /* (G) */
    /* The dimensions without parameters, the others, whatever their group, and both. */
    conditioned_group bare, all, whole;
} conditioned;

/* What such a layer begins with; one that is nothing else: autoregressive. */
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

/* The op circles of such a layer: they are where its own are. */
int conditioned_circles(const flow_layer *layer, unsigned char *circle, int back, flow_err *err);

/* The slot circle of such a kind: the circles are named, and get the first circular transformer with the numbers
 * that it has in common with the lines' (bins, of a spline). */
int conditioned_circle(json_t *object, unsigned char *circle, size_t dim, int back, flow_err *err);

/* The op unroll of such a layer: `unrolled` with the same keys, but for a narrower conditioner. */
json_t *conditioned_unroll(const flow_layer *layer, const flow_unrolling *how, flow_err *err);

/* Initial parameters of so many networks, one behind the other in theta. */
void conditioned_init(const conditioned *self, real *theta, size_t copies, layer_draws *draws);
/* Those of each as of `wide`, which has one, or narrower (conditioner.h). FLOW_ENOMEM. */
int conditioned_take(const conditioned *self, real *theta, size_t copies, const conditioned *wide,
                     const real *from_theta, flow_err *err);

/* How many kinds of them can be rounded: one or none. */
size_t conditioned_networks(const conditioned *self);
/* Rounds them: n rows went through each (layer.h). */
void conditioned_round(const conditioned *self, real *theta, size_t copies, size_t n);

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
    return (self->most_outputs + 2) * FLOW_PAD;
}

/* Rows of values, or of their cotangents: the conditioner's, and, where there are circles, those of the
 * coordinates themselves behind them. */
static inline size_t conditioned_rows(const conditioned *self)
{
    return self->net->value_rows + (self->on_circle ? flow_pad(self->net->shape.dim) : 0);
}

static inline const conditioned_tau *conditioned_tau_of(const conditioned *self, size_t i)
{
    return self->on_circle && self->on_circle[i] ? &self->circle : &self->line;
}

/* The coordinates (D, ld) among the values, or their cotangents. Without circles they are the conditioner's
 * inputs; else it must be shown them, and their cotangents be pulled from its own. */
static inline real *conditioned_inputs(const conditioned_shard *s, real *values)
{
    size_t row = s->self->on_circle ? s->net->value_rows : s->net->shape.context;
    return values + row * s->ld;
}

/* The coordinates of a group, as the conditioner sees them. */
void conditioned_show(const conditioned_shard *s, const conditioned_group *g);
/* Their cotangents from those of what it saw. */
void conditioned_pull(const conditioned_shard *s, real *cotangents, const conditioned_group *g);

/* The parameters of dimension i, which is of this group, among the values. */
static inline real *conditioned_params(const conditioned_shard *s, real *values,
                                       const conditioned_group *g, size_t i)
{
    return values + (g->row + conditioner_outputs(&s->net->shape, g->first, i)) * s->ld;
}

void conditioned_set_context(const conditioned_shard *s, const real *context);

/* The rows of a group, from one array (D, ld) to another. */
void conditioned_copy(const conditioned_shard *s, real *to, const real *from,
                      const conditioned_group *g);

typedef enum conditioned_way { CONDITIONED_FORWARD, CONDITIONED_INVERSE } conditioned_way;

/* The rows of a group through tau's forward or inverse; its parameters are fresh from the conditioner,
 * and prepared afterwards. */
void conditioned_transform(const conditioned_shard *s, conditioned_way way, real *to,
                           double *logdet, const real *from, const conditioned_group *g);

#endif
