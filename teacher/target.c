#include "teacher/target.h"

#include <assert.h>
#include <stdlib.h>

void target_free(target *self)
{
    if (self)
        self->ops->free(self);
}

void target_noise(const target *self, double *z, pcg_stream stream, uint64_t first, size_t n)
{
    if (self->ops->noise)
        self->ops->noise(self, z, stream, first, n);
    else
        pcg_normals(z, stream, first, n, self->dim);
}

typedef struct batch {
    const target *target;
    void **works;     /* (threads) */
    flow_err *errors; /* (threads) */
    double *noise;    /* (threads, FLOW_SHARD, D): sampling only */
    double *logp, *grad, *x;
    const double *from, *context;
    pcg_stream stream;
    uint64_t first;
    size_t n;
} batch;

static void run_shard(void *arg, size_t index, size_t worker)
{
    batch *b = arg;
    const target *t = b->target;
    size_t row = index * FLOW_SHARD, n = b->n - row < FLOW_SHARD ? b->n - row : FLOW_SHARD;
    const double *context = b->context ? b->context + row * t->context : NULL;
    flow_err *err = &b->errors[worker];
    if (err->code)
        return;
    if (!b->noise) {
        t->ops->log_density(t, b->logp + row, b->grad ? b->grad + row * t->dim : NULL,
                            b->from + row * t->dim, context, n, b->works[worker], err);
        return;
    }
    double *z = b->noise + worker * FLOW_SHARD * t->dim;
    target_noise(t, z, b->stream, b->first + row, n);
    t->ops->sample(t, b->x + row * t->dim, b->logp + row, z, context, n, b->works[worker], err);
}

static int run_batch(batch *b, flow_pool *pool, flow_err *err)
{
    size_t threads = flow_pool_threads(pool);
    int code = 0;
    b->works = calloc(threads, sizeof *b->works);
    b->errors = calloc(threads, sizeof *b->errors);
    if (!b->works || !b->errors)
        code = flow_fail(err, FLOW_ENOMEM, "out of memory for a batch of %zu rows", b->n);
    for (size_t w = 0; w < threads && !code; w++)
        if (!(b->works[w] = b->target->ops->work_create(b->target, FLOW_SHARD, err)))
            code = FLOW_ENOMEM;
    if (!code)
        flow_pool_run(pool, run_shard, b, (b->n + FLOW_SHARD - 1) / FLOW_SHARD);
    for (size_t w = 0; w < threads && b->works && b->errors; w++) {
        if (!code && b->errors[w].code)
            code = flow_fail(err, (flow_code)b->errors[w].code, "%s", b->errors[w].text);
        if (b->works[w])
            b->target->ops->work_free(b->target, b->works[w]);
    }
    free(b->works);
    free(b->errors);
    return code;
}

int target_log_density(const target *self, flow_pool *pool, double *logp, double *grad,
                       const double *x, const double *context, size_t n, flow_err *err)
{
    batch b = {.target = self, .logp = logp, .grad = grad, .from = x, .context = context, .n = n};
    return run_batch(&b, pool, err);
}

int target_sample(const target *self, flow_pool *pool, double *x, double *logp,
                  const double *context, pcg_stream stream, uint64_t first, size_t n, flow_err *err)
{
    assert(self->ops->sample);
    batch b = {.target = self,
               .logp = logp,
               .x = x,
               .context = context,
               .stream = stream,
               .first = first,
               .n = n};
    b.noise = malloc(flow_pool_threads(pool) * FLOW_SHARD * self->dim * sizeof *b.noise);
    if (!b.noise)
        return flow_fail(err, FLOW_ENOMEM, "out of memory for a batch of %zu rows", n);
    int code = run_batch(&b, pool, err);
    free(b.noise);
    return code;
}
