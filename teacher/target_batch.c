/* teacher/target_batch.c -- whole batches of rows of a target, spread over a pool. */
#include "flow/first_error.h"
#include "teacher/target.h"

#include <stdlib.h>

struct target_asker {
    const target *target;
    flow_pool *pool;
    void **works; /* (threads) */
};

/* ---- who asks */

static int take_works(target_asker *self, flow_err *err)
{
    size_t threads = flow_pool_threads(self->pool);
    flow_err left = FLOW_ERR_INIT;
    self->works = calloc(threads, sizeof *self->works);
    for (size_t w = 0; self->works && w < threads; w++)
        if (!(self->works[w] = self->target->ops->work_create(self->target, FLOW_SHARD, &left)))
            return flow_fail(err, FLOW_ENOMEM, "%s",
                             left.code ? left.text : "out of memory to ask a target");
    return self->works ? 0 : flow_fail(err, FLOW_ENOMEM, "out of memory to ask a target");
}

target_asker *target_asker_create(const target *t, flow_pool *pool, flow_err *err)
{
    target_asker *self = calloc(1, sizeof *self);
    if (!self) {
        flow_fail(err, FLOW_ENOMEM, "out of memory to ask a target");
        return NULL;
    }
    *self = (target_asker){.target = t, .pool = pool};
    if (take_works(self, err) == 0)
        return self;
    target_asker_free(self);
    return NULL;
}

void target_asker_free(target_asker *self)
{
    if (!self)
        return;
    for (size_t w = 0; self->works && w < flow_pool_threads(self->pool); w++)
        self->target->ops->work_free(self->target, self->works[w]);
    free(self->works);
    free(self);
}

/* ---- batches */

typedef struct batch {
    const target_asker *asker;
    flow_first_error first_error;
    double *logp, *grad, *x;
    target_status *status; /* NULL: not wanted */
    const double *from;    /* NULL: x is to be drawn */
    const double *context;
    target_rows rows;
    size_t n, shard; /* rows, and rows of a shard */
} batch;

static int compute_shard(const batch *b, size_t row, size_t n, void *work, flow_err *err)
{
    const target *t = b->asker->target;
    const double *context = b->context ? b->context + row * t->context : NULL;
    target_status unwanted[FLOW_SHARD], *status = b->status ? b->status + row : unwanted;
    if (b->from)
        return target_shard_log_density(t, b->logp + row, b->grad ? b->grad + row * t->dim : NULL,
                                        status, b->from + row * t->dim, context, n, work, err);
    target_rows rows = b->rows;
    rows.first += row;
    return target_shard_sample(t, b->x + row * t->dim, b->logp + row, status, context, &rows, n,
                               work, err);
}

static void run_shard(void *arg, size_t index, size_t worker)
{
    batch *b = arg;
    flow_err err = FLOW_ERR_INIT;
    size_t row = index * b->shard, n = b->n - row < b->shard ? b->n - row : b->shard;
    if (flow_first_error_spares(&b->first_error, index))
        return;
    if (compute_shard(b, row, n, b->asker->works[worker], &err))
        flow_first_error_note(&b->first_error, index, &err);
}

/* Not by the number of threads: who counts batches sees the same. */
static size_t shard_of(const batch *b)
{
    enum { SHARDS = 4, LEAST = 16 };
    size_t rows = (b->n + SHARDS - 1) / SHARDS;
    if (!(b->asker->target->flags & TARGET_DEAR) || rows > FLOW_SHARD)
        return FLOW_SHARD;
    return rows < LEAST ? LEAST : rows;
}

static int run_batch(batch *b, flow_err *err)
{
    b->shard = shard_of(b);
    flow_first_error_init(&b->first_error);
    flow_pool_run(b->asker->pool, run_shard, b, (b->n + b->shard - 1) / b->shard);
    int code = flow_first_error_take(&b->first_error, err);
    flow_first_error_release(&b->first_error);
    return code;
}

int target_ask(const target_asker *self, double *logp, double *grad, target_status *status,
               const double *x, const double *context, size_t n, flow_err *err)
{
    batch b = {.asker = self,
               .logp = logp,
               .grad = grad,
               .status = status,
               .from = x,
               .context = context,
               .n = n};
    return run_batch(&b, err);
}

/* ---- once */

int target_log_density(const target *self, flow_pool *pool, double *logp, double *grad,
                       target_status *status, const double *x, const double *context, size_t n,
                       flow_err *err)
{
    target_asker *asker = target_asker_create(self, pool, err);
    int code = asker ? target_ask(asker, logp, grad, status, x, context, n, err) : err->code;
    target_asker_free(asker);
    return code;
}

int target_sample(const target *self, flow_pool *pool, double *x, double *logp,
                  target_status *status, const double *context, pcg_stream stream, uint64_t first,
                  size_t n, flow_err *err)
{
    if (!self->ops->sample)
        return flow_fail(err, FLOW_EUSAGE, "target %s has no sampler", self->ops->name);
    target_asker *asker = target_asker_create(self, pool, err);
    batch b = {.asker = asker,
               .logp = logp,
               .x = x,
               .status = status,
               .context = context,
               .rows = {.stream = stream, .first = first},
               .n = n};
    int code = asker ? run_batch(&b, err) : err->code;
    target_asker_free(asker);
    return code;
}
