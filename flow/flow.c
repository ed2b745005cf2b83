#include "flow/flow.h"
#include "flow/backend.h"
#include "flow/base.h"
#include "flow/block.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_DIM = 1 << 16 };

/* ---- making one */

static int read_head(flow *self, const json_t **layers, const json_t *description, flow_err *err)
{
    const char *direction;
    json_int_t dim, context = 0;
    json_error_t why;
    json_t *list, *base = NULL;
    if (json_unpack_ex((json_t *)(uintptr_t)description, &why, JSON_STRICT,
                       "{s:I, s?I, s:s, s?o, s:o}", "dim", &dim, "context", &context, "direction",
                       &direction, "base", &base, "layers", &list))
        return flow_fail(err, FLOW_ECONFIG, "flow description: %s", why.text);
    if (dim < 1 || dim > MAX_DIM || context < 0 || context > MAX_DIM)
        return flow_fail(err, FLOW_ECONFIG,
                         "flow description: dim must be 1 to %d, context 0 to %d", MAX_DIM,
                         MAX_DIM);
    if (!json_is_array(list) || json_array_size(list) > 1024)
        return flow_fail(err, FLOW_ECONFIG, "flow description: layers wants a list of up to 1024");
    int to_noise = strcmp(direction, "data_to_noise") == 0;
    if (!to_noise && strcmp(direction, "noise_to_data") != 0)
        return flow_fail(err, FLOW_ECONFIG, "flow description: no direction '%s'", direction);
    self->direction = to_noise ? FLOW_DATA_TO_NOISE : FLOW_NOISE_TO_DATA;
    self->dim = (size_t)dim;
    self->context = (size_t)context;
    *layers = list;
    self->base = flow_base_create(base, self->dim, err);
    return self->base ? 0 : flow_fail_prefix(err, "flow description");
}

/* Behind the layers, so that a base changes nothing about where they are. */
static int place_base(flow *self, flow_err *err)
{
    self->base_offset = self->n_params;
    self->n_params += self->base->n_params;
    self->n_live += self->base->n_params;
    return self->n_live > self->max_live
               ? flow_fail(err, FLOW_EDATA, "base: more weights than there can be")
               : 0;
}

flow *flow_create_on(const flow_backend *backend, const json_t *description, size_t max_weights,
                     flow_err *err)
{
    const json_t *layers;
    flow *self = calloc(1, sizeof *self);
    if (!self) {
        flow_fail(err, FLOW_ENOMEM, "out of memory for a flow");
        return NULL;
    }
    self->backend = backend;
    self->max_live = max_weights;
    if (read_head(self, &layers, description, err) || backend->create_layers(self, layers, err) ||
        place_base(self, err))
        goto fail;
    self->params = flow_block_new(self->n_params * backend->real_size);
    if (!self->params) {
        flow_fail(err, FLOW_ENOMEM, "out of memory for %zu parameters", self->n_params);
        goto fail;
    }
    return self;
fail:
    flow_free(self);
    return NULL;
}

flow *flow_create_within(const json_t *description, flow_precision precision, size_t max_weights,
                         flow_err *err)
{
    const flow_backend *backend = flow_backend_find(precision, err);
    return backend ? flow_create_on(backend, description, max_weights, err) : NULL;
}

flow *flow_create(const json_t *description, flow_precision precision, flow_err *err)
{
    return flow_create_within(description, precision, SIZE_MAX, err);
}

void flow_free(flow *self)
{
    if (!self)
        return;
    self->backend->free_layers(self);
    flow_base_free(self->base);
    free(self->params);
    free(self);
}

json_t *flow_describe(const flow *self)
{
    return json_pack("{s:I, s:I, s:s, s:o, s:o}", "dim", (json_int_t)self->dim, "context",
                     (json_int_t)self->context, "direction",
                     self->direction == FLOW_DATA_TO_NOISE ? "data_to_noise" : "noise_to_data",
                     "base", self->base->ops->describe(self->base), "layers",
                     self->backend->describe_layers(self));
}

void flow_init(flow *self, pcg_stream stream)
{
    self->backend->init(self, stream);
    flow_base_init(self->base, base_part(self, self->params), stream);
}

int flow_init_data(flow *self, const double *rows, const double *context, size_t n, flow_err *err)
{
    return self->backend->init_data(self, rows, context, n, err);
}

