/* flow/layer/unrolled.c -- the inverse of an autoregressive layer by T steps of its fixed-point
 * iteration, each of which is parallel (mathematics-layers 12):
 *
 *   x^(0) = z,   x^(t)_i = tau^-1(z_i; h_t,i(x^(t-1) of earlier groups, context)),   y = x^(T)
 *
 * x^(t)_i sees z of its own and of earlier groups only, so that for every T and any networks h_t this is
 * an autoregressive layer of its own: a bijection, whose log-determinant is that of the last step alone.
 * With h_t = h for all t it tends to the inverse of the layer with h, and is it for T >= G.
 *
 *   forward   T parallel passes, tau^-1 on every dimension after each
 *   inverse   group by group through all networks: outputs; z by tau of the last network's, x^(t) of the
 *             group by tau^-1 of the others'; hidden units. T times the work of one network
 *   backward  the last step first: what a step hands back to x^(t-1) is what the step before is given;
 *             every step hands its share to z
 *   score     for the groups G .. 1 the same, until z is handed a_j in all, which tells what y_j is owed:
 *             a = J^T g + grad_z L, solved for g
 *
 * tied: one network, T times. Its gradient is summed from the last step to the first. */
#include "flow/layer/conditioned.h"
#include "flow/unroll.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define layer_unrolled FLOW_NAME(layer_unrolled)
extern const flow_layer_ops layer_unrolled;

typedef struct unrolled_options {
    conditioned_options maps;
    size_t iterations; /* T */
    bool tied;
} unrolled_options;

typedef struct unrolled {
    flow_layer base;
    conditioned maps; /* every step's, whose parameters are the only difference */
    size_t iterations;
    bool tied;
} unrolled;

static const unrolled *down(const flow_layer *layer)
{
    return (const unrolled *)layer;
}

/* ---- making one */

static size_t copies(const unrolled *self)
{
    return self->tied ? 1 : self->iterations;
}

static void unrolled_free(flow_layer *layer)
{
    if (layer)
        conditioned_close(&((unrolled *)layer)->maps);
    free(layer);
}

static flow_layer *create_from(const unrolled_options *options, const layer_scope *scope,
                               flow_err *err)
{
    unrolled *self = calloc(1, sizeof *self);
    if (!self) {
        flow_fail(err, FLOW_ENOMEM, "out of memory for an unrolled layer");
        return NULL;
    }
    self->iterations = options->iterations;
    self->tied = options->tied;
    if (conditioned_open(&self->maps, &options->maps, layer_unrolled.kind.name, scope, err)) {
        unrolled_free(&self->base);
        return NULL;
    }
    self->base = (flow_layer){.ops = &layer_unrolled,
                              .dim = scope->dim,
                              .context = scope->context,
                              .n_params = copies(self) * self->maps.net->n_params,
                              .n_live = copies(self) * self->maps.net->n_live,
                              .n_networks = conditioned_networks(&self->maps),
                              .in_series = self->iterations * self->maps.net->shape.groups};
    return &self->base;
}

static flow_layer *unrolled_create(const json_t *description, const layer_scope *scope,
                                   flow_err *err)
{
    unrolled_options *options = flow_kind_read(&layer_unrolled.kind, description, err);
    flow_layer *self = options ? create_from(options, scope, err) : NULL;
    free(options);
    return self;
}

static json_t *unrolled_describe(const flow_layer *layer)
{
    const unrolled *self = down(layer);
    const unrolled_options options = {
        .maps = self->maps.options, .iterations = self->iterations, .tied = self->tied};
    return conditioned_describe(&self->maps, flow_kind_write(&layer_unrolled.kind, &options));
}

static void unrolled_init(const flow_layer *layer, real *theta, layer_draws *draws)
{
    conditioned_init(&down(layer)->maps, theta, copies(down(layer)), draws);
}

/* Every network as that of the layer which this one is the inverse of, or narrower. */
static int unrolled_unroll_params(const flow_layer *layer, real *theta, const flow_layer *from,
                                  const real *from_theta, flow_err *err)
{
    const conditioned *wide = &((const conditioned_layer *)from)->maps;
    return conditioned_take(&down(layer)->maps, theta, copies(down(layer)), wide, from_theta, err);
}

