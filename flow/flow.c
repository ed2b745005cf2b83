#include "flow/flow.h"
#include "flow/backend.h"
#include "flow/base.h"
#include "flow/block.h"
#include "flow/circles.h"

#include <stdlib.h>
#include <string.h>

const char *flow_direction_name(flow_direction direction)
{
    return direction == FLOW_DATA_TO_NOISE ? "data_to_noise" : "noise_to_data";
}

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
    if (dim < 1 || dim > FLOW_MAX_DIM || context < 0 || context > FLOW_MAX_DIM)
        return flow_fail(err, FLOW_ECONFIG,
                         "flow description: dim must be 1 to %d, context 0 to %d", FLOW_MAX_DIM,
                         FLOW_MAX_DIM);
    int to_noise = strcmp(direction, flow_direction_name(FLOW_DATA_TO_NOISE)) == 0;
    if (!to_noise && strcmp(direction, flow_direction_name(FLOW_NOISE_TO_DATA)) != 0)
        return flow_fail(err, FLOW_ECONFIG, "flow description: no direction '%s'", direction);
    self->direction = to_noise ? FLOW_DATA_TO_NOISE : FLOW_NOISE_TO_DATA;
    self->dim = (size_t)dim;
    self->context = (size_t)context;
    *layers = list;
    self->base = flow_base_create(base, self->dim, err);
    return self->base ? 0 : flow_fail_prefix(err, "flow description");
}

/* The layers have been checked one by one. */
static int check_weights(const flow *self, size_t max_weights, flow_err *err)
{
    return flow_n_weights(self) > max_weights
               ? flow_fail(err, FLOW_EDATA, "base: more weights than there can be")
               : 0;
}

static flow *create(const flow_backend *backend, const json_t *description, size_t max_weights,
                    flow_network network, flow_err *err)
{
    const json_t *layers;
    flow *self = calloc(1, sizeof *self);
    if (!self) {
        flow_fail(err, FLOW_ENOMEM, "out of memory for a flow");
        return NULL;
    }
    self->backend = backend;
    self->network = network;
    if (read_head(self, &layers, description, err) ||
        backend->create_layers(self, layers, max_weights, err) ||
        check_weights(self, max_weights, err) || flow_circles_follow(self, err))
        goto fail;
    self->params = flow_block_new(flow_params_bytes(self));
    if (!self->params) {
        flow_fail(err, FLOW_ENOMEM, "out of memory for %zu parameters", flow_n_params(self));
        goto fail;
    }
    return self;
fail:
    flow_free(self);
    return NULL;
}

flow *flow_create_on(const flow_backend *backend, const json_t *description, size_t max_weights,
                     flow_err *err)
{
    return create(backend, description, max_weights, FLOW_NETWORK_AS_IS, err);
}

flow *flow_create_low(const flow_backend *backend, const json_t *description, flow_network network,
                      flow_err *err)
{
    return create(backend, description, SIZE_MAX, network, err);
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
    self->backend->free_layers(&self->stack);
    flow_base_free(self->base);
    free(self->circles);
    free(self->params);
    free(self);
}

json_t *flow_describe(const flow *self)
{
    return json_pack("{s:I, s:I, s:s, s:o, s:o}", "dim", (json_int_t)self->dim, "context",
                     (json_int_t)self->context, "direction", flow_direction_name(self->direction),
                     "base", flow_base_describe(self->base), "layers",
                     self->backend->describe_layers(&self->stack));
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
    return self->stack.n_params + self->base->n_params;
}

size_t flow_n_weights(const flow *self)
{
    return self->stack.n_live + self->base->n_params;
}

size_t flow_passes_of_inverse(const flow *self)
{
    return self->stack.in_series > 1 ? self->stack.in_series : 1;
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
    return flow_n_params(self) * self->backend->real_size;
}

/* Tensors of the layers first; *index becomes the number among those of the base. */
static int of_base(const flow *self, size_t *index)
{
    size_t layers = self->backend->n_tensors(&self->stack);
    if (*index < layers)
        return 0;
    *index -= layers;
    return 1;
}

size_t flow_n_tensors(const flow *self)
{
    return self->backend->n_tensors(&self->stack) + self->base->n_tensors;
}

void flow_tensor(const flow *self, flow_tensor_info *info, size_t index)
{
    if (of_base(self, &index))
        flow_base_tensor(self->base, info, index);
    else
        self->backend->tensor(&self->stack, info, index);
}

void flow_tensor_get(const flow *self, double *values, size_t index)
{
    if (of_base(self, &index))
        flow_base_tensor_get(self->base, values, base_params(self, NULL), index);
    else
        self->backend->tensor_get(&self->stack, values, self->params, index);
}

void flow_tensor_live(const flow *self, unsigned char *live, size_t index, size_t row)
{
    if (of_base(self, &index))
        memset(live, 1, self->base->tensors[index].cols);
    else
        self->backend->tensor_live(&self->stack, live, index, row);
}

