/* flow/layer/pass.c -- a flow's layers over one shard: the buffers and the loops around the layers.
 *
 * Rows of doubles come in, features of reals go through, rows of doubles go out. With
 * FLOW_PASS_TRAIN every layer's input is kept with its cache; without, two buffers take turns. */
#include "flow/block.h"
#include "flow/layer/stack.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

typedef struct pass {
    flow_pass head;
    size_t max_rows, rows, ld; /* rows, ld: of the shard in work */
    unsigned flags;
    double *logdet;
    real **x; /* (n_layers + 1) inputs of the layers and the output; two in turn without TRAIN */
    real **cache; /* (n_layers), NULLs without TRAIN */
    real
        *wide_context; /* the context of a single row in ld = FLOW_PAD, for layers that need that */
    real *context, *dlogdet, *a, *b, *work;
    void *block;
} pass;

/* ---- memory: first counted, then handed out of one block by the same code */

typedef struct arena {
    char *base; /* NULL while counting */
    size_t used;
} arena;

static void *take(arena *a, size_t bytes)
{
    void *at = a->base ? a->base + a->used : NULL;
    a->used += (bytes + 63) / 64 * 64;
    return at;
}

static void lay_out(pass *self, arena *a)
{
    const flow *f = self->head.flow;
    size_t ld = flow_pad(self->max_rows), rows = flow_pad(f->dim) * ld * sizeof(real);
    int train = (self->flags & FLOW_PASS_TRAIN) != 0;
    size_t work = 0;
    self->logdet = take(a, ld * sizeof(double));
    for (size_t l = 0; l <= f->n_layers; l++) {
        real *buffer = train || l < 2 ? take(a, rows) : (a->base ? self->x[l - 2] : NULL);
        if (a->base)
            self->x[l] = buffer;
    }
    for (size_t l = 0; l < f->n_layers; l++) {
        const flow_layer *layer = f->layers[l];
        real *cache = train ? take(a, layer->ops->cache_len(layer, ld) * sizeof(real)) : NULL;
        if (a->base)
            self->cache[l] = cache;
        size_t len = layer->ops->work_len(layer, ld);
        work = len > work ? len : work;
    }
    self->context = take(a, flow_pad(f->context) * ld * sizeof(real));
    self->wide_context = take(a, flow_pad(f->context) * FLOW_PAD * sizeof(real));
    self->dlogdet = take(a, ld * sizeof(real));
    self->a = take(a, rows);
    self->b = take(a, rows);
    self->work = take(a, work * sizeof(real));
}

flow_pass *shard_create(const flow *f, size_t max_rows, unsigned flags, flow_err *err)
{
    assert(max_rows > 0 && (max_rows <= FLOW_SHARD || !(flags & FLOW_PASS_TRAIN)));
    pass *self = calloc(1, sizeof *self);
    if (!self)
        goto fail;
    *self = (pass){.head.flow = f, .max_rows = max_rows, .flags = flags};
    self->x = calloc(f->n_layers + 2, sizeof *self->x);
    self->cache = calloc(f->n_layers + 1, sizeof *self->cache);
    if (!self->x || !self->cache)
        goto fail;
    arena count = {0};
    lay_out(self, &count);
    self->block = flow_block_new(count.used);
    if (!self->block)
        goto fail;
    lay_out(self, &(arena){.base = self->block});
    return &self->head;
fail:
    if (self)
        shard_free(&self->head);
    flow_fail(err, FLOW_ENOMEM, "out of memory for a shard of %zu rows", max_rows);
    return NULL;
}

void shard_free(flow_pass *head)
{
    pass *self = (pass *)head;
    if (!self)
        return;
    free(self->x);
    free(self->cache);
    free(self->block);
    free(self);
}

/* ---- the loops */

static const real *theta_of(const pass *self, const void *params, size_t l)
{
    const flow *f = self->head.flow;
    return (const real *)(params ? params : f->params) + f->offsets[l];
}

static void begin(pass *self, const double *context, size_t n)
{
    assert(n > 0 && n <= self->max_rows);
    size_t c = self->head.flow->context;
    self->rows = n;
    self->ld = n == 1 && !(self->flags & FLOW_PASS_TRAIN) ? 1 : flow_pad(n);
    memset(self->logdet, 0, flow_pad(n) * sizeof *self->logdet);
    if (c == 0)
        return;
    rows_to_features(self->context, context, n, c, self->ld);
    if (self->ld == 1)
        rows_to_features(self->wide_context, context, 1, c, FLOW_PAD);
}