/* All steps go through a network that they have in common. */
static void unrolled_round(const flow_layer *layer, real *theta, size_t n)
{
    const unrolled *self = down(layer);
    conditioned_round(&self->maps, theta, copies(self), n * (self->tied ? self->iterations : 1));
}

/* ---- memory. cache: values | slopes of every step, and y; work: values or cotangents of every step,
 * and scratch */

static size_t step_cache_len(const unrolled *self, size_t ld)
{
    return (conditioned_rows(&self->maps) + self->maps.net->slope_rows) * ld;
}

static size_t values_len(const unrolled *self, size_t ld)
{
    return conditioned_rows(&self->maps) * ld;
}

static size_t unrolled_cache_len(const flow_layer *layer, size_t ld)
{
    return down(layer)->iterations * step_cache_len(down(layer), ld) + layer->dim * ld;
}

typedef struct scratch {
    double *dropped;    /* (ld) log-determinants of steps before the last */
    real *wide;         /* of a shard */
    real *zeros, *ones; /* (ld) */
    real *a, *b;        /* (ld) */
} scratch;

static scratch scratch_of(const unrolled *self, const layer_call *call)
{
    size_t ld = flow_pad(call->ld);
    real *at = call->work + self->iterations * values_len(self, call->ld);
    scratch s = {.wide = at};
    at += conditioned_wide_len(&self->maps);
    s.zeros = at;
    s.ones = at + ld;
    s.a = at + 2 * ld;
    s.b = at + 3 * ld;
    s.dropped = (double *)(void *)(at + 4 * ld);
    for (size_t j = 0; j < ld; j++) {
        s.zeros[j] = 0;
        s.ones[j] = 1;
        s.dropped[j] = 0;
    }
    return s;
}

static size_t unrolled_work_len(const flow_layer *layer, size_t ld)
{
    const unrolled *self = down(layer);
    size_t row = flow_pad(ld), doubles = row * sizeof(double) / sizeof(real);
    return self->iterations * values_len(self, ld) + conditioned_wide_len(&self->maps) + 4 * row +
           doubles;
}

/* Step t, 0 .. T - 1, whose values are those of number `slot` if there is no cache. */
static conditioned_shard step_at(const unrolled *self, const layer_call *call, size_t t,
                                 size_t slot, real *wide)
{
    size_t ld = call->ld, at = t * step_cache_len(self, ld);
    conditioned_shard s = {.self = &self->maps, .net = self->maps.net, .wide = wide, .ld = ld};
    s.theta = call->theta + (self->tied ? 0 : t * s.net->n_params);
    s.values = call->cache ? call->cache + at : call->work + slot * values_len(self, ld);
    s.slopes = call->cache ? s.values + values_len(self, ld) : NULL;
    return s;
}

static conditioned_shard step(const unrolled *self, const layer_call *call, size_t t,
                              const scratch *room)
{
    return step_at(self, call, t, t, room->wide);
}

/* y in the cache: backward and score are given z only. */
static real *kept(const unrolled *self, const layer_call *call)
{
    return call->cache + self->iterations * step_cache_len(self, call->ld);
}

static void keep(const unrolled *self, const real *y, const layer_call *call)
{
    if (call->cache)
        memcpy(kept(self, call), y, self->base.dim * call->ld * sizeof *y);
}

/* x^(t+1), what step t leaves. */
static const real *result_of(const unrolled *self, const layer_call *call, size_t t,
                             const scratch *room)
{
    if (t + 1 == self->iterations)
        return kept(self, call);
    const conditioned_shard next = step(self, call, t + 1, room);
    return conditioned_inputs(&next, next.values);
}

/* ---- the map */

