/* flow/layer/part.c -- a stack of layers on dimensions first .. first + count - 1; y = x on the others.
 * What multi-scale flows are made of (Dinh, Sohl-Dickstein & Bengio 2017, "Density estimation using
 * Real NVP", section 3.6): the dimensions that go on are brought to the front, and a part goes on with
 * them. All results are the stack's, beside which dx = dy and g = a (mathematics-layers 1). */
#include "flow/layer/part.h"
#include "flow/layer/holder.h"
#include "flow/preset.h"

#include <stdlib.h>
#include <string.h>

#define layer_part FLOW_NAME(layer_part)
extern const flow_layer_ops layer_part;

typedef struct part_options {
    size_t first, count;
    const json_t *layers;
} part_options;

typedef struct part {
    holder head; /* of a stack whose dim is the count */
    size_t first;
} part;

static size_t first_of(const flow_layer *layer)
{
    return ((const part *)layer)->first;
}

/* ---- making one */

flow_layer *part_around(flow_stack *stack, size_t first, size_t dim, flow_err *err)
{
    part *self = malloc(sizeof *self);
    if (!self) {
        stack_free(stack);
        flow_fail(err, FLOW_ENOMEM, "out of memory for a part");
        return NULL;
    }
    *self = (part){.head = {.base = {.ops = &layer_part,
                                     .dim = dim,
                                     .context = stack->context,
                                     .n_params = stack->n_params,
                                     .n_live = stack->n_live,
                                     .one_way = stack->one_way,
                                     .in_series = stack->in_series},
                            .stack = *stack},
                   .first = first};
    return &self->head.base;
}

static flow_layer *create_from(const part_options *options, const layer_scope *scope, flow_err *err)
{
    layer_scope inner = *scope;
    flow_stack stack = {0};
    inner.dim = options->count;
    inner.depth++;
    if (options->first >= scope->dim || options->count > scope->dim - options->first) {
        flow_fail(err, FLOW_ECONFIG, "part: first %zu and count %zu exceed %zu coordinates",
                  options->first, options->count, scope->dim);
        return NULL;
    }
    if (stack_create(&stack, options->layers, &inner, err)) {
        stack_free(&stack);
        flow_fail_prefix(err, "part");
        return NULL;
    }
    return part_around(&stack, options->first, scope->dim, err);
}

static flow_layer *part_create(const json_t *description, const layer_scope *scope, flow_err *err)
{
    part_options *options = flow_kind_read(&layer_part.kind, description, err);
    flow_layer *self = options ? create_from(options, scope, err) : NULL;
    free(options);
    return self;
}

static json_t *part_describe(const flow_layer *layer)
{
    const part_options options = {.first = first_of(layer), .count = holder_stack(layer)->dim};
    return holder_describe(layer, flow_kind_write(&layer_part.kind, &options));
}

static json_t *part_unroll(const flow_layer *layer, const flow_unrolling *how, flow_err *err)
{
    json_t *layers = stack_unroll(holder_stack(layer), how, err);
    if (!layers) {
        flow_fail_prefix(err, "part");
        return NULL;
    }
    json_t *out = part_describe(layer);
    if (!json_object_set_new(out, "layers", layers))
        return out;
    json_decref(out);
    flow_fail(err, FLOW_ENOMEM, "out of memory for a part");
    return NULL;
}

static int part_unroll_params(const flow_layer *layer, real *theta, const flow_layer *from,
                              const real *from_theta, flow_err *err)
{
    return stack_unroll_params(holder_stack(layer), theta, holder_stack(from), from_theta, err);
}

/* ---- the map */

static size_t part_cache_len(const flow_layer *layer, size_t ld)
{
    return stack_cache_len(holder_stack(layer), ld);
}

static size_t part_work_len(const flow_layer *layer, size_t ld)
{
    return stack_work_len(holder_stack(layer), ld);
}

