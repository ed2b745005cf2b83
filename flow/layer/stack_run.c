/* flow/layer/stack_run.c -- the loops around the layers of a stack.
 *
 * What goes from layer to layer takes turns between the result's place and one more buffer at the
 * beginning of the work memory. With a cache the inputs of the layers after the first are kept at
 * its beginning, the layers' own caches behind them. */
#include "flow/layer/stack.h"

#include <string.h>

/* ---- memory */

static size_t rows_len(const flow_stack *self, size_t ld)
{
    return flow_pad(self->dim * ld);
}

static size_t inputs_len(const flow_stack *self, size_t ld)
{
    return self->n_layers > 1 ? (self->n_layers - 1) * rows_len(self, ld) : 0;
}

static size_t layer_cache_len(const flow_layer *layer, size_t ld)
{
    return flow_pad(layer->ops->cache_len(layer, ld));
}

size_t stack_cache_len(const flow_stack *self, size_t ld)
{
    size_t sum = inputs_len(self, ld);
    for (size_t l = 0; l < self->n_layers; l++)
        sum += layer_cache_len(self->layers[l], ld);
    return sum;
}

/* What widening a single row takes: it, its result, its context. */
static size_t wide_len(const flow_stack *self)
{
    return (2 * self->dim + self->context) * FLOW_PAD;
}

size_t stack_work_len(const flow_stack *self, size_t ld)
{
    size_t most = 0, wide = 0;
    for (size_t l = 0; l < self->n_layers; l++) {
        size_t len = self->layers[l]->ops->work_len(self->layers[l], ld);
        most = len > most ? len : most;
        wide = self->layers[l]->ops->single ? wide : wide_len(self);
    }
    return rows_len(self, ld) + wide + most;
}

/* ---- one layer of many */

/* What all layers are called with but for what `enter` sets. */
static layer_call call_within(const flow_stack *self, const layer_call *outer)
{
    layer_call call = *outer;
    call.work += rows_len(self, outer->ld);
    return call;
}

/* The call becomes that of layer l; cache: where its own begins in the stack's. */
static void enter(const flow_stack *self, layer_call *call, const layer_call *outer, size_t l,
                  size_t cache)
{
    call->theta = outer->theta + self->offsets[l];
    call->cache = outer->cache ? outer->cache + cache : NULL;
    call->path = outer->path * (FLOW_MAX_LAYERS + 1) + l + 1;
}

/* The input of layer k, 0 < k < n_layers: kept, or where it is for now on the way to `end`, which is
 * an even number of layers away if even is 1. */
static real *between(const flow_stack *self, size_t k, real *end, int even, const layer_call *call)
{
    if (call->cache)
        return call->cache + (k - 1) * rows_len(self, call->ld);
    return even ? end : call->work;
}

typedef void map(const flow_layer *self, real *to, double *logdet, const real *from,
                 const layer_call *call);

/* A single row through a layer that takes whole vectors only. */
static void run_wide(const flow_layer *layer, map *f, real *to, double *logdet, const real *from,
                     const layer_call *single)
{
    size_t dim = layer->dim, inputs = dim + layer->context;
    layer_call call = *single;
    real *in = call.work, *out = in + inputs * FLOW_PAD;
    memset(in, 0, inputs * FLOW_PAD * sizeof *in);
    for (size_t i = 0; i < inputs; i++)
        in[i * FLOW_PAD] = i < dim ? from[i] : single->context[i - dim];
    call.context = in + dim * FLOW_PAD;
    call.work = out + dim * FLOW_PAD;
    call.ld = FLOW_PAD;
    f(layer, out, logdet, in, &call);
    for (size_t i = 0; i < dim; i++)
        to[i] = out[i * FLOW_PAD];
}

static void run(const flow_layer *layer, map *f, real *to, double *logdet, const real *from,
                const layer_call *call)
{
    if (call->ld == 1 && !layer->ops->single)
        run_wide(layer, f, to, logdet, from, call);
    else
        f(layer, to, logdet, from, call);
}