/* Without a cache all steps share the values of one: a step's result takes the place of its inputs. */
static void unrolled_forward(const flow_layer *layer, real *y, double *logdet, const real *x,
                             const layer_call *call)
{
    const unrolled *self = down(layer);
    const scratch room = scratch_of(self, call);
    const conditioned *maps = &self->maps;
    conditioned_shard s = step_at(self, call, 0, 0, room.wide);
    memcpy(conditioned_inputs(&s, s.values), x, layer->dim * s.ld * sizeof *x);
    for (size_t t = 0; t < self->iterations; t++) {
        const int last = t + 1 == self->iterations;
        conditioned_set_context(&s, call->context);
        conditioned_show(&s, &maps->whole);
        s.net->ops->forward(s.net, s.values, s.slopes, s.theta, s.ld);
        const conditioned_shard next = last ? s : step_at(self, call, t + 1, 0, room.wide);
        real *to = last ? y : conditioned_inputs(&next, next.values);
        conditioned_copy(&s, to, x, &maps->bare);
        conditioned_transform(&s, CONDITIONED_INVERSE, to, last ? logdet : room.dropped, x,
                              &maps->all);
        s = next;
    }
    keep(self, y, call);
}

/* Outputs of a group in every network, then z of the group, then x^(1) .. x^(T-1) of it. */
static void inverse_group(const unrolled *self, const scratch *room, double *logdet, const real *y,
                          const conditioned_group *g, size_t group, const layer_call *call)
{
    const conditioned_shard first = step(self, call, 0, room);
    real *z = conditioned_inputs(&first, first.values);
    for (size_t t = self->iterations; t-- > 0;) {
        const conditioned_shard s = step(self, call, t, room);
        const int last = t + 1 == self->iterations;
        s.net->ops->outputs_of(s.net, s.values, s.theta, group, s.ld);
        if (last) {
            conditioned_transform(&s, CONDITIONED_FORWARD, z, logdet, y, g);
        } else {
            const conditioned_shard next = step(self, call, t + 1, room);
            conditioned_transform(&s, CONDITIONED_INVERSE, conditioned_inputs(&next, next.values),
                                  room->dropped, z, g);
        }
    }
}

static void hidden_of_all(const unrolled *self, const scratch *room, size_t group,
                          const layer_call *call)
{
    for (size_t t = 0; t < self->iterations; t++) {
        const conditioned_shard s = step(self, call, t, room);
        if (group == 0)
            conditioned_set_context(&s, call->context);
        else
            conditioned_show(&s, &self->maps.groups[group - 1]);
        s.net->ops->hidden_of(s.net, s.values, s.slopes, s.theta, group, s.ld);
    }
}

static void unrolled_inverse(const flow_layer *layer, real *x, double *logdet, const real *y,
                             const layer_call *call)
{
    const unrolled *self = down(layer);
    const scratch room = scratch_of(self, call);
    const conditioned_shard first = step(self, call, 0, &room);
    hidden_of_all(self, &room, 0, call);
    for (size_t c = 1; c <= first.net->shape.groups; c++) {
        inverse_group(self, &room, logdet, y, &self->maps.groups[c - 1], c, call);
        hidden_of_all(self, &room, c, call);
    }
    memcpy(x, conditioned_inputs(&first, first.values), layer->dim * first.ld * sizeof *x);
    keep(self, y, call);
}

/* ---- gradients */

/* to += sign from, sign being 1 or -1 */
static void add_row(real *to, real sign, const real *from, size_t ld)
{
    for (size_t r = 0; r < ld; r++)
        to[r] += sign * from[r];
}

/* The rows of a group backwards through tau^-1 of step t: dz += its share, and the parameters'
 * cotangents. from: cotangents of x^(t+1); dm (ld): of the log-slope; a: scratch (ld). */
static void pull_group(const conditioned_shard *s, real *dz, real *cotangents, const real *from,
                       const real *dm, const real *at, const conditioned_group *g, real *a)
{
    for (size_t i = g->first; i < g->end; i++) {
        size_t row = i * s->ld;
        const conditioned_tau *tau = conditioned_tau_of(s->self, i);
        if (!g->bare)
            tau->ops->pull_inverse(tau->options, a, conditioned_params(s, cotangents, g, i),
                                   from + row, dm, at + row, conditioned_params(s, s->values, g, i),
                                   s->ld);
        add_row(dz + row, 1, g->bare ? from + row : a, s->ld);
    }
}