/* The dimensions before and after the part. */
static void copy_others(const flow_layer *layer, real *to, const real *from, size_t ld)
{
    size_t first = first_of(layer), end = first + holder_stack(layer)->dim;
    memcpy(to, from, first * ld * sizeof *to);
    memcpy(to + end * ld, from + end * ld, (layer->dim - end) * ld * sizeof *to);
}

static void part_forward(const flow_layer *layer, real *y, double *logdet, const real *x,
                         const layer_call *call)
{
    size_t at = first_of(layer) * call->ld;
    copy_others(layer, y, x, call->ld);
    stack_forward(holder_stack(layer), y + at, logdet, x + at, call);
}

static int part_init_data(const flow_layer *layer, real *theta, real *y, double *logdet,
                          const real *x, size_t n, const layer_call *call)
{
    size_t at = first_of(layer) * call->ld;
    copy_others(layer, y, x, call->ld);
    return stack_start(holder_stack(layer), theta, y + at, logdet, x + at, n, call);
}

static void part_inverse(const flow_layer *layer, real *x, double *logdet, const real *y,
                         const layer_call *call)
{
    size_t at = first_of(layer) * call->ld;
    copy_others(layer, x, y, call->ld);
    stack_inverse(holder_stack(layer), x + at, logdet, y + at, call);
}

static void part_backward(const flow_layer *layer, real *dx, real *dtheta, int add, const real *dy,
                          const real *dlogdet, const real *x, const layer_call *call)
{
    size_t at = first_of(layer) * call->ld;
    copy_others(layer, dx, dy, call->ld);
    stack_backward(holder_stack(layer), dx + at, dtheta, add, dy + at, dlogdet, x + at, call);
}

static void part_score(const flow_layer *layer, real *score_y, const real *score_x, const real *x,
                       const layer_call *call)
{
    size_t at = first_of(layer) * call->ld;
    copy_others(layer, score_y, score_x, call->ld);
    stack_score(holder_stack(layer), score_y + at, score_x + at, x + at, call);
}

/* ---- its kind */

/* The layers inside settle on their own coordinates. */
static int settle(json_t *object, flow_place *place, flow_err *err)
{
    part_options *options = flow_kind_read(&layer_part.kind, object, err);
    if (!options)
        return FLOW_ECONFIG;
    int code = holder_settle(object, options->layers, options->count, place, err);
    free(options);
    return code;
}

static const flow_key part_keys[] = {
    {FLOW_KEY(part_options, first), .type = FLOW_KEY_WHOLE, .min = 0, .max = FLOW_MAX_DIM - 1,
     .def = "0", .doc = "The first coordinate of the part, counted from 0."},
    {FLOW_KEY(part_options, count), .type = FLOW_KEY_WHOLE, .flags = FLOW_KEY_REQUIRED, .min = 1,
     .max = FLOW_MAX_DIM, .doc = "How many coordinates the part has."},
    {FLOW_KEY(part_options, layers), .type = FLOW_KEY_KINDS, .flags = FLOW_KEY_REQUIRED,
     .kinds = &flow_spelt_layers, .n_max = FLOW_MAX_LAYERS,
     .doc = "The layers that these go through."},
    {.name = NULL}};

const flow_layer_ops layer_part = {
    .kind = {.name = "part",
             .doc = "layers on some of the coordinates, the others left as they are",
             .keys = part_keys,
             .size = sizeof(part_options),
             .settle = settle},
    .single = 1,
    .create = part_create,
    .free = holder_free,
    .describe = part_describe,
    .unroll = part_unroll,
    .unroll_params = part_unroll_params,
    .init = holder_init,
    .init_data = part_init_data,
    .cache_len = part_cache_len,
    .work_len = part_work_len,
    .forward = part_forward,
    .inverse = part_inverse,
    .backward = part_backward,
    .score = part_score,
    .n_tensors = holder_n_tensors,
    .tensor = holder_tensor,
    .tensor_get = holder_tensor_get,
    .tensor_set = holder_tensor_set,
    .tensor_live = holder_tensor_live,
};
