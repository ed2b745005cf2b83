/* flow/layer/part.c -- a stack of layers on dimensions first .. first + count - 1; y = x on the others.
 * What multi-scale flows are made of (Dinh, Sohl-Dickstein & Bengio 2017, "Density estimation using
 * Real NVP", section 3.6): the dimensions that go on are brought to the front, and a part goes on with
 * them. All results are the stack's, beside which dx = dy and g = a (mathematics-layers 1). */
#include "flow/layer/part.h"
#include "flow/layer/stack.h"
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
    flow_layer base;
    size_t first;
    flow_stack stack; /* whose dim is the count */
} part;

static const part *down(const flow_layer *layer)
{
    return (const part *)layer;
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
    *self = (part){.base = {.ops = &layer_part,
                            .dim = dim,
                            .context = stack->context,
                            .n_params = stack->n_params,
                            .n_live = stack->n_live,
                            .one_way = stack->one_way,
                            .in_series = stack->in_series},
                   .first = first,
                   .stack = *stack};
    return &self->base;
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

static void part_free(flow_layer *layer)
{
    if (layer)
        stack_free(&((part *)layer)->stack);
    free(layer);
}

static json_t *part_describe(const flow_layer *layer)
{
    const part *self = down(layer);
    const part_options options = {.first = self->first, .count = self->stack.dim};
    json_t *out = flow_kind_write(&layer_part.kind, &options);
    if (out && json_object_set_new(out, "layers", stack_describe(&self->stack)) == 0)
        return out;
    json_decref(out);
    return NULL;
}

static void part_init(const flow_layer *layer, real *theta, layer_draws *draws)
{
    uint64_t row = *draws->spare;
    *draws->spare += down(layer)->stack.n_layers;
    stack_init(&down(layer)->stack, theta, draws->stream, row, draws->spare);
}

/* ---- the map */

static size_t part_cache_len(const flow_layer *layer, size_t ld)
{
    return stack_cache_len(&down(layer)->stack, ld);
}

static size_t part_work_len(const flow_layer *layer, size_t ld)
{
    return stack_work_len(&down(layer)->stack, ld);
}

/* The dimensions before and after the part. */
static void copy_others(const flow_layer *layer, real *to, const real *from, size_t ld)
{
    const part *self = down(layer);
    size_t end = self->first + self->stack.dim;
    memcpy(to, from, self->first * ld * sizeof *to);
    memcpy(to + end * ld, from + end * ld, (layer->dim - end) * ld * sizeof *to);
}

static void part_forward(const flow_layer *layer, real *y, double *logdet, const real *x,
                         const layer_call *call)
{
    size_t at = down(layer)->first * call->ld;
    copy_others(layer, y, x, call->ld);
    stack_forward(&down(layer)->stack, y + at, logdet, x + at, call);
}

static void part_init_data(const flow_layer *layer, real *theta, real *y, double *logdet,
                           const real *x, size_t n, const layer_call *call)
{
    size_t at = down(layer)->first * call->ld;
    copy_others(layer, y, x, call->ld);
    stack_start(&down(layer)->stack, theta, y + at, logdet, x + at, n, call);
}

static void part_inverse(const flow_layer *layer, real *x, double *logdet, const real *y,
                         const layer_call *call)
{
    size_t at = down(layer)->first * call->ld;
    copy_others(layer, x, y, call->ld);
    stack_inverse(&down(layer)->stack, x + at, logdet, y + at, call);
}

static void part_backward(const flow_layer *layer, real *dx, real *dtheta, int add, const real *dy,
                          const real *dlogdet, const real *x, const layer_call *call)
{
    size_t at = down(layer)->first * call->ld;
    copy_others(layer, dx, dy, call->ld);
    stack_backward(&down(layer)->stack, dx + at, dtheta, add, dy + at, dlogdet, x + at, call);
}

static void part_score(const flow_layer *layer, real *score_y, const real *score_x, const real *x,
                       const layer_call *call)
{
    size_t at = down(layer)->first * call->ld;
    copy_others(layer, score_y, score_x, call->ld);
    stack_score(&down(layer)->stack, score_y + at, score_x + at, x + at, call);
}

/* ---- parameters by name: the stack's */

static size_t part_n_tensors(const flow_layer *layer)
{
    return stack_n_tensors(&down(layer)->stack);
}

static void part_tensor(const flow_layer *layer, flow_tensor_info *info, size_t index)
{
    stack_tensor(&down(layer)->stack, info, index);
}

static void part_tensor_get(const flow_layer *layer, double *values, const real *theta,
                            size_t index)
{
    stack_tensor_get(&down(layer)->stack, values, theta, index);
}

static void part_tensor_set(const flow_layer *layer, real *theta, const double *values,
                            size_t index)
{
    stack_tensor_set(&down(layer)->stack, theta, values, index);
}

static void part_tensor_live(const flow_layer *layer, unsigned char *live, size_t index, size_t row)
{
    stack_tensor_live(&down(layer)->stack, live, index, row);
}

/* ---- its kind */

/* The layers inside settle on their own coordinates. */
static int settle(json_t *object, flow_place *place, flow_err *err)
{
    part_options *options = flow_kind_read(&layer_part.kind, object, err);
    if (!options)
        return FLOW_ECONFIG;
    flow_place inner = *place;
    inner.dim = options->count;
    json_t *layers = flow_layers_settle(options->layers, &inner, err);
    place->row = inner.row;
    free(options);
    if (!layers)
        return err ? err->code : FLOW_ECONFIG;
    if (json_object_set_new(object, "layers", layers))
        return flow_fail(err, FLOW_ENOMEM, "out of memory for a part");
    return 0;
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
    .free = part_free,
    .describe = part_describe,
    .init = part_init,
    .init_data = part_init_data,
    .cache_len = part_cache_len,
    .work_len = part_work_len,
    .forward = part_forward,
    .inverse = part_inverse,
    .backward = part_backward,
    .score = part_score,
    .n_tensors = part_n_tensors,
    .tensor = part_tensor,
    .tensor_get = part_tensor_get,
    .tensor_set = part_tensor_set,
    .tensor_live = part_tensor_live,
};
