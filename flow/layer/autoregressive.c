/* flow/layer/autoregressive.c -- y_i = tau(x_i; h_i(x of earlier groups, context)), the dimensions in
 * groups 1 .. G (conditioner.h). With G = D it is the layer of MAF (Papamakarios 2017) and of IAF
 * (Kingma 2016), which are its two directions; with G = 2 a coupling (NICE, Dinh 2014; RealNVP, Dinh
 * 2017); with G = 1 an element-wise map.
 *
 *   forward   one pass of the conditioner, then tau on every dimension
 *   inverse   group by group; step c finishes the outputs of group c, inverts tau there, and computes
 *             the hidden units of degree c: every weight is used once (mathematics 2)
 *   score     g_j = (a_j - dl_j/dx_j - c_j) / tau'_j for the groups G .. 1, where c_j, what the
 *             parameters of later groups hand back to x_j, is known by then (mathematics 4) */
#include "flow/layer/conditioned.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define layer_autoregressive FLOW_NAME(layer_autoregressive)
extern const flow_layer_ops layer_autoregressive;

static const conditioned *maps_of(const flow_layer *layer)
{
    return &((const conditioned_layer *)layer)->maps;
}

/* ---- making one */

static void autoregressive_free(flow_layer *layer)
{
    if (layer)
        conditioned_close(&((conditioned_layer *)layer)->maps);
    free(layer);
}

static flow_layer *create_from(const conditioned_options *options, const layer_scope *scope,
                               flow_err *err)
{
    conditioned_layer *self = calloc(1, sizeof *self);
    if (!self) {
        flow_fail(err, FLOW_ENOMEM, "out of memory for an autoregressive layer");
        return NULL;
    }
    if (conditioned_open(&self->maps, options, layer_autoregressive.kind.name, scope, err)) {
        autoregressive_free(&self->base);
        return NULL;
    }
    self->base = (flow_layer){.ops = &layer_autoregressive,
                              .dim = scope->dim,
                              .context = scope->context,
                              .n_params = self->maps.net->n_params,
                              .n_live = self->maps.net->n_live,
                              .n_networks = conditioned_networks(&self->maps),
                              .in_series = self->maps.net->shape.groups};
    return &self->base;
}

static flow_layer *autoregressive_create(const json_t *description, const layer_scope *scope,
                                         flow_err *err)
{
    conditioned_options *options = flow_kind_read(&layer_autoregressive.kind, description, err);
    flow_layer *self = options ? create_from(options, scope, err) : NULL;
    free(options);
    return self;
}

static json_t *autoregressive_describe(const flow_layer *layer)
{
    const conditioned *maps = maps_of(layer);
    return conditioned_describe(maps, flow_kind_write(&layer_autoregressive.kind, &maps->options));
}

static void autoregressive_init(const flow_layer *layer, real *theta, layer_draws *draws)
{
    conditioned_init(maps_of(layer), theta, 1, draws);
}

static void autoregressive_round(const flow_layer *layer, real *theta, size_t n)
{
    conditioned_round(maps_of(layer), theta, 1, n);
}

/* ---- memory: cache = values | slopes; work = values or cotangents | scratch */

static size_t autoregressive_cache_len(const flow_layer *layer, size_t ld)
{
    return (conditioned_rows(maps_of(layer)) + maps_of(layer)->net->slope_rows) * ld;
}

static size_t autoregressive_work_len(const flow_layer *layer, size_t ld)
{
    return (conditioned_rows(maps_of(layer)) + flow_pad(maps_of(layer)->most_outputs)) * ld;
}

/* The values are in the cache, or in work if there is none. A single row's are a FLOW_PAD'th of what
 * work was made for: there is room beside them. */
static conditioned_shard shard_of(const flow_layer *layer, const layer_call *call)
{
    const conditioned *maps = maps_of(layer);
    conditioned_shard s = {.self = maps, .net = maps->net, .theta = call->theta, .ld = call->ld};
    s.values = call->cache ? call->cache : call->work;
    s.slopes = call->cache ? call->cache + conditioned_rows(maps) * call->ld : NULL;
    s.wide = call->work + conditioned_rows(maps) * call->ld;
    return s;
}

/* ---- the map */

static void autoregressive_forward(const flow_layer *layer, real *y, double *logdet, const real *x,
                                   const layer_call *call)
{
    const conditioned_shard s = shard_of(layer, call);
    conditioned_set_context(&s, call->context);
    memcpy(conditioned_inputs(&s, s.values), x, layer->dim * s.ld * sizeof *x);
    conditioned_show(&s, &s.self->whole);
    s.net->ops->forward(s.net, s.values, s.slopes, s.theta, s.ld);
    conditioned_copy(&s, y, x, &s.self->bare);
    conditioned_transform(&s, CONDITIONED_FORWARD, y, logdet, x, &s.self->all);
}

