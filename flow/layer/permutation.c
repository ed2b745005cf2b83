/* flow/layer/permutation.c -- y_i = x_order[i]. No parameters; log-det 0. A description holds the order
 * itself; a pattern is settled before (flow/order.h). */
#include "flow/json.h"
#include "flow/layer/layer.h"
#include "flow/order.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define layer_permutation FLOW_NAME(layer_permutation)
extern const flow_layer_ops layer_permutation;

typedef struct permutation {
    flow_layer base;
    size_t order[]; /* (dim) */
} permutation;

static const size_t *order_of(const flow_layer *layer)
{
    return ((const permutation *)layer)->order;
}

/* Every number 0 .. dim - 1 once. seen (dim) is zero. */
static int read_order(size_t *order, unsigned char *seen, const json_t *list, size_t dim)
{
    if (json_array_size(list) != dim)
        return -1;
    for (size_t i = 0; i < dim; i++) {
        const json_t *item = json_array_get(list, i);
        json_int_t at = json_is_integer(item) ? json_integer_value(item) : -1;
        if (at < 0 || (size_t)at >= dim || seen[at])
            return -1;
        seen[at] = 1;
        order[i] = (size_t)at;
    }
    return 0;
}

typedef struct permutation_options {
    const json_t *order; /* NULL: pattern is given */
    int pattern;         /* a flow_pattern */
} permutation_options;

/* The layer with that order. NULL: *err says why. */
static permutation *with_order(const json_t *list, size_t dim, flow_err *err)
{
    permutation *self = calloc(1, sizeof *self + dim * sizeof self->order[0]);
    unsigned char *seen = calloc(dim, 1);
    int code = 0;
    if (!self || !seen)
        code = flow_fail(err, FLOW_ENOMEM, "out of memory for a permutation layer");
    else if (read_order(self->order, seen, list, dim))
        code = flow_fail(err, FLOW_ECONFIG, "permutation: order must hold 0 to %zu, each once",
                         dim - 1);
    free(seen);
    if (!code)
        return self;
    free(self);
    return NULL;
}

static flow_layer *permutation_create(const json_t *description, const layer_scope *scope,
                                      flow_err *err)
{
    permutation_options *options = flow_kind_read(&layer_permutation.kind, description, err);
    permutation *self = options ? with_order(options->order, scope->dim, err) : NULL;
    free(options);
    if (!self)
        return NULL;
    self->base =
        (flow_layer){.ops = &layer_permutation, .dim = scope->dim, .context = scope->context};
    return &self->base;
}

static void permutation_free(flow_layer *layer)
{
    free(layer);
}

static json_t *describe_order(const size_t *order, size_t dim)
{
    json_t *list = json_array();
    for (size_t i = 0; i < dim; i++)
        flow_json_append(&list, json_integer((json_int_t)order[i]));
    return json_pack("{s:s, s:o}", "kind", layer_permutation.kind.name, "order", list);
}

static json_t *permutation_describe(const flow_layer *layer)
{
    return describe_order(order_of(layer), layer->dim);
}

/* The inverse order. */
static json_t *permutation_unroll(const flow_layer *layer, const flow_unrolling *how, flow_err *err)
{
    (void)how;
    size_t *back = malloc(layer->dim * sizeof *back);
    for (size_t i = 0; back && i < layer->dim; i++)
        back[order_of(layer)[i]] = i;
    json_t *out = back ? describe_order(back, layer->dim) : NULL;
    free(back);
    if (!out)
        flow_fail(err, FLOW_ENOMEM, "out of memory for the description of a layer");
    return out;
}

static int carry_circles(const size_t *order, unsigned char *circle, size_t dim, int back,
                         flow_err *err)
{
    unsigned char *from = malloc(dim);
    if (!from)
        return flow_fail(err, FLOW_ENOMEM, "out of memory for %zu circles", dim);
    memcpy(from, circle, dim);
    for (size_t i = 0; i < dim; i++)
        circle[back ? order[i] : i] = from[back ? i : order[i]];
    free(from);
    return 0;
}

static int permutation_circles(const flow_layer *layer, unsigned char *circle, int back,
                               flow_err *err)
{
    return carry_circles(order_of(layer), circle, layer->dim, back, err);
}

