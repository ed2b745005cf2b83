/* flow/layer/pass.c -- a flow's stack over one shard: rows of doubles come in, features of reals go
 * through, rows of doubles go out.
 *
 * With FLOW_PASS_TRAIN the stack keeps a cache for backward and score. */
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
    real *x, *y; /* of the whole stack */
    real *a, *b; /* cotangents and scores, before and after; NULL without TRAIN */
    real *context, *dlogdet, *work;
    real *cache; /* NULL without TRAIN */
    void *block;
} pass;

/* n rows of doubles (n, cols) to features (cols, ld) and back; columns beyond n become 0. */
static void rows_to_features(real *out, const double *in, size_t n, size_t cols, size_t ld)
{
    for (size_t i = 0; i < cols; i++) {
        for (size_t r = 0; r < n; r++)
            out[i * ld + r] = (real)in[r * cols + i];
        for (size_t r = n; r < ld; r++)
            out[i * ld + r] = 0;
    }
}

static void features_to_rows(double *out, const real *in, size_t n, size_t cols, size_t ld)
{
    for (size_t r = 0; r < n; r++)
        for (size_t i = 0; i < cols; i++)
            out[r * cols + i] = (double)in[i * ld + r];
}

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
    const flow_stack *stack = &self->head.flow->stack;
    size_t ld = flow_pad(self->max_rows), rows = flow_pad(stack->dim) * ld * sizeof(real);
    int train = (self->flags & FLOW_PASS_TRAIN) != 0;
    self->logdet = take(a, ld * sizeof(double));
    self->x = take(a, rows);
    self->cache = train ? take(a, stack_cache_len(stack, ld) * sizeof(real)) : NULL;
    self->y = take(a, rows);
    self->context = take(a, flow_pad(stack->context) * ld * sizeof(real));
    self->dlogdet = take(a, ld * sizeof(real));
    self->a = train ? take(a, rows) : NULL;
    self->b = train ? take(a, rows) : NULL;
    self->work = take(a, stack_work_len(stack, ld) * sizeof(real));
}

flow_pass *backend_pass_create(const flow *f, size_t max_rows, unsigned flags, flow_err *err)
{
    if (max_rows == 0 || (max_rows > FLOW_SHARD && flags & FLOW_PASS_TRAIN)) {
        flow_fail(err, FLOW_EUSAGE, "a pass of %zu rows: wanted 1 to %d", max_rows, FLOW_SHARD);
        return NULL;
    }
    pass *self = calloc(1, sizeof *self);
    if (!self)
        goto fail;
    *self = (pass){.head.flow = f, .max_rows = max_rows, .flags = flags};
    arena count = {0};
    lay_out(self, &count);
    self->block = flow_block_new(count.used);
    if (!self->block)
        goto fail;
    lay_out(self, &(arena){.base = self->block});
    return &self->head;
fail:
    free(self);
    flow_fail(err, FLOW_ENOMEM, "out of memory for a shard of %zu rows", max_rows);
    return NULL;
}

void backend_pass_free(flow_pass *head)
{
    pass *self = (pass *)head;
    if (!self)
        return;
    free(self->block);
    free(self);
}

/* ---- the directions */

static layer_call call_of(pass *self, const void *params)
{
    return (layer_call){.theta = params ? params : self->head.flow->params,
                        .context = self->context,
                        .cache = self->cache,
                        .work = self->work,
                        .ld = self->ld,
                        .n = self->rows,
                        .noise = self->head.noise,
                        .row = self->head.first_row,
                        .counters = &self->head.counters};
}

/* A single row goes alone, unless it is to leave a cache. */
static size_t ld_of(const pass *self, size_t n)
{
    return n == 1 && !(self->flags & FLOW_PASS_TRAIN) ? 1 : flow_pad(n);
}

static void begin(pass *self, const double *context, size_t n, size_t ld)
{
    assert(n > 0 && n <= self->max_rows);
    size_t c = self->head.flow->context;
    self->rows = n;
    self->ld = ld;
    memset(self->logdet, 0, flow_pad(n) * sizeof *self->logdet);
    if (c > 0)
        rows_to_features(self->context, context, n, c, self->ld);
}

