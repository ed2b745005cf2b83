/* flow/layer/part.c -- a stack of layers on some dimensions, first .. first + count - 1 or those of a list;
 * y = x on the others. What multi-scale flows are made of (Dinh, Sohl-Dickstein & Bengio 2017, "Density
 * estimation using Real NVP", section 3.6): the dimensions that go on are brought to the front, and a part goes
 * on with them. And what keeps a map of lines away from circles. All results are the stack's, beside
 * which dx = dy and g = a (mathematics-layers 1).
 *
 * The rows of a list are gathered for the stack in work memory, and scattered. */
#include "flow/layer/part.h"
#include "flow/json.h"
#include "flow/layer/holder.h"
#include "flow/preset.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define layer_part FLOW_NAME(layer_part)
extern const flow_layer_ops layer_part;

typedef struct part_options {
    size_t first, count;
    const json_t *columns; /* NULL: first and count say which */
    const json_t *layers;
} part_options;

typedef struct part {
    holder head; /* of a stack whose dim is the count */
    size_t first;
    int listed;
    size_t columns[]; /* (count) if listed */
} part;

static const part *down(const flow_layer *layer)
{
    return (const part *)layer;
}

static size_t first_of(const flow_layer *layer)
{
    return down(layer)->first;
}

static size_t count_of(const part_options *options)
{
    return options->columns ? json_array_size(options->columns) : options->count;
}

/* ---- making one */

static part *around(flow_stack *stack, size_t dim, size_t n_columns, flow_err *err)
{
    part *self = malloc(sizeof *self + n_columns * sizeof self->columns[0]);
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
                                     .n_networks = stack->n_networks,
                                     .one_way = stack->one_way,
                                     .in_series = stack->in_series},
                            .stack = *stack}};
    return self;
}

flow_layer *part_around(flow_stack *stack, size_t first, size_t dim, flow_err *err)
{
    part *self = around(stack, dim, 0, err);
    if (self)
        self->first = first;
    return self ? &self->head.base : NULL;
}

static flow_layer *list_around(flow_stack *stack, const json_t *columns, size_t dim, flow_err *err)
{
    part *self = around(stack, dim, json_array_size(columns), err);
    for (size_t k = 0; self && k < stack->dim; k++)
        self->columns[k] = (size_t)json_integer_value(json_array_get(columns, k));
    if (self)
        self->listed = 1;
    return self ? &self->head.base : NULL;
}

/* Numbers below dim, rising. */
static int check_columns(const json_t *columns, size_t dim, flow_err *err)
{
    json_int_t next = 0;
    for (size_t k = 0; k < json_array_size(columns); k++) {
        json_int_t at = json_integer_value(json_array_get(columns, k));
        if (at < next || (size_t)at >= dim)
            return flow_fail(err, FLOW_ECONFIG,
                             "part: columns wants numbers below %zu in rising order", dim);
        next = at + 1;
    }
    return 0;
}

static int check_place(const part_options *options, size_t dim, flow_err *err)
{
    if (options->columns)
        return check_columns(options->columns, dim, err);
    if (options->first < dim && options->count <= dim - options->first)
        return 0;
    return flow_fail(err, FLOW_ECONFIG, "part: first %zu and count %zu exceed %zu coordinates",
                     options->first, options->count, dim);
}

static flow_layer *create_from(const part_options *options, const layer_scope *scope, flow_err *err)
{
    layer_scope inner = *scope;
    flow_stack stack = {0};
    inner.dim = count_of(options);
    inner.depth++;
    if (check_place(options, scope->dim, err))
        return NULL;
    if (stack_create(&stack, options->layers, &inner, err)) {
        stack_free(&stack);
        flow_fail_prefix(err, "part");
        return NULL;
    }
    return options->columns ? list_around(&stack, options->columns, scope->dim, err)
                            : part_around(&stack, options->first, scope->dim, err);
}

static flow_layer *part_create(const json_t *description, const layer_scope *scope, flow_err *err)
{
    part_options *options = flow_kind_read(&layer_part.kind, description, err);
    flow_layer *self = options ? create_from(options, scope, err) : NULL;
    free(options);
    return self;
}