static void permutation_init(const flow_layer *layer, real *theta, layer_draws *draws)
{
    (void)layer, (void)theta, (void)draws;
}

static size_t nothing_len(const flow_layer *layer, size_t ld)
{
    (void)layer, (void)ld;
    return 0;
}

/* out row i = in row order[i] */
static void permute_rows(const flow_layer *layer, real *out, const real *in, size_t ld)
{
    for (size_t i = 0; i < layer->dim; i++)
        memcpy(out + i * ld, in + order_of(layer)[i] * ld, ld * sizeof *out);
}

/* out row order[i] = in row i */
static void permute_rows_back(const flow_layer *layer, real *out, const real *in, size_t ld)
{
    for (size_t i = 0; i < layer->dim; i++)
        memcpy(out + order_of(layer)[i] * ld, in + i * ld, ld * sizeof *out);
}

static void permutation_forward(const flow_layer *layer, real *y, double *logdet, const real *x,
                                const layer_call *call)
{
    (void)logdet;
    permute_rows(layer, y, x, call->ld);
}

static void permutation_inverse(const flow_layer *layer, real *x, double *logdet, const real *y,
                                const layer_call *call)
{
    (void)logdet;
    permute_rows_back(layer, x, y, call->ld);
}

static void permutation_backward(const flow_layer *layer, real *dx, real *dtheta, int add,
                                 const real *dy, const real *dlogdet, const real *x,
                                 const layer_call *call)
{
    (void)dtheta, (void)add, (void)dlogdet, (void)x;
    permute_rows_back(layer, dx, dy, call->ld);
}

static void permutation_score(const flow_layer *layer, real *score_y, const real *score_x,
                              const real *x, const layer_call *call)
{
    (void)x;
    permute_rows(layer, score_y, score_x, call->ld);
}

static size_t permutation_n_tensors(const flow_layer *layer)
{
    (void)layer;
    return 0;
}

static const char *order_or_pattern(char *why, size_t size, const void *options)
{
    const permutation_options *self = options;
    if ((self->order != NULL) != (self->pattern >= 0))
        return NULL;
    snprintf(why, size, "%s", self->order ? "excludes pattern" : "or pattern must be given");
    return "order";
}

static int put_circles(json_t *object, unsigned char *circle, size_t dim, int back, flow_err *err)
{
    permutation *self = with_order(json_object_get(object, "order"), dim, err);
    int code = self ? carry_circles(self->order, circle, dim, back, err) : err->code;
    free(self);
    return code;
}

static int settle(json_t *object, flow_place *place, flow_err *err)
{
    permutation_options *options = flow_kind_read(&layer_permutation.kind, object, err);
    if (!options)
        return FLOW_ECONFIG;
    int failed = 0;
    if (!options->order)
        failed = json_object_set_new(object, "order",
                                     flow_order_json((flow_pattern)options->pattern, place)) ||
                 json_object_del(object, "pattern");
    free(options);
    return failed ? flow_fail(err, FLOW_ENOMEM, "out of memory for a permutation layer") : 0;
}

static const flow_key permutation_keys[] = {
    {FLOW_KEY(permutation_options, order), .type = FLOW_KEY_ORDER, .min = 0,
     .max = FLOW_MAX_DIM - 1, .n_min = 1, .n_max = FLOW_MAX_DIM,
     .doc = "Coordinate i becomes the one of this number, counted from 0."},
    {FLOW_KEY(permutation_options, pattern), .type = FLOW_KEY_WORD, .words = flow_patterns,
     .doc = "A usual order, in place of a list."},
    {.name = NULL}};

const flow_layer_ops layer_permutation = {
    .kind = {.name = "permutation",
             .doc = "another order of the coordinates",
             .keys = permutation_keys,
             .size = sizeof(permutation_options),
             .conflict = order_or_pattern,
             .settle = settle,
             .circle = put_circles},
    .single = 1,
    .flat = 1,
    .create = permutation_create,
    .free = permutation_free,
    .describe = permutation_describe,
    .circles = permutation_circles,
    .unroll = permutation_unroll,
    .init = permutation_init,
    .init_data = NULL,
    .cache_len = nothing_len,
    .work_len = nothing_len,
    .forward = permutation_forward,
    .inverse = permutation_inverse,
    .backward = permutation_backward,
    .score = permutation_score,
    .n_tensors = permutation_n_tensors,
};