static void autoregressive_inverse(const flow_layer *layer, real *x, double *logdet, const real *y,
                                   const layer_call *call)
{
    const conditioned_shard s = shard_of(layer, call);
    const conditioner_ops *net = s.net->ops;
    real *inputs = conditioned_inputs(&s, s.values);
    conditioned_set_context(&s, call->context);
    net->hidden_of(s.net, s.values, s.slopes, s.theta, 0, s.ld);
    for (size_t c = 1; c <= s.net->shape.groups; c++) {
        const conditioned_group *g = &s.self->groups[c - 1];
        net->outputs_of(s.net, s.values, s.theta, c, s.ld);
        conditioned_transform(&s, CONDITIONED_INVERSE, inputs, logdet, y, g);
        conditioned_show(&s, g);
        net->hidden_of(s.net, s.values, s.slopes, s.theta, c, s.ld);
    }
    memcpy(x, inputs, layer->dim * s.ld * sizeof *x);
}

static void autoregressive_backward(const flow_layer *layer, real *dx, real *dtheta, int add,
                                    const real *dy, const real *dlogdet, const real *x,
                                    const layer_call *call)
{
    const conditioned_shard s = shard_of(layer, call);
    real *cotangents = call->work;
    const conditioned_group *g = &s.self->all;
    conditioned_copy(&s, dx, dy, &s.self->bare);
    for (size_t i = g->first, at = i * s.ld; i < g->end; i++, at += s.ld) {
        const conditioned_tau *tau = conditioned_tau_of(s.self, i);
        tau->ops->backward(tau->options, dx + at, conditioned_params(&s, cotangents, g, i), dy + at,
                           dlogdet, x + at, conditioned_params(&s, s.values, g, i), s.ld);
    }
    s.net->ops->backward(s.net, cotangents, dtheta, add, s.theta, s.values, s.slopes, s.ld);
    conditioned_pull(&s, cotangents, &s.self->whole);
    const real *through = conditioned_inputs(&s, cotangents);
    for (size_t k = 0; k < layer->dim * s.ld; k++)
        dx[k] += through[k];
}

/* Dimension j, whose input was handed c_j. `a`: scratch (ld). */
static void score_dimension(const conditioned_shard *s, real *score_y, real *cotangents,
                            const real *score_x, const real *x, const conditioned_group *g,
                            size_t j, real *a)
{
    size_t ld = s->ld, at = j * ld;
    const real *handed = conditioned_inputs(s, cotangents) + at;
    real *left = g->bare ? score_y + at : a;
    for (size_t r = 0; r < ld; r++)
        left[r] = score_x[at + r] - handed[r];
    const conditioned_tau *tau = conditioned_tau_of(s->self, j);
    if (!g->bare)
        tau->ops->score(tau->options, score_y + at, conditioned_params(s, cotangents, g, j), a,
                        x + at, conditioned_params(s, s->values, g, j), ld);
}

static void autoregressive_score(const flow_layer *layer, real *score_y, const real *score_x,
                                 const real *x, const layer_call *call)
{
    const conditioned_shard s = shard_of(layer, call);
    real *cotangents = call->work, *a = cotangents + conditioned_rows(s.self) * s.ld;
    for (size_t c = s.net->shape.groups; c > 0; c--) {
        const conditioned_group *g = &s.self->groups[c - 1];
        s.net->ops->pull(s.net, cotangents, s.theta, s.values, s.slopes, c, s.ld);
        conditioned_pull(&s, cotangents, g);
        for (size_t j = g->end; j-- > g->first;)
            score_dimension(&s, score_y, cotangents, score_x, x, g, j, a);
    }
    (void)layer;
}

/* ---- parameters by name: the conditioner's */

static size_t autoregressive_n_tensors(const flow_layer *layer)
{
    return maps_of(layer)->net->ops->n_tensors(maps_of(layer)->net);
}

static void autoregressive_tensor(const flow_layer *layer, flow_tensor_info *info, size_t index)
{
    flow_tensor_info inner;
    maps_of(layer)->net->ops->tensor(maps_of(layer)->net, &inner, index);
    *info = inner;
    snprintf(info->name, sizeof info->name, "conditioner.%.64s", inner.name);
}

static void autoregressive_tensor_get(const flow_layer *layer, double *values, const real *theta,
                                      size_t index)
{
    maps_of(layer)->net->ops->tensor_get(maps_of(layer)->net, values, theta, index);
}

static void autoregressive_tensor_set(const flow_layer *layer, real *theta, const double *values,
                                      size_t index)
{
    maps_of(layer)->net->ops->tensor_set(maps_of(layer)->net, theta, values, index);
}

static void autoregressive_tensor_live(const flow_layer *layer, unsigned char *live, size_t index,
                                       size_t row)
{
    maps_of(layer)->net->ops->tensor_live(maps_of(layer)->net, live, index, row);
}

static const flow_key autoregressive_keys[] = {CONDITIONED_KEYS, {.name = NULL}};

const flow_layer_ops layer_autoregressive = {
    .kind = {.name = "autoregressive",
             .doc =
                 "each coordinate is transformed by numbers that a masked network gives from the "
                 "coordinates before it",
             .keys = autoregressive_keys,
             .size = sizeof(conditioned_options),
             .circle = conditioned_circle},
    .single = 1,
    .create = autoregressive_create,
    .free = autoregressive_free,
    .describe = autoregressive_describe,
    .circles = conditioned_circles,
    .unroll = conditioned_unroll,
    .init = autoregressive_init,
    .init_data = NULL,
    .round = autoregressive_round,
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