static int check_masked(const flow *self, const double *values, size_t index, unsigned char *live,
                        const flow_tensor_info *info, flow_err *err)
{
    for (size_t row = 0; row < info->rows; row++) {
        flow_tensor_live(self, live, index, row);
        for (size_t col = 0; col < info->cols; col++)
            if (!live[col] && values[row * info->cols + col] != 0)
                return flow_fail(err, FLOW_EDATA,
                                 "tensor %s: row %zu, column %zu is masked and not 0", info->name,
                                 row, col);
    }
    return 0;
}

int flow_tensor_set(flow *self, const double *values, size_t index, flow_err *err)
{
    flow_tensor_info info;
    if (self->settled)
        return flow_fail(err, FLOW_EUSAGE, "the parameters of a rounded flow stay as they are");
    flow_tensor(self, &info, index);
    unsigned char *live = malloc(info.cols + 1);
    if (!live)
        return flow_fail(err, FLOW_ENOMEM, "out of memory for tensor %s", info.name);
    int code = info.cols ? check_masked(self, values, index, live, &info, err) : 0;
    free(live);
    if (code)
        return code;
    if (of_base(self, &index))
        flow_base_tensor_set(self->base, base_part(self, self->params), index, values);
    else
        self->backend->tensor_set(&self->stack, self->params, values, index);
    return 0;
}

int flow_can_invert(const flow *self)
{
    return !self->stack.one_way;
}

static int require(const flow *self, flow_direction parallel, flow_err *err)
{
    int missing = self->stack.one_way && self->direction != parallel;
    return missing ? self->backend->inverse_missing(&self->stack, err) : 0;
}

int flow_require_log_prob(const flow *self, flow_err *err)
{
    return require(self, FLOW_DATA_TO_NOISE, err);
}

int flow_require_transport(const flow *self, flow_err *err)
{
    return require(self, FLOW_NOISE_TO_DATA, err);
}

/* ---- what was counted */

flow_counters flow_counted(const flow *self)
{
    return (flow_counters){.unconverged = atomic_load(&self->unconverged)};
}

/* A flow is const for its passes, but for this. */
static void count(const flow *self, const flow_counters *more)
{
    atomic_fetch_add(&((flow *)(uintptr_t)self)->unconverged, more->unconverged);
}

/* ---- a shard's work */

const pcg_stream flow_fixed_noise = {.stage = PCG_FLOW, .purpose = PCG_ESTIMATE};

flow_pass *flow_pass_create(const flow *self, size_t max_rows, unsigned flags, flow_err *err)
{
    if (self->network != FLOW_NETWORK_AS_IS && flags & FLOW_PASS_TRAIN) {
        flow_fail(err, FLOW_EUSAGE, "a rounded flow has no gradients");
        return NULL;
    }
    flow_pass *pass = self->backend->pass_create(self, max_rows, flags, err);
    size_t rows = flags & FLOW_PASS_TRAIN ? max_rows * (self->base->n_params ? 2 : 1) : 0;
    if (!pass)
        return NULL;
    flow_pass_set_noise(pass, flow_fixed_noise, 0);
    pass->dz = rows ? malloc(rows * self->dim * sizeof *pass->dz) : NULL;
    pass->more = rows > max_rows && pass->dz ? pass->dz + max_rows * self->dim : NULL;
    if (pass->dz || !rows)
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
    count(pass->flow, &pass->counters);
    pass->flow->backend->pass_free(pass);
}

const flow_counters *flow_pass_counters(const flow_pass *pass)
{
    return &pass->counters;
}

void flow_pass_set_noise(flow_pass *pass, pcg_stream stream, uint64_t first)
{
    pass->noise = stream;
    pass->first_row = first;
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
    pcg_stream stream, noise; /* of the base; of layers that estimate */
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
    flow_pass_set_noise(b->passes[worker], b->noise, b->first + row);
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
size_t flow_shard_rows(const flow *self, size_t n)
{
    enum { LARGE = 1 << 18, SHARD_OF_LARGE = 96 }; /* parameters; two tiles of the kernels */
    size_t rows = flow_n_params(self) > LARGE ? SHARD_OF_LARGE : FLOW_SHARD;
    return n < rows ? n : rows;
}

static int run_batch(batch *b, flow_pool *pool, flow_err *err)
{
    size_t workers = flow_pool_threads(pool), shards;
    int code = b->kind == LOG_PROB ? flow_require_log_prob(b->flow, err)
                                   : flow_require_transport(b->flow, err);
    if (b->n == 0 || code)
        return code;
    if (b->flow->context > 0 && !b->context)
        return flow_fail(err, FLOW_EUSAGE,
                         "the flow is conditional: it wants %zu columns of context",
                         b->flow->context);
    b->shard = flow_shard_rows(b->flow, b->n);
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
               .noise = flow_fixed_noise,
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
               .noise = flow_fixed_noise,
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
               .noise = {.seed = stream.seed, .stage = stream.stage, .purpose = PCG_ESTIMATE},
               .first = first,
               .n = n};
    return run_batch(&b, pool, err);
}