static void unrolled_backward(const flow_layer *layer, real *dx, real *dtheta, int add,
                              const real *dy, const real *dlogdet, const real *x,
                              const layer_call *call)
{
    const unrolled *self = down(layer);
    const scratch room = scratch_of(self, call);
    real *cotangents = call->work, *through = NULL;
    memset(dx, 0, layer->dim * call->ld * sizeof *dx);
    for (size_t t = self->iterations; t-- > 0;) {
        const int last = t + 1 == self->iterations;
        const conditioned_shard s = step(self, call, t, &room);
        const real *from = last ? dy : through, *dm = last ? dlogdet : room.zeros;
        const real *at = result_of(self, call, t, &room);
        real *own = dtheta ? dtheta + (s.theta - call->theta) : NULL;
        pull_group(&s, dx, cotangents, from, dm, at, &self->maps.bare, room.a);
        pull_group(&s, dx, cotangents, from, dm, at, &self->maps.all, room.a);
        s.net->ops->backward(s.net, cotangents, own, add || (self->tied && !last), s.theta,
                             s.values, s.slopes, s.ld);
        conditioned_pull(&s, cotangents, &self->maps.whole);
        through = conditioned_inputs(&s, cotangents);
    }
    for (size_t i = 0; i < layer->dim; i++)
        add_row(dx + i * call->ld, 1, through + i * call->ld, call->ld);
    (void)x;
}

static real *cotangents_of(const unrolled *self, const layer_call *call, size_t t)
{
    return call->work + t * values_len(self, call->ld);
}

/* What steps before the last hand to z_j, from what the networks after them have handed to their
 * results; and the cotangents of their parameters. left (ld) -= all of that, and what the first network
 * has handed to z_j itself. */
static void score_before_last(const unrolled *self, real *left, const scratch *room,
                              const conditioned_group *g, size_t j, const layer_call *call)
{
    const conditioned_tau *tau = conditioned_tau_of(&self->maps, j);
    for (size_t t = 0; t < self->iterations; t++) {
        const conditioned_shard s = step(self, call, t, room);
        const real *handed = conditioned_inputs(&s, cotangents_of(self, call, t)) + j * s.ld;
        if (t == 0 || g->bare) {
            add_row(left, -1, handed, s.ld);
            continue;
        }
        const conditioned_shard before = step(self, call, t - 1, room);
        tau->ops->pull_inverse(tau->options, room->b,
                               conditioned_params(&before, cotangents_of(self, call, t - 1), g, j),
                               handed, room->zeros, result_of(self, call, t - 1, room) + j * s.ld,
                               conditioned_params(&before, before.values, g, j), s.ld);
        add_row(left, -1, room->b, s.ld);
    }
}

/* The last step hands `left` to z_j: dy/dz = 1 / tau', so y_j is owed g = left tau' + dl/dx, which is
 * tau's own backward; its parameters get minus what tau's do. */
static void score_last(const unrolled *self, real *score_y, const real *left, const scratch *room,
                       const conditioned_group *g, size_t j, const layer_call *call)
{
    const size_t t = self->iterations - 1;
    const conditioned_shard s = step(self, call, t, room);
    const conditioned_tau *tau = conditioned_tau_of(&self->maps, j);
    real *dh = conditioned_params(&s, cotangents_of(self, call, t), g, j);
    tau->ops->backward(tau->options, score_y, dh, left, room->ones, kept(self, call) + j * s.ld,
                       conditioned_params(&s, s.values, g, j), s.ld);
    for (size_t k = 0; k < tau->outputs * s.ld; k++)
        dh[k] = -dh[k];
}

static void unrolled_score(const flow_layer *layer, real *score_y, const real *score_x,
                           const real *x, const layer_call *call)
{
    const unrolled *self = down(layer);
    const scratch room = scratch_of(self, call);
    const size_t ld = call->ld;
    for (size_t c = self->maps.net->shape.groups; c > 0; c--) {
        const conditioned_group *g = &self->maps.groups[c - 1];
        for (size_t t = 0; t < self->iterations; t++) {
            const conditioned_shard s = step(self, call, t, &room);
            s.net->ops->pull(s.net, cotangents_of(self, call, t), s.theta, s.values, s.slopes, c,
                             ld);
            conditioned_pull(&s, cotangents_of(self, call, t), g);
        }
        for (size_t j = g->end; j-- > g->first;) {
            real *left = g->bare ? score_y + j * ld : room.a;
            memcpy(left, score_x + j * ld, ld * sizeof *left);
            score_before_last(self, left, &room, g, j, call);
            if (!g->bare)
                score_last(self, score_y + j * ld, left, &room, g, j, call);
        }
    }
    (void)x;
}