typedef void transform(const flow_layer *self, real *to, real *cache, double *logdet,
                       const real *theta, const real *from, const real *context, size_t ld,
                       real *work);

/* A single row through a layer that takes whole vectors only. */
static void run_wide(pass *self, transform *f, const flow_layer *layer, const real *theta, real *to,
                     const real *from)
{
    memset(self->a, 0, layer->dim * FLOW_PAD * sizeof *self->a);
    for (size_t i = 0; i < layer->dim; i++)
        self->a[i * FLOW_PAD] = from[i];
    f(layer, self->b, NULL, self->logdet, theta, self->a, self->wide_context, FLOW_PAD, self->work);
    for (size_t i = 0; i < layer->dim; i++)
        to[i] = self->b[i * FLOW_PAD];
}

/* Layer l forwards, x[l] to x[l + 1], or backwards. */
static void run_layer(pass *self, const void *params, size_t l, int forward)
{
    const flow_layer *layer = self->head.flow->layers[l];
    const real *theta = theta_of(self, params, l), *from = self->x[forward ? l : l + 1];
    transform *f = forward ? layer->ops->forward : layer->ops->inverse;
    real *to = self->x[forward ? l + 1 : l];
    if (self->ld == 1 && !layer->ops->single)
        run_wide(self, f, layer, theta, to, from);
    else
        f(layer, to, self->cache[l], self->logdet, theta, from, self->context, self->ld,
          self->work);
}

void shard_forward(flow_pass *head, const void *params, double *y, double *logdet, const double *x,
                   const double *context, size_t n)
{
    pass *self = (pass *)head;
    const flow *f = head->flow;
    begin(self, context, n);
    rows_to_features(self->x[0], x, n, f->dim, self->ld);
    for (size_t l = 0; l < f->n_layers; l++)
        run_layer(self, params, l, 1);
    features_to_rows(y, self->x[f->n_layers], n, f->dim, self->ld);
    memcpy(logdet, self->logdet, n * sizeof *logdet);
}

void shard_inverse(flow_pass *head, const void *params, double *x, double *logdet, const double *y,
                   const double *context, size_t n)
{
    pass *self = (pass *)head;
    const flow *f = head->flow;
    begin(self, context, n);
    rows_to_features(self->x[f->n_layers], y, n, f->dim, self->ld);
    for (size_t l = f->n_layers; l-- > 0;)
        run_layer(self, params, l, 0);
    features_to_rows(x, self->x[0], n, f->dim, self->ld);
    memcpy(logdet, self->logdet, n * sizeof *logdet);
}

void shard_backward(flow_pass *head, const void *params, double *dx, flow_gradient *gradient,
                    const double *dy, const double *dlogdet)
{
    pass *self = (pass *)head;
    const flow *f = head->flow;
    assert(self->flags & FLOW_PASS_TRAIN);
    real *from = self->a, *to = self->b;
    rows_to_features(from, dy, self->rows, f->dim, self->ld);
    for (size_t j = 0; j < self->ld; j++)
        self->dlogdet[j] = dlogdet && j < self->rows ? (real)dlogdet[j] : 0;
    for (size_t l = f->n_layers; l-- > 0;) {
        real *dtheta = gradient ? (real *)gradient->block + f->offsets[l] : NULL;
        f->layers[l]->ops->backward(f->layers[l], to, dtheta, dtheta && gradient->filled,
                                    theta_of(self, params, l), from, self->dlogdet, self->x[l],
                                    self->cache[l], self->ld, self->work);
        real *t = from;
        from = to;
        to = t;
    }
    if (gradient)
        gradient->filled = 1;
    if (dx)
        features_to_rows(dx, from, self->rows, f->dim, self->ld);
}

void shard_score(flow_pass *head, const void *params, double *score_y, const double *score_x)
{
    pass *self = (pass *)head;
    const flow *f = head->flow;
    assert(self->flags & FLOW_PASS_TRAIN);
    real *from = self->a, *to = self->b;
    rows_to_features(from, score_x, self->rows, f->dim, self->ld);
    for (size_t l = 0; l < f->n_layers; l++) {
        f->layers[l]->ops->score(f->layers[l], to, theta_of(self, params, l), from, self->x[l],
                                 self->cache[l], self->ld, self->work);
        real *t = from;
        from = to;
        to = t;
    }
    features_to_rows(score_y, from, self->rows, f->dim, self->ld);
}
