/* flow/layer/inverted.c -- a stack of layers read backwards: forward is its inverse. What makes an
 * actnorm or a lu_linear of a teacher a layer of a student (mathematics-layers 12). All four ops follow
 * from the stack's ("inverse as a step", mathematics-layers 0): with x = f^-1(y) and M = -L,
 *
 *   backward  r = J^-T (dx - dm grad_x L) = score(dx) + (dm - 1) score(0),  dtheta = backward(-r, -dm)
 *   score     of y -> x: backward(dy = a, dl = 1).dx
 *
 * Where L is the same everywhere, score(0) = 0. Here x is the stack's input and our output: it lies
 * behind the stack's cache. */
#include "flow/layer/holder.h"
#include "flow/preset.h"

#include <stdlib.h>
#include <string.h>

#define layer_inverted FLOW_NAME(layer_inverted)
extern const flow_layer_ops layer_inverted;

typedef struct inverted_options {
    const json_t *layers;
} inverted_options;

/* ---- making one */

static int check_inverse(const flow_stack *stack, flow_err *err)
{
    return stack->one_way ? stack_inverse_missing(stack, err) : 0;
}

static flow_layer *create_from(const inverted_options *options, const layer_scope *scope,
                               flow_err *err)
{
    holder *self = calloc(1, sizeof *self);
    layer_scope inner = *scope;
    inner.depth++;
    if (!self) {
        flow_fail(err, FLOW_ENOMEM, "out of memory for an inverted layer");
        return NULL;
    }
    if (stack_create(&self->stack, options->layers, &inner, err) ||
        check_inverse(&self->stack, err)) {
        holder_free(&self->base);
        flow_fail_prefix(err, "inverted");
        return NULL;
    }
    self->base = (flow_layer){.ops = &layer_inverted,
                              .dim = scope->dim,
                              .context = scope->context,
                              .n_params = self->stack.n_params,
                              .n_live = self->stack.n_live,
                              .n_networks = self->stack.n_networks};
    return &self->base;
}

static flow_layer *inverted_create(const json_t *description, const layer_scope *scope,
                                   flow_err *err)
{
    inverted_options *options = flow_kind_read(&layer_inverted.kind, description, err);
    flow_layer *self = options ? create_from(options, scope, err) : NULL;
    free(options);
    return self;
}

static json_t *inverted_describe(const flow_layer *layer)
{
    return holder_describe(layer, json_pack("{s:s}", "kind", layer_inverted.kind.name));
}

static int inverted_circles(const flow_layer *layer, unsigned char *circle, int back, flow_err *err)
{
    const flow_stack *stack = holder_stack(layer);
    int code = stack_circles(stack, circle, 0, stack->n_layers, !back, err);
    return code ? flow_fail_prefix(err, layer_inverted.kind.name) : 0;
}

json_t *layer_unroll_inverted(const flow_layer *layer, const flow_unrolling *how, flow_err *err)
{
    (void)how;
    json_t *inner = layer->ops->describe(layer);
    json_t *out =
        inner ? json_pack("{s:s, s:[o]}", "kind", layer_inverted.kind.name, "layers", inner) : NULL;
    if (!out)
        flow_fail(err, FLOW_ENOMEM, "out of memory for the description of a layer");
    return out;
}

/* ---- memory: cache = the stack's | x; work = two arrays (D, ld) and a row | the stack's */

static size_t inverted_cache_len(const flow_layer *layer, size_t ld)
{
    return stack_cache_len(holder_stack(layer), ld) + layer->dim * ld;
}

static size_t inverted_work_len(const flow_layer *layer, size_t ld)
{
    return 2 * flow_pad(layer->dim * ld) + flow_pad(ld) + stack_work_len(holder_stack(layer), ld);
}

static real *kept(const flow_layer *layer, const layer_call *call)
{
    return call->cache + stack_cache_len(holder_stack(layer), call->ld);
}

static void keep(const flow_layer *layer, const real *x, const layer_call *call)
{
    if (call->cache)
        memcpy(kept(layer, call), x, layer->dim * call->ld * sizeof *x);
}

typedef struct scratch {
    real *a, *b; /* (D, ld) */
    real *row;   /* (ld) */
    layer_call call;
} scratch;