static int copy_tensors(flow *to, const flow *from, flow_err *err)
{
    for (size_t i = 0; i < flow_n_tensors(from); i++) {
        flow_tensor_info info;
        flow_tensor(from, &info, i);
        double *values = malloc((info.rows * (info.cols ? info.cols : 1) + 1) * sizeof *values);
        if (!values)
            return flow_fail(err, FLOW_ENOMEM, "out of memory for tensor %s", info.name);
        flow_tensor_get(from, values, i);
        flow_tensor_set(to, i, values);
        free(values);
    }
    return 0;
}

flow *flow_convert(const flow *self, flow_precision precision, flow_err *err)
{
    json_t *description = flow_describe(self);
    flow *out = description ? flow_create(description, precision, err) : NULL;
    json_decref(description);
    if (out && copy_tensors(out, self, err)) {
        flow_free(out);
        return NULL;
    }
    return out;
}

/* ---- looking at one */

size_t flow_dim(const flow *self)
{
    return self->dim;
}

size_t flow_context(const flow *self)
{
    return self->context;
}

size_t flow_n_params(const flow *self)
{
    return self->n_params;
}

size_t flow_n_weights(const flow *self)
{
    return self->n_live;
}

flow_precision flow_get_precision(const flow *self)
{
    return self->backend->precision;
}

flow_direction flow_get_direction(const flow *self)
{
    return self->direction;
}

const char *flow_backend_name(const flow *self)
{
    return self->backend->name;
}

void *flow_params(flow *self)
{
    return self->params;
}

const void *flow_params_const(const flow *self)
{
    return self->params;
}

size_t flow_params_bytes(const flow *self)
{
    return self->n_params * self->backend->real_size;
}

size_t flow_n_tensors(const flow *self)
{
    return self->backend->n_tensors(self) + self->base->n_tensors;
}

void flow_tensor(const flow *self, flow_tensor_info *info, size_t index)
{
    size_t layers = self->backend->n_tensors(self);
    if (index < layers)
        self->backend->tensor(self, info, index);
    else
        flow_base_tensor(self->base, info, index - layers);
}

void flow_tensor_get(const flow *self, double *values, size_t index)
{
    size_t layers = self->backend->n_tensors(self);
    if (index < layers)
        self->backend->tensor_get(self, values, index);
    else
        flow_base_tensor_get(self->base, values, base_params(self, NULL), index - layers);
}

void flow_tensor_set(flow *self, size_t index, const double *values)
{
    size_t layers = self->backend->n_tensors(self);
    if (index < layers)
        self->backend->tensor_set(self, index, values);
    else
        flow_base_tensor_set(self->base, base_part(self, self->params), index - layers, values);
}

/* ---- a shard's work */

flow_pass *flow_pass_create(const flow *self, size_t max_rows, unsigned flags, flow_err *err)
{
    flow_pass *pass = self->backend->pass_create(self, max_rows, flags, err);
    size_t rows = flags & FLOW_PASS_TRAIN ? max_rows * (self->base->n_params ? 2 : 1) : 0;
    if (!pass || !rows)
        return pass;
    pass->dz = malloc(rows * self->dim * sizeof *pass->dz);
    pass->more = pass->dz + max_rows * self->dim;
    if (pass->dz)
        return pass;
    flow_pass_free(pass);
    flow_fail(err, FLOW_ENOMEM, "out of memory for a shard of %zu rows", max_rows);
    return NULL;
}

void flow_pass_free(flow_pass *pass)
{
    if (!pass)
        return;
    free(pass->dz);
    pass->flow->backend->pass_free(pass);
}

void flow_pass_forward(flow_pass *pass, const void *params, double *y, double *logdet,
                       const double *x, const double *context, size_t n)
{
    pass->flow->backend->pass_forward(pass, params, y, logdet, x, context, n);
}

void flow_pass_inverse(flow_pass *pass, const void *params, double *x, double *logdet,
                       const double *y, const double *context, size_t n)
{
    pass->flow->backend->pass_inverse(pass, params, x, logdet, y, context, n);
}

void flow_pass_backward(flow_pass *pass, const void *params, double *dx, flow_gradient *gradient,
                        const double *dy, const double *dlogdet)
{
    const flow *f = pass->flow;
    if (gradient && !gradient->filled)
        memset(base_part(f, gradient->block).numbers, 0, f->base->n_params * f->backend->real_size);
    f->backend->pass_backward(pass, params, dx, gradient, dy, dlogdet);
}