void backend_pass_forward(flow_pass *head, const void *params, double *y, double *logdet,
                          const double *x, const double *context, size_t n)
{
    pass *self = (pass *)head;
    const flow_stack *stack = &head->flow->stack;
    begin(self, context, n, ld_of(self, n));
    const layer_call call = call_of(self, params);
    rows_to_features(self->x, x, n, stack->dim, self->ld);
    stack_forward(stack, self->y, self->logdet, self->x, &call);
    features_to_rows(y, self->y, n, stack->dim, self->ld);
    memcpy(logdet, self->logdet, n * sizeof *logdet);
}

void backend_pass_inverse(flow_pass *head, const void *params, double *x, double *logdet,
                          const double *y, const double *context, size_t n)
{
    pass *self = (pass *)head;
    const flow_stack *stack = &head->flow->stack;
    assert(!stack->one_way);
    begin(self, context, n, ld_of(self, n));
    const layer_call call = call_of(self, params);
    rows_to_features(self->y, y, n, stack->dim, self->ld);
    stack_inverse(stack, self->x, self->logdet, self->y, &call);
    features_to_rows(x, self->x, n, stack->dim, self->ld);
    memcpy(logdet, self->logdet, n * sizeof *logdet);
}

void backend_pass_backward(flow_pass *head, const void *params, double *dx, flow_gradient *gradient,
                           const double *dy, const double *dlogdet)
{
    pass *self = (pass *)head;
    const flow_stack *stack = &head->flow->stack;
    assert(self->flags & FLOW_PASS_TRAIN);
    const layer_call call = call_of(self, params);
    rows_to_features(self->a, dy, self->rows, stack->dim, self->ld);
    for (size_t j = 0; j < self->ld; j++)
        self->dlogdet[j] = dlogdet && j < self->rows ? (real)dlogdet[j] : 0;
    stack_backward(stack, self->b, gradient ? gradient->block : NULL,
                   gradient ? gradient->filled : 0, self->a, self->dlogdet, self->x, &call);
    if (gradient)
        gradient->filled = 1;
    if (dx)
        features_to_rows(dx, self->b, self->rows, stack->dim, self->ld);
}

void backend_pass_score(flow_pass *head, const void *params, double *score_y, const double *score_x)
{
    pass *self = (pass *)head;
    const flow_stack *stack = &head->flow->stack;
    assert(self->flags & FLOW_PASS_TRAIN);
    const layer_call call = call_of(self, params);
    rows_to_features(self->a, score_x, self->rows, stack->dim, self->ld);
    stack_score(stack, self->b, self->a, self->x, &call);
    features_to_rows(score_y, self->b, self->rows, stack->dim, self->ld);
}

/* ---- making a flow's layers, and their initial parameters */

int backend_create_layers(flow *self, const json_t *list, size_t max_live, flow_err *err)
{
    const layer_scope scope = {
        .dim = self->dim, .context = self->context, .max_live = max_live, .low = self->network};
    return stack_create(&self->stack, list, &scope, err);
}

void backend_init(flow *self, pcg_stream stream)
{
    uint64_t spare = FLOW_MAX_LAYERS;
    stack_init(&self->stack, self->params, stream, 0, &spare);
}

void backend_round(flow *self, size_t n)
{
    stack_round(&self->stack, self->params, n);
}

static int wants_data(const flow_stack *self)
{
    for (size_t l = 0; l < self->n_layers; l++)
        if (self->layers[l]->ops->init_data)
            return 1;
    return 0;
}

/* A pass without cache, of any number of rows, that starts layers on its way. */
int backend_init_data(flow *f, const double *x, const double *context, size_t n, flow_err *err)
{
    if (!wants_data(&f->stack) || n == 0)
        return 0;
    flow_pass *head = backend_pass_create(f, n, 0, err);
    if (!head)
        return FLOW_ENOMEM;
    pass *self = (pass *)head;
    begin(self, context, n, flow_pad(n));
    const layer_call call = call_of(self, NULL);
    rows_to_features(self->x, x, n, f->dim, self->ld);
    int code = stack_start(&f->stack, f->params, self->y, self->logdet, self->x, n, &call);
    backend_pass_free(head);
    return code ? flow_fail(err, FLOW_ENOMEM, "out of memory to start layers from %zu rows", n) : 0;
}
