/* flow/layer/autoregressive.c -- y_i = tau(x_i; h_i(x_<i, context)): the layer of MAF (Papamakarios
 * 2017) and of IAF (Kingma 2016), which are its two directions.
 *
 *   forward   one pass of the conditioner, then tau on every dimension at once
 *   inverse   dimension by dimension; step i finishes the outputs of dimension i, inverts tau, and
 *             computes the hidden units of degree i: every weight is used once (mathematics 2)
 *   score     g_j = (a_j - dl_j/dx_j - c_j) / tau'_j for j = D .. 1, where c_j, what the later
 *             dimensions' parameters hand back to x_j, is known by then (mathematics 4) */
#include "flow/layer/conditioner.h"
#include "flow/layer/layer.h"
#include "flow/layer/transformer.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define layer_autoregressive FLOW_NAME(layer_autoregressive)

typedef struct autoregressive {
    flow_layer base;
    const transformer *tau;
    void *options;  /* of tau */
    size_t outputs; /* parameters of tau */
    conditioner net;
} autoregressive;

static const autoregressive *down(const flow_layer *layer)
{
    return (const autoregressive *)layer;
}

extern const flow_layer_ops layer_autoregressive;

/* ---- making one */

typedef struct autoregressive_options {
    const json_t *transformer, *conditioner;
} autoregressive_options;

/* Sets tau, its options and the network. */
static int read_parts(autoregressive *self, const autoregressive_options *parts, size_t dim,
                      size_t context, flow_err *err)
{
    const flow_kind *tau = flow_kind_of(&flow_transformers, parts->transformer, err);
    const flow_kind *net = tau ? flow_kind_of(&flow_conditioners, parts->conditioner, err) : NULL;
    if (!net)
        return FLOW_ECONFIG;
    self->tau = transformer_find(tau->name);
    if (!(self->options = flow_kind_read(&self->tau->kind, parts->transformer, err)))
        return FLOW_ECONFIG;
    self->outputs = self->tau->n_params(self->options);
    conditioner_options *body = flow_kind_read(net, parts->conditioner, err);
    int code = body ? conditioner_create(&self->net, body, dim, context, self->outputs, err)
                    : FLOW_ECONFIG;
    free(body);
    return code;
}

static void autoregressive_free(flow_layer *layer)
{
    autoregressive *self = (autoregressive *)layer;
    if (!self)
        return;
    conditioner_release(&self->net);
    free(self->options);
    free(self);
}

static flow_layer *autoregressive_create(const json_t *description, const layer_scope *scope,
                                         flow_err *err)
{
    autoregressive *self = calloc(1, sizeof *self);
    autoregressive_options *parts = flow_kind_read(&layer_autoregressive.kind, description, err);
    if (!self)
        flow_fail(err, FLOW_ENOMEM, "out of memory for an autoregressive layer");
    int code = self && parts ? read_parts(self, parts, scope->dim, scope->context, err) : FLOW_ENOMEM;
    free(parts);
    if (code) {
        autoregressive_free(&self->base);
        return NULL;
    }
    self->base = (flow_layer){.ops = &layer_autoregressive,
                              .dim = scope->dim,
                              .context = scope->context,
                              .n_params = self->net.n_params,
                              .n_live = self->net.n_live};
    return &self->base;
}

static json_t *autoregressive_describe(const flow_layer *layer)
{
    const autoregressive *self = down(layer);
    const conditioner_options body = conditioner_options_of(&self->net);
    return json_pack("{s:s, s:o, s:o}", "kind", layer->ops->kind.name, "transformer",
                     flow_kind_write(&self->tau->kind, self->options), "conditioner",
                     flow_kind_write(&conditioner_mlp, &body));
}

static void autoregressive_init(const flow_layer *layer, real *theta, layer_draws *draws)
{
    conditioner_init(&down(layer)->net, theta, &draws->rng);
}

/* ---- memory: cache = values | slopes; work = values or cotangents | scratch */

static size_t autoregressive_cache_len(const flow_layer *layer, size_t ld)
{
    return (down(layer)->net.value_rows + down(layer)->net.slope_rows) * ld;
}

static size_t autoregressive_work_len(const flow_layer *layer, size_t ld)
{
    const conditioner *net = &down(layer)->net;
    return (net->value_rows + flow_pad(down(layer)->outputs)) * ld;
}

static real *input_rows(const autoregressive *self, real *values, size_t ld)
{
    return conditioner_rows(&self->net, values, 0, self->base.context, ld);
}

static size_t last_buffer(const autoregressive *self)
{
    return self->net.n_buffers - 1;
}