/* Of ops that need a cache; the others leave all of work to the stack. */
static scratch scratch_of(const flow_layer *layer, const layer_call *call)
{
    size_t len = flow_pad(layer->dim * call->ld);
    scratch s = {
        .a = call->work, .b = call->work + len, .row = call->work + 2 * len, .call = *call};
    s.call.work = s.row + flow_pad(call->ld);
    return s;
}

/* ---- the map */

static void inverted_forward(const flow_layer *layer, real *y, double *logdet, const real *x,
                             const layer_call *call)
{
    stack_inverse(holder_stack(layer), y, logdet, x, call);
    keep(layer, y, call);
}

static void inverted_inverse(const flow_layer *layer, real *x, double *logdet, const real *y,
                             const layer_call *call)
{
    stack_forward(holder_stack(layer), x, logdet, y, call);
    keep(layer, y, call);
}

/* r += (dm - 1) score(0) */
static void add_bend(const flow_layer *layer, real *r, const real *dm, const scratch *room)
{
    const size_t ld = room->call.ld;
    memset(room->a, 0, layer->dim * ld * sizeof *room->a);
    stack_score(holder_stack(layer), room->b, room->a, kept(layer, &room->call), &room->call);
    for (size_t i = 0; i < layer->dim; i++)
        for (size_t j = 0; j < ld; j++)
            r[i * ld + j] += (dm[j] - 1) * room->b[i * ld + j];
}

static void inverted_backward(const flow_layer *layer, real *dx, real *dtheta, int add,
                              const real *dy, const real *dlogdet, const real *x,
                              const layer_call *call)
{
    const scratch room = scratch_of(layer, call);
    const flow_stack *stack = holder_stack(layer);
    const real *at = kept(layer, call);
    (void)x;
    stack_score(stack, dx, dy, at, &room.call);
    if (stack->curved)
        add_bend(layer, dx, dlogdet, &room);
    if (!dtheta)
        return;
    for (size_t k = 0; k < layer->dim * call->ld; k++)
        room.a[k] = -dx[k];
    for (size_t j = 0; j < call->ld; j++)
        room.row[j] = -dlogdet[j];
    stack_backward(stack, room.b, dtheta, add, room.a, room.row, at, &room.call);
}

static void inverted_score(const flow_layer *layer, real *score_y, const real *score_x,
                           const real *x, const layer_call *call)
{
    const scratch room = scratch_of(layer, call);
    (void)x;
    for (size_t j = 0; j < call->ld; j++)
        room.row[j] = 1;
    stack_backward(holder_stack(layer), score_y, NULL, 0, score_x, room.row, kept(layer, call),
                   &room.call);
}

/* ---- its kind */

static int settle(json_t *object, flow_place *place, flow_err *err)
{
    inverted_options *options = flow_kind_read(&layer_inverted.kind, object, err);
    if (!options)
        return FLOW_ECONFIG;
    int code = holder_settle(object, options->layers, place->dim, place, err);
    free(options);
    return code;
}

static const flow_key inverted_keys[] = {
    {FLOW_KEY(inverted_options, layers), .type = FLOW_KEY_KINDS, .flags = FLOW_KEY_REQUIRED,
     .kinds = &flow_spelt_layers, .n_max = FLOW_MAX_LAYERS,
     .doc =
         "Layers that are gone through from the last to the first, each the other way round. What "
         "would be set from data starts as the identity."},
    {.name = NULL}};

const flow_layer_ops layer_inverted = {
    .kind = {.name = "inverted",
             .doc = "layers read backwards: its forward is their inverse",
             .keys = inverted_keys,
             .size = sizeof(inverted_options),
             .settle = settle},
    .single = 1,
    .create = inverted_create,
    .free = holder_free,
    .describe = inverted_describe,
    .circles = inverted_circles,
    .init = holder_init,
    .init_data = NULL,
    .round = holder_round,
    .cache_len = inverted_cache_len,
    .work_len = inverted_work_len,
    .forward = inverted_forward,
    .inverse = inverted_inverse,
    .backward = inverted_backward,
    .score = inverted_score,
    .n_tensors = holder_n_tensors,
    .tensor = holder_tensor,
    .tensor_get = holder_tensor_get,
    .tensor_set = holder_tensor_set,
    .tensor_live = holder_tensor_live,
};