static void copy_rows(const flow_stack *self, real *to, const real *from, const layer_call *call)
{
    memcpy(to, from, self->dim * call->ld * sizeof *to);
}

/* ---- all of them */

void stack_forward(const flow_stack *self, real *y, double *logdet, const real *x,
                   const layer_call *call)
{
    layer_call own = call_within(self, call);
    size_t n = self->n_layers, cache = inputs_len(self, call->ld);
    if (n == 0)
        copy_rows(self, y, x, call);
    for (size_t l = 0; l < n; l++) {
        const flow_layer *layer = self->layers[l];
        enter(self, &own, call, l, cache);
        real *to = l + 1 == n ? y : between(self, l + 1, y, (n - l - 1) % 2 == 0, call);
        run(layer, layer->ops->forward, to, logdet, x, &own);
        cache += call->cache ? layer_cache_len(layer, call->ld) : 0;
        x = to;
    }
}

void stack_inverse(const flow_stack *self, real *x, double *logdet, const real *y,
                   const layer_call *call)
{
    layer_call own = call_within(self, call);
    size_t cache = call->cache ? stack_cache_len(self, call->ld) : 0;
    if (self->n_layers == 0)
        copy_rows(self, x, y, call);
    for (size_t l = self->n_layers; l-- > 0;) {
        const flow_layer *layer = self->layers[l];
        cache -= call->cache ? layer_cache_len(layer, call->ld) : 0;
        enter(self, &own, call, l, cache);
        real *to = l == 0 ? x : between(self, l, x, l % 2 == 0, call);
        run(layer, layer->ops->inverse, to, logdet, y, &own);
        y = to;
    }
}

void stack_backward(const flow_stack *self, real *dx, real *dtheta, int add, const real *dy,
                    const real *dlogdet, const real *x, const layer_call *call)
{
    layer_call own = call_within(self, call);
    size_t cache = stack_cache_len(self, call->ld);
    if (self->n_layers == 0)
        copy_rows(self, dx, dy, call);
    for (size_t l = self->n_layers; l-- > 0;) {
        const flow_layer *layer = self->layers[l];
        cache -= layer_cache_len(layer, call->ld);
        enter(self, &own, call, l, cache);
        real *to = l % 2 == 0 ? dx : call->work;
        layer->ops->backward(layer, to, dtheta ? dtheta + self->offsets[l] : NULL, add, dy, dlogdet,
                             l == 0 ? x : between(self, l, NULL, 0, call), &own);
        dy = to;
    }
}

void stack_score(const flow_stack *self, real *score_y, const real *score_x, const real *x,
                 const layer_call *call)
{
    layer_call own = call_within(self, call);
    size_t n = self->n_layers, cache = inputs_len(self, call->ld);
    if (n == 0)
        copy_rows(self, score_y, score_x, call);
    for (size_t l = 0; l < n; l++) {
        const flow_layer *layer = self->layers[l];
        enter(self, &own, call, l, cache);
        real *to = (n - l - 1) % 2 == 0 ? score_y : call->work;
        layer->ops->score(layer, to, score_x, l == 0 ? x : between(self, l, NULL, 0, call), &own);
        cache += layer_cache_len(layer, call->ld);
        score_x = to;
    }
}

int stack_start(const flow_stack *self, real *theta, real *y, double *logdet, const real *x,
                size_t n, const layer_call *call)
{
    layer_call own = call_within(self, call);
    size_t count = self->n_layers;
    int code = 0;
    if (count == 0)
        copy_rows(self, y, x, call);
    for (size_t l = 0; l < count && !code; l++) {
        const flow_layer *layer = self->layers[l];
        enter(self, &own, call, l, 0);
        real *to = (count - l - 1) % 2 == 0 ? y : call->work;
        if (layer->ops->init_data)
            code = layer->ops->init_data(layer, theta + self->offsets[l], to, logdet, x, n, &own);
        else
            layer->ops->forward(layer, to, logdet, x, &own);
        x = to;
    }
    return code;
}