/* The parameters of dimension i, 0-based. */
static real *output_rows(const autoregressive *self, real *values, size_t i, size_t ld)
{
    return conditioner_rows(&self->net, values, last_buffer(self), i * self->outputs, ld);
}

static void set_context(const autoregressive *self, real *values, const real *context, size_t ld)
{
    if (self->base.context)
        memcpy(conditioner_rows(&self->net, values, 0, 0, ld), context,
               self->base.context * ld * sizeof *values);
}

/* ---- the map */

typedef void element_wise(const void *options, real *to, double *logdet, const real *from,
                          const real *h, size_t ld);

/* Whole vectors through the transformer; h (outputs, ld) is fresh from the conditioner. */
static void transform(const autoregressive *self, element_wise *f, real *to, double *logdet,
                      const real *from, real *h, size_t ld)
{
    if (self->tau->prepare)
        self->tau->prepare(self->options, h, ld);
    f(self->options, to, logdet, from, h, ld);
}

/* A single row, in the first column of such vectors. `wide`: (outputs + 2) * FLOW_PAD. */
static void transform_single(const autoregressive *self, element_wise *f, real *to, double *logdet,
                             const real *from, const real *h, real *wide)
{
    real *x = wide + self->outputs * FLOW_PAD, *y = x + FLOW_PAD;
    double sum[FLOW_PAD] = {0};
    memset(wide, 0, (self->outputs + 2) * FLOW_PAD * sizeof *wide);
    for (size_t k = 0; k < self->outputs; k++)
        wide[k * FLOW_PAD] = h[k];
    *x = *from;
    transform(self, f, y, sum, x, wide, FLOW_PAD);
    *to = *y;
    *logdet += *sum;
}

/* Dimension i, in a shard or alone; alone, `work` has room beside the values, which are a
 * FLOW_PAD'th of what it was made for. */
static void transform_dimension(const autoregressive *self, element_wise *f, real *to,
                                double *logdet, const real *from, real *values, size_t i, size_t ld)
{
    real *h = output_rows(self, values, i, ld);
    if (ld > 1)
        transform(self, f, to, logdet, from, h, ld);
    else
        transform_single(self, f, to, logdet, from, h, values + self->net.value_rows);
}

static void autoregressive_forward(const flow_layer *layer, real *y, double *logdet, const real *x,
                                   const layer_call *call)
{
    const autoregressive *self = down(layer);
    const real *theta = call->theta;
    const size_t ld = call->ld;
    real *values = call->cache ? call->cache : call->work;
    real *slopes = call->cache ? call->cache + self->net.value_rows * ld : NULL;
    set_context(self, values, call->context, ld);
    memcpy(input_rows(self, values, ld), x, layer->dim * ld * sizeof *x);
    conditioner_forward(&self->net, values, slopes, theta, ld);
    for (size_t i = 0; i < layer->dim; i++)
        transform_dimension(self, self->tau->forward, y + i * ld, logdet, x + i * ld, values, i,
                            ld);
}

static void autoregressive_inverse(const flow_layer *layer, real *x, double *logdet, const real *y,
                                   const layer_call *call)
{
    const autoregressive *self = down(layer);
    const real *theta = call->theta;
    const size_t ld = call->ld;
    real *values = call->cache ? call->cache : call->work, *inputs = input_rows(self, values, ld);
    real *slopes = call->cache ? call->cache + self->net.value_rows * ld : NULL;
    set_context(self, values, call->context, ld);
    conditioner_hidden_of(&self->net, values, slopes, theta, 0, ld);
    for (size_t i = 0; i < layer->dim; i++) {
        conditioner_outputs_of(&self->net, values, theta, i + 1, ld);
        transform_dimension(self, self->tau->inverse, inputs + i * ld, logdet, y + i * ld, values,
                            i, ld);
        conditioner_hidden_of(&self->net, values, slopes, theta, i + 1, ld);
    }
    memcpy(x, inputs, layer->dim * ld * sizeof *x);
}

static void autoregressive_backward(const flow_layer *layer, real *dx, real *dtheta, int add,
                                    const real *dy, const real *dlogdet, const real *x,
                                    const layer_call *call)
{
    const autoregressive *self = down(layer);
    const real *theta = call->theta;
    const size_t ld = call->ld;
    real *values = call->cache; /* read only */
    const real *slopes = values + self->net.value_rows * ld;
    real *cotangents = call->work;
    for (size_t i = 0; i < layer->dim; i++)
        self->tau->backward(self->options, dx + i * ld, output_rows(self, cotangents, i, ld),
                            dy + i * ld, dlogdet, x + i * ld, output_rows(self, values, i, ld), ld);
    conditioner_backward(&self->net, cotangents, dtheta, add, theta, values, slopes, ld);
    const real *through = input_rows(self, cotangents, ld);
    for (size_t k = 0; k < layer->dim * ld; k++)
        dx[k] += through[k];
}