void flow_pass_score(flow_pass *pass, const void *params, double *score_y, const double *score_x)
{
    pass->flow->backend->pass_score(pass, params, score_y, score_x);
}

/* ---- whole batches */

typedef enum batch_kind { LOG_PROB, TRANSPORT, SAMPLE } batch_kind;

typedef struct batch {
    batch_kind kind;
    const flow *flow;
    flow_pass **passes; /* (workers) */
    size_t shard;       /* rows */
    double *scratch;    /* (workers, shard * (D + 1)) */
    double *logp, *z, *x;
    const double *from, *context;
    pcg_stream stream;
    uint64_t first;
    size_t n;
} batch;

static void run_shard(void *arg, size_t index, size_t worker)
{
    batch *b = arg;
    size_t dim = b->flow->dim, row = index * b->shard;
    size_t n = b->n - row < b->shard ? b->n - row : b->shard;
    const double *context = b->context ? b->context + row * b->flow->context : NULL;
    double *rows = b->scratch + worker * b->shard * (dim + 1), *spare = rows + b->shard * dim;
    double *logp = b->logp ? b->logp + row : spare;
    if (b->kind == LOG_PROB) {
        flow_pass_log_prob(b->passes[worker], NULL, logp, b->z ? b->z + row * dim : rows,
                           b->from + row * dim, context, n);
        return;
    }
    const double *z = b->kind == SAMPLE ? rows : b->from + row * dim;
    if (b->kind == SAMPLE)
        flow_noise(b->flow, NULL, rows, b->stream, b->first + row, n);
    flow_pass_transport(b->passes[worker], NULL, b->x + row * dim, logp, z, context, n);
}

/* Of large networks less, so that the activations stay in the second cache beside the weights that
 * pass through. */
static size_t rows_of_shard(const flow *self, size_t n)
{
    enum { LARGE = 1 << 18, SHARD_OF_LARGE = 96 }; /* parameters; two tiles of the kernels */
    size_t rows = self->n_params > LARGE ? SHARD_OF_LARGE : FLOW_SHARD;
    return n < rows ? n : rows;
}

static int run_batch(batch *b, flow_pool *pool, flow_err *err)
{
    size_t workers = flow_pool_threads(pool), shards;
    int code = 0;
    if (b->n == 0)
        return 0;
    b->shard = rows_of_shard(b->flow, b->n);
    shards = (b->n + b->shard - 1) / b->shard;
    workers = shards == 1 ? 1 : workers; /* any worker may take any shard */
    b->passes = calloc(workers, sizeof *b->passes);
    b->scratch = malloc(workers * b->shard * (b->flow->dim + 1) * sizeof *b->scratch);
    if (!b->passes || !b->scratch)
        code = flow_fail(err, FLOW_ENOMEM, "out of memory for a batch of %zu rows", b->n);
    for (size_t w = 0; w < workers && !code; w++)
        if (!(b->passes[w] = flow_pass_create(b->flow, b->shard, 0, err)))
            code = FLOW_ENOMEM;
    if (!code)
        flow_pool_run(pool, run_shard, b, shards);
    for (size_t w = 0; w < workers && b->passes; w++)
        flow_pass_free(b->passes[w]);
    free(b->passes);
    free(b->scratch);
    return code;
}

int flow_log_prob(const flow *self, flow_pool *pool, double *logp, double *z, const double *x,
                  const double *context, size_t n, flow_err *err)
{
    batch b = {.kind = LOG_PROB,
               .flow = self,
               .logp = logp,
               .z = z,
               .from = x,
               .context = context,
               .n = n};
    return run_batch(&b, pool, err);
}

int flow_transport(const flow *self, flow_pool *pool, double *x, double *logp, const double *z,
                   const double *context, size_t n, flow_err *err)
{
    batch b = {.kind = TRANSPORT,
               .flow = self,
               .logp = logp,
               .x = x,
               .from = z,
               .context = context,
               .n = n};
    return run_batch(&b, pool, err);
}

int flow_sample(const flow *self, flow_pool *pool, double *x, double *logp, const double *context,
                pcg_stream stream, uint64_t first, size_t n, flow_err *err)
{
    batch b = {.kind = SAMPLE,
               .flow = self,
               .logp = logp,
               .x = x,
               .context = context,
               .stream = stream,
               .first = first,
               .n = n};
    return run_batch(&b, pool, err);
}
