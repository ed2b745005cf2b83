/* flow/layer/autoregressive.c -- y_i = tau(x_i; h_i(x_<i, context)): the layer of MAF (Papamakarios
 * 2017) and of IAF (Kingma 2016), which are its two directions.
 *
 *   forward   one pass of the conditioner, then tau on every dimension at once
 *   inverse   dimension by dimension; step i finishes the outputs of dimension i, inverts tau, and
 *             computes the hidden units of degree i: every weight is used once (mathematics 2)
 *   score     g_j = (a_j - dl_j/dx_j - c_j) / tau'_j for j = D .. 1, where c_j, what the later
 *             dimensions' parameters hand back to x_j, is known by then (mathematics 4)
 *
 * Description: {"kind": "autoregressive", "transformer": "affine" | "spline", "hidden": [64, 64],
 * "residual": 0, "activation": "relu"} and the transformer's options "scale_bound" or "bins" and
 * "bound". */
#include "flow/layer/conditioner.h"
#include "flow/layer/layer.h"
#include "flow/layer/transformer.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct autoregressive {
    flow_layer base;
    const transformer *tau;
    transformer_spec spec;
    size_t outputs; /* parameters of tau */
    conditioner net;
} autoregressive;

static const autoregressive *down(const flow_layer *layer)
{
    return (const autoregressive *)layer;
}

/* ---- making one */

static int read_hidden(conditioner_spec *spec, const json_t *hidden, flow_err *err)
{
    spec->n_hidden = json_array_size(hidden);
    if (spec->n_hidden == 0 || spec->n_hidden > CONDITIONER_MAX_HIDDEN)
        return flow_fail(err, FLOW_ECONFIG, "autoregressive: hidden wants 1 to %d widths",
                         CONDITIONER_MAX_HIDDEN);
    for (size_t l = 0; l < spec->n_hidden; l++) {
        json_int_t width = json_integer_value(json_array_get(hidden, l));
        if (width < 1 || width > CONDITIONER_MAX_WIDTH)
            return flow_fail(err, FLOW_ECONFIG, "autoregressive: widths go from 1 to %d",
                             CONDITIONER_MAX_WIDTH);
        spec->hidden[l] = (size_t)width;
    }
    return 0;
}

static int check_transformer(const transformer_spec *spec, json_int_t bins, flow_err *err)
{
    if (bins < 2 || bins > TRANSFORMER_MAX_BINS)
        return flow_fail(err, FLOW_ECONFIG, "autoregressive: bins go from 2 to %d, got %lld",
                         TRANSFORMER_MAX_BINS, (long long)bins);
    if (!(spec->bound > 0 && spec->bound <= 1e6) ||
        !(spec->scale_bound > 0 && spec->scale_bound <= 50))
        return flow_fail(err, FLOW_ECONFIG,
                         "autoregressive: bound must be in (0, 1e6] and scale_bound in (0, 50]");
    return 0;
}

/* Reads the description into *net_spec, self->tau and self->spec. */
static int read_description(autoregressive *self, conditioner_spec *net_spec,
                            const json_t *description, flow_err *err)
{
    const char *kind, *tau = "affine", *nonlinearity = "relu";
    json_t *hidden;
    json_error_t why;
    json_int_t residual = 0, bins = 8;
    self->spec = (transformer_spec){.bound = 3, .scale_bound = 3};
    if (json_unpack_ex((json_t *)(uintptr_t)description, &why, JSON_STRICT,
                       "{s:s, s:o, s?s, s?I, s?s, s?I, s?F, s?F}", "kind", &kind, "hidden", &hidden,
                       "transformer", &tau, "residual", &residual, "activation", &nonlinearity,
                       "bins", &bins, "bound", &self->spec.bound, "scale_bound",
                       &self->spec.scale_bound))
        return flow_fail(err, FLOW_ECONFIG, "autoregressive: %s", why.text);
    self->tau = transformer_find(tau);
    net_spec->activation = activation_find(nonlinearity);
    if (!self->tau)
        return flow_fail(err, FLOW_ECONFIG, "autoregressive: no transformer '%s'", tau);
    if (!net_spec->activation)
        return flow_fail(err, FLOW_ECONFIG, "autoregressive: no activation '%s'", nonlinearity);
    if (residual < 0 || residual > CONDITIONER_MAX_BLOCKS)
        return flow_fail(err, FLOW_ECONFIG, "autoregressive: residual goes from 0 to %d",
                         CONDITIONER_MAX_BLOCKS);
    if (check_transformer(&self->spec, bins, err))
        return FLOW_ECONFIG;
    self->spec.bins = (size_t)bins;
    net_spec->residual = (size_t)residual;
    return read_hidden(net_spec, hidden, err);
}

static void autoregressive_free(flow_layer *layer)
{
    if (layer)
        conditioner_release(&((autoregressive *)layer)->net);
    free(layer);
}

static flow_layer *autoregressive_create(const json_t *description, const layer_scope *scope,
                                         flow_err *err)
{
    autoregressive *self = calloc(1, sizeof *self);
    if (!self) {
        flow_fail(err, FLOW_ENOMEM, "out of memory for an autoregressive layer");
        return NULL;
    }
    conditioner_spec spec = {.dim = scope->dim, .context = scope->context};
    if (read_description(self, &spec, description, err))
        goto fail;
    spec.outputs = self->outputs = self->tau->n_params(&self->spec);
    if (conditioner_create(&self->net, &spec, err))
        goto fail;
    self->base = (flow_layer){.ops = &layer_autoregressive,
                              .dim = scope->dim,
                              .context = scope->context,
                              .n_params = self->net.n_params,
                              .n_live = self->net.n_live};
    return &self->base;
fail:
    free(self);
    return NULL;
}

static json_t *autoregressive_describe(const flow_layer *layer)
{
    const autoregressive *self = down(layer);
    const conditioner_spec *spec = &self->net.spec;
    json_t *hidden = json_array();
    for (size_t l = 0; l < spec->n_hidden; l++)
        json_array_append_new(hidden, json_integer((json_int_t)spec->hidden[l]));
    json_t *out = json_pack("{s:s, s:s, s:o, s:i, s:s}", "kind", layer->ops->name, "transformer",
                            self->tau->name, "hidden", hidden, "residual", (int)spec->residual,
                            "activation", spec->activation->name);
    if (out && strstr(self->tau->keys, "scale_bound"))
        json_object_set_new(out, "scale_bound", json_real(self->spec.scale_bound));
    if (out && strstr(self->tau->keys, "bins")) {
        json_object_set_new(out, "bins", json_integer((json_int_t)self->spec.bins));
        json_object_set_new(out, "bound", json_real(self->spec.bound));
    }
    return out;
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

typedef void element_wise(const transformer_spec *spec, real *to, double *logdet, const real *from,
                          const real *h, size_t ld);

/* Whole vectors through the transformer; h (outputs, ld) is fresh from the conditioner. */
static void transform(const autoregressive *self, element_wise *f, real *to, double *logdet,
                      const real *from, real *h, size_t ld)
{
    if (self->tau->prepare)
        self->tau->prepare(&self->spec, h, ld);
    f(&self->spec, to, logdet, from, h, ld);
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
        self->tau->backward(&self->spec, dx + i * ld, output_rows(self, cotangents, i, ld),
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
        self->tau->score(&self->spec, score_y + j * ld, output_rows(self, cotangents, j, ld), a,
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

const flow_layer_ops layer_autoregressive = {
    .name = "autoregressive",
    .doc = "y_i = tau(x_i; h_i(x_<i, context)): a masked network gives the parameters of an "
           "element-wise transformer",
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
