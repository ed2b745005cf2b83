/* files/model_use.c -- whole batches of a model's samples and densities: shards of model_pass.h, spread over a pool. */
#include "files/model_pass.h"

#include <stdlib.h>

typedef struct batch {
    const flow_model *model;
    flow_model_pass **passes; /* (workers) */
    size_t shard;             /* rows */
    double *x, *logp;
    const double *from, *context; /* `from`: rows whose density is wanted; NULL: samples are */
    pcg_stream stream;
    uint64_t first;
    size_t n;
    double temperature;
} batch;

static void run_shard(void *arg, size_t index, size_t worker)
{
    const batch *b = arg;
    size_t dim = flow_dim(b->model->flow), row = index * b->shard;
    size_t n = b->n - row < b->shard ? b->n - row : b->shard;
    const double *context = b->context ? b->context + row * flow_context(b->model->flow) : NULL;
    double *logp = b->logp ? b->logp + row : NULL;
    if (b->from)
        flow_model_pass_log_prob(b->passes[worker], logp, b->from + row * dim, context, row, n);
    else
        flow_model_pass_sample(b->passes[worker], b->x + row * dim, logp, context, b->stream,
                               b->first + row, n, b->temperature);
}

static int make_passes(batch *b, size_t workers, flow_err *err)
{
    b->passes = calloc(workers, sizeof *b->passes);
    if (!b->passes)
        return flow_fail(err, FLOW_ENOMEM, "out of memory for a batch of %zu rows", b->n);
    for (size_t w = 0; w < workers; w++)
        if (!(b->passes[w] = flow_model_pass_create(b->model, b->shard, err)))
            return FLOW_ENOMEM;
    return 0;
}

static void free_passes(batch *b, size_t workers)
{
    for (size_t w = 0; w < workers && b->passes; w++)
        flow_model_pass_free(b->passes[w]);
    free(b->passes);
}

static int run_batch(batch *b, flow_pool *pool, flow_err *err)
{
    if (b->n == 0)
        return 0;
    if (b->model->context_units && !b->context)
        return flow_fail(err, FLOW_EUSAGE,
                         "the model is conditional: it wants %zu columns of context",
                         b->model->context_units->dim);
    b->shard = flow_shard_rows(b->model->flow, b->n);
    size_t shards = (b->n + b->shard - 1) / b->shard;
    size_t workers = shards == 1 ? 1 : flow_pool_threads(pool); /* any may take any shard */
    int code = make_passes(b, workers, err);
    if (!code)
        flow_pool_run(pool, run_shard, b, shards);
    free_passes(b, workers);
    return code;
}

int flow_model_sample(const flow_model *self, flow_pool *pool, double *x, double *logp,
                      const double *context, pcg_stream stream, uint64_t first, size_t n,
                      flow_err *err)
{
    return flow_model_sample_tempered(self, pool, x, logp, context, stream, first, n, 1, err);
}

int flow_model_sample_tempered(const flow_model *self, flow_pool *pool, double *x, double *logp,
                               const double *context, pcg_stream stream, uint64_t first, size_t n,
                               double temperature, flow_err *err)
{
    batch b = {.model = self,
               .x = x,
               .logp = logp,
               .context = context,
               .stream = stream,
               .first = first,
               .n = n,
               .temperature = temperature};
    int code = flow_model_can_sample(self, logp != NULL, err);
    if (!code && temperature != 1)
        code = flow_check_temperature(self->flow, temperature, err);
    return code ? code : run_batch(&b, pool, err);
}

int flow_model_log_prob(const flow_model *self, flow_pool *pool, double *logp, const double *x,
                        const double *context, size_t n, flow_err *err)
{
    batch b = {
        .model = self, .logp = logp, .from = x, .context = context, .n = n, .temperature = 1};
    int code = flow_model_can_log_prob(self, err);
    return code ? code : run_batch(&b, pool, err);
}