static json_t *describe_list(const part *self)
{
    json_t *list = json_array();
    for (size_t k = 0; k < self->head.stack.dim; k++)
        flow_json_append(&list, json_integer((json_int_t)self->columns[k]));
    return json_pack("{s:s, s:i, s:o}", "kind", layer_part.kind.name, "first", 0, "columns", list);
}

static json_t *part_describe(const flow_layer *layer)
{
    json_t *out = down(layer)->listed ? describe_list(down(layer))
                                      : json_pack("{s:s, s:I, s:I}", "kind", layer_part.kind.name,
                                                  "first", (json_int_t)first_of(layer), "count",
                                                  (json_int_t)holder_stack(layer)->dim);
    return holder_describe(layer, out);
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

/* Where dimension k of the stack is. */
static size_t column(const flow_layer *layer, size_t k)
{
    return down(layer)->listed ? down(layer)->columns[k] : first_of(layer) + k;
}

static int part_circles(const flow_layer *layer, unsigned char *circle, int back, flow_err *err)
{
    const flow_stack *stack = holder_stack(layer);
    unsigned char *inner = malloc(stack->dim);
    if (!inner)
        return flow_fail(err, FLOW_ENOMEM, "out of memory for %zu circles", stack->dim);
    for (size_t k = 0; k < stack->dim; k++)
        inner[k] = circle[column(layer, k)];
    int code = stack_circles(stack, inner, 0, stack->n_layers, back, err);
    for (size_t k = 0; k < stack->dim; k++)
        circle[column(layer, k)] = inner[k];
    free(inner);
    return code ? flow_fail_prefix(err, layer_part.kind.name) : 0;
}

/* ---- memory: work = of a list, three arrays (count, ld) | the stack's */

static size_t part_cache_len(const flow_layer *layer, size_t ld)
{
    return stack_cache_len(holder_stack(layer), ld);
}

static size_t gathered_len(const flow_layer *layer, size_t ld)
{
    return down(layer)->listed ? flow_pad(holder_stack(layer)->dim * ld) : 0;
}

static size_t part_work_len(const flow_layer *layer, size_t ld)
{
    return 3 * gathered_len(layer, ld) + stack_work_len(holder_stack(layer), ld);
}

/* A pass of the stack: where its rows are, and its own call. */
typedef struct inside {
    const flow_layer *layer;
    real *in, *also, *out; /* of a list */
    layer_call call;
} inside;

static inside go_in(const flow_layer *layer, const layer_call *call)
{
    size_t len = gathered_len(layer, call->ld);
    inside s = {.layer = layer, .in = call->work, .call = *call};
    s.also = s.in + len;
    s.out = s.also + len;
    s.call.work = s.out + len;
    return s;
}

/* The stack's rows of x, which a list gathers in room. */
static const real *rows_of(const inside *s, real *room, const real *x)
{
    size_t ld = s->call.ld;
    if (!down(s->layer)->listed)
        return x + first_of(s->layer) * ld;
    for (size_t k = 0; k < holder_stack(s->layer)->dim; k++)
        memcpy(room + k * ld, x + column(s->layer, k) * ld, ld * sizeof *x);
    return room;
}

static real *results_in(const inside *s, real *y)
{
    return down(s->layer)->listed ? s->out : y + first_of(s->layer) * s->call.ld;
}

/* The dimensions beside the part; those of a list are filled in by go_out. */
static void copy_others(const inside *s, real *to, const real *from)
{
    const flow_layer *layer = s->layer;
    size_t ld = s->call.ld, first = first_of(layer), end = first + holder_stack(layer)->dim;
    if (down(layer)->listed)
        first = end = layer->dim;
    memcpy(to, from, first * ld * sizeof *to);
    memcpy(to + end * ld, from + end * ld, (layer->dim - end) * ld * sizeof *to);
}

static void go_out(const inside *s, real *y)
{
    size_t ld = s->call.ld;
    for (size_t k = 0; down(s->layer)->listed && k < holder_stack(s->layer)->dim; k++)
        memcpy(y + column(s->layer, k) * ld, s->out + k * ld, ld * sizeof *y);
}

/* ---- the map */

static void part_forward(const flow_layer *layer, real *y, double *logdet, const real *x,
                         const layer_call *call)
{
    const inside s = go_in(layer, call);
    copy_others(&s, y, x);
    stack_forward(holder_stack(layer), results_in(&s, y), logdet, rows_of(&s, s.in, x), &s.call);
    go_out(&s, y);
}

static int part_init_data(const flow_layer *layer, real *theta, real *y, double *logdet,
                          const real *x, size_t n, const layer_call *call)
{
    const inside s = go_in(layer, call);
    copy_others(&s, y, x);
    int code = stack_start(holder_stack(layer), theta, results_in(&s, y), logdet,
                           rows_of(&s, s.in, x), n, &s.call);
    go_out(&s, y);
    return code;
}

static void part_inverse(const flow_layer *layer, real *x, double *logdet, const real *y,
                         const layer_call *call)
{
    const inside s = go_in(layer, call);
    copy_others(&s, x, y);
    stack_inverse(holder_stack(layer), results_in(&s, x), logdet, rows_of(&s, s.in, y), &s.call);
    go_out(&s, x);
}

static void part_backward(const flow_layer *layer, real *dx, real *dtheta, int add, const real *dy,
                          const real *dlogdet, const real *x, const layer_call *call)
{
    const inside s = go_in(layer, call);
    copy_others(&s, dx, dy);
    stack_backward(holder_stack(layer), results_in(&s, dx), dtheta, add, rows_of(&s, s.in, dy),
                   dlogdet, rows_of(&s, s.also, x), &s.call);
    go_out(&s, dx);
}

static void part_score(const flow_layer *layer, real *score_y, const real *score_x, const real *x,
                       const layer_call *call)
{
    const inside s = go_in(layer, call);
    copy_others(&s, score_y, score_x);
    stack_score(holder_stack(layer), results_in(&s, score_y), rows_of(&s, s.in, score_x),
                rows_of(&s, s.also, x), &s.call);
    go_out(&s, score_y);
}

/* ---- its kind */

static const char *count_or_columns(char *why, size_t size, const void *options)
{
    const part_options *self = options;
    if (!self->columns && self->count)
        return NULL;
    if (self->columns && !self->count && !self->first)
        return NULL;
    snprintf(why, size, "%s",
             self->columns ? "excludes first and count" : "or columns must be given");
    return self->columns ? "columns" : "count";
}

/* The layers inside settle on their own coordinates. */
static int settle(json_t *object, flow_place *place, flow_err *err)
{
    part_options *options = flow_kind_read(&layer_part.kind, object, err);
    if (!options)
        return FLOW_ECONFIG;
    int code = holder_settle(object, options->layers, count_of(options), place, err);
    free(options);
    return code;
}

static const flow_key part_keys[] = {
    {FLOW_KEY(part_options, first), .type = FLOW_KEY_WHOLE, .min = 0, .max = FLOW_MAX_DIM - 1,
     .def = "0", .doc = "The first coordinate of the part, counted from 0."},
    {FLOW_KEY(part_options, count), .type = FLOW_KEY_WHOLE, .min = 1, .max = FLOW_MAX_DIM,
     .doc = "How many coordinates the part has."},
    {FLOW_KEY(part_options, columns), .type = FLOW_KEY_ORDER, .min = 0, .max = FLOW_MAX_DIM - 1,
     .n_min = 1, .n_max = FLOW_MAX_DIM,
     .doc = "The coordinates of the part in rising order, in place of first and count."},
    {FLOW_KEY(part_options, layers), .type = FLOW_KEY_KINDS, .flags = FLOW_KEY_REQUIRED,
     .kinds = &flow_spelt_layers, .n_max = FLOW_MAX_LAYERS,
     .doc = "The layers that these go through."},
    {.name = NULL}};

const flow_layer_ops layer_part = {
    .kind = {.name = "part",
             .doc = "layers on some of the coordinates, the others left as they are",
             .keys = part_keys,
             .size = sizeof(part_options),
             .conflict = count_or_columns,
             .settle = settle},
    .single = 1,
    .create = part_create,
    .free = holder_free,
    .describe = part_describe,
    .circles = part_circles,
    .unroll = part_unroll,
    .unroll_params = part_unroll_params,
    .init = holder_init,
    .init_data = part_init_data,
    .round = holder_round,
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