static void autoregressive_score(const flow_layer *layer, real *score_y, const real *score_x,
                                 const real *x, const layer_call *call)
{
    const autoregressive *self = down(layer);
    const real *theta = call->theta;
    const size_t ld = call->ld;
    real *values = call->cache; /* read only */
    const real *slopes = values + self->net.value_rows * ld;
    real *cotangents = call->work, *a = cotangents + self->net.value_rows * ld;
    for (size_t j = layer->dim; j-- > 0;) {
        conditioner_pull_degree(&self->net, cotangents, theta, values, slopes, j + 1, ld);
        const real *handed = input_rows(self, cotangents, ld) + j * ld;
        for (size_t r = 0; r < ld; r++)
            a[r] = score_x[j * ld + r] - handed[r];
        self->tau->score(self->options, score_y + j * ld, output_rows(self, cotangents, j, ld), a,
                         x + j * ld, output_rows(self, values, j, ld), ld);
    }
}

/* ---- parameters by name: map m has "conditioner.m.weight" (2m) and "conditioner.m.bias" (2m + 1)
 */

static size_t autoregressive_n_tensors(const flow_layer *layer)
{
    return 2 * down(layer)->net.n_maps;
}

static const stair *map_of(const autoregressive *self, size_t index, size_t *offset)
{
    const stair *map = &self->net.maps[index / 2];
    for (size_t s = 0; s < self->net.n_steps; s++)
        if (self->net.steps[s].map == (int)(index / 2))
            *offset = self->net.steps[s].offset;
    return map;
}

static void autoregressive_tensor(const flow_layer *layer, flow_tensor_info *info, size_t index)
{
    size_t offset;
    const stair *map = map_of(down(layer), index, &offset);
    snprintf(info->name, sizeof info->name, "conditioner.%zu.%s", index / 2,
             index % 2 ? "bias" : "weight");
    info->rows = map->rows;
    info->cols = index % 2 ? 0 : map->cols;
}

static void autoregressive_tensor_get(const flow_layer *layer, double *values, const real *theta,
                                      size_t index)
{
    size_t offset = 0;
    const stair *map = map_of(down(layer), index, &offset);
    if (index % 2)
        stair_get_bias(map, values, theta + offset);
    else
        stair_get_weight(map, values, theta + offset);
}

static void autoregressive_tensor_set(const flow_layer *layer, real *theta, const double *values,
                                      size_t index)
{
    size_t offset = 0;
    const stair *map = map_of(down(layer), index, &offset);
    if (index % 2)
        stair_set_bias(map, theta + offset, values);
    else
        stair_set_weight(map, theta + offset, values);
}

static void autoregressive_tensor_live(const flow_layer *layer, unsigned char *live, size_t index,
                                       size_t row)
{
    const stair *map = &down(layer)->net.maps[index / 2];
    for (size_t k = 0; k < map->cols; k++)
        live[k] = k < map->limit[row];
}

static const flow_key autoregressive_keys[] = {
    {FLOW_KEY(autoregressive_options, transformer), .type = FLOW_KEY_KIND,
     .kinds = &flow_transformers, .def = "spline",
     .doc = "What a layer does to each coordinate with the numbers its conditioner gives."},
    {FLOW_KEY(autoregressive_options, conditioner), .type = FLOW_KEY_KIND,
     .kinds = &flow_conditioners, .def = "mlp",
     .doc = "The network that gives each coordinate's numbers from the coordinates before it."},
    {.name = NULL}};

const flow_layer_ops layer_autoregressive = {
    .kind = {.name = "autoregressive",
             .doc =
                 "each coordinate is transformed by numbers that a masked network gives from the "
                 "coordinates before it",
             .keys = autoregressive_keys,
             .size = sizeof(autoregressive_options)},
    .single = 1,
    .create = autoregressive_create,
    .free = autoregressive_free,
    .describe = autoregressive_describe,
    .init = autoregressive_init,
    .init_data = NULL,
    .cache_len = autoregressive_cache_len,
    .work_len = autoregressive_work_len,
    .forward = autoregressive_forward,
    .inverse = autoregressive_inverse,
    .backward = autoregressive_backward,
    .score = autoregressive_score,
    .n_tensors = autoregressive_n_tensors,
    .tensor = autoregressive_tensor,
    .tensor_get = autoregressive_tensor_get,
    .tensor_set = autoregressive_tensor_set,
    .tensor_live = autoregressive_tensor_live,
};