/* ---- parameters by name: the conditioner's, of one step after the other */

static size_t unrolled_n_tensors(const flow_layer *layer)
{
    const conditioner *net = down(layer)->maps.net;
    return copies(down(layer)) * net->ops->n_tensors(net);
}

/* The step that owns tensor *index; *index becomes the number within it. */
static size_t owner(const flow_layer *layer, size_t *index)
{
    const conditioner *net = down(layer)->maps.net;
    size_t count = net->ops->n_tensors(net), t = *index / count;
    *index %= count;
    return t;
}

static void unrolled_tensor(const flow_layer *layer, flow_tensor_info *info, size_t index)
{
    const unrolled *self = down(layer);
    const conditioner *net = self->maps.net;
    size_t t = owner(layer, &index);
    flow_tensor_info inner;
    net->ops->tensor(net, &inner, index);
    *info = inner;
    if (self->tied)
        snprintf(info->name, sizeof info->name, "conditioner.%.64s", inner.name);
    else
        snprintf(info->name, sizeof info->name, "step.%zu.conditioner.%.50s", t + 1, inner.name);
}

static void unrolled_tensor_get(const flow_layer *layer, double *values, const real *theta,
                                size_t index)
{
    const conditioner *net = down(layer)->maps.net;
    size_t t = owner(layer, &index);
    net->ops->tensor_get(net, values, theta + t * net->n_params, index);
}

static void unrolled_tensor_set(const flow_layer *layer, real *theta, const double *values,
                                size_t index)
{
    const conditioner *net = down(layer)->maps.net;
    size_t t = owner(layer, &index);
    net->ops->tensor_set(net, theta + t * net->n_params, values, index);
}

static void unrolled_tensor_live(const flow_layer *layer, unsigned char *live, size_t index,
                                 size_t row)
{
    const conditioner *net = down(layer)->maps.net;
    owner(layer, &index);
    net->ops->tensor_live(net, live, index, row);
}

/* ---- its kind */

static const flow_key unrolled_keys[] = {
    CONDITIONED_KEYS,
    {FLOW_KEY(unrolled_options, iterations), .type = FLOW_KEY_WHOLE, .min = 1,
     .max = FLOW_MAX_ITERATIONS, .def = "2", .unit = "steps",
     .doc = "Steps of the iteration, each a parallel pass of a network."},
    {FLOW_KEY(unrolled_options, tied), .type = FLOW_KEY_BOOL, .def = "false",
     .doc = "Whether all steps have one network in common, or each its own."},
    {.name = NULL}};

const flow_layer_ops layer_unrolled = {
    .kind = {.name = "unrolled",
             .doc = "the inverse of an autoregressive layer by a few parallel steps, exactly "
                    "normalised for any number of them",
             .keys = unrolled_keys,
             .size = sizeof(unrolled_options),
             .circle = conditioned_circle},
    .single = 1,
    .create = unrolled_create,
    .free = unrolled_free,
    .describe = unrolled_describe,
    .circles = conditioned_circles,
    .unroll_params = unrolled_unroll_params,
    .init = unrolled_init,
    .round = unrolled_round,
    .cache_len = unrolled_cache_len,
    .work_len = unrolled_work_len,
    .forward = unrolled_forward,
    .inverse = unrolled_inverse,
    .backward = unrolled_backward,
    .score = unrolled_score,
    .n_tensors = unrolled_n_tensors,
    .tensor = unrolled_tensor,
    .tensor_get = unrolled_tensor_get,
    .tensor_set = unrolled_tensor_set,
    .tensor_live = unrolled_tensor_live,
};
