/* flow/layer/autoregressive.c -- y_i = tau(x_i; h_i(x of earlier groups, context)), the dimensions in
 * groups 1 .. G (conditioner.h). With G = D it is the layer of MAF (Papamakarios 2017) and of IAF
 * (Kingma 2016), which are its two directions; with G = 2 a coupling (NICE, Dinh 2014; RealNVP, Dinh
 * 2017); with G = 1 an element-wise map.
 *
 *   forward   one pass of the conditioner, then tau on every dimension
 *   inverse   group by group; step c finishes the outputs of group c, inverts tau there, and computes
 *             the hidden units of degree c: every weight is used once (mathematics 2)
 *   score     g_j = (a_j - dl_j/dx_j - c_j) / tau'_j for the groups G .. 1, where c_j, what the
 *             parameters of later groups hand back to x_j, is known by then (mathematics 4)
 *
 * Group 1 sees the context only. It has a tau of its own that is learned (first: free), or is left as
 * it is (first: identity), as NICE and RealNVP do. */
#include "flow/layer/conditioner.h"
#include "flow/layer/layer.h"
#include "flow/layer/transformer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define layer_autoregressive FLOW_NAME(layer_autoregressive)
extern const flow_layer_ops layer_autoregressive;

typedef enum first_group { FREE, IDENTITY } first_group;

typedef struct autoregressive_options {
    const json_t *transformer, *conditioner;
    size_t groups; /* 0: D */
    int first;     /* a first_group */
} autoregressive_options;

/* Dimensions first .. end - 1 and where their parameters begin in the conditioner's values, or the
 * cotangents of these. Bare: they have none, and stay as they are. */
typedef struct group {
    size_t first, end, row;
    int bare;
} group;

typedef struct autoregressive {
    flow_layer base;
    autoregressive_options options; /* without the objects */
    const transformer *tau;
    conditioner *net;
    void *tau_options, *net_options;
    size_t outputs;  /* parameters of tau */
    group *groups;   /* (G) */
    group bare, all; /* the dimensions without parameters, and the others, whatever their group */
} autoregressive;

static const autoregressive *down(const flow_layer *layer)
{
    return (const autoregressive *)layer;
}

/* ---- making one */

static int take_transformer(autoregressive *self, const json_t *object, flow_err *err)
{
    const flow_kind *kind = flow_kind_of(&flow_transformers, object, err);
    self->tau_options = kind ? flow_kind_read(kind, object, err) : NULL;
    if (!self->tau_options)
        return FLOW_ECONFIG;
    self->tau = transformer_find(kind->name);
    self->outputs = self->tau->n_params(self->tau_options);
    return 0;
}

static int take_conditioner(autoregressive *self, const json_t *object,
                            const conditioner_shape *shape, flow_err *err)
{
    const flow_kind *kind = flow_kind_of(&flow_conditioners, object, err);
    self->net_options = kind ? flow_kind_read(kind, object, err) : NULL;
    if (!self->net_options)
        return FLOW_ECONFIG;
    self->net = conditioner_find(kind->name)->create(self->net_options, shape, err);
    return self->net ? 0 : FLOW_ENOMEM;
}

/* All but the outputs. */
static int read_shape(conditioner_shape *shape, const autoregressive_options *options,
                      const layer_scope *scope, flow_err *err)
{
    *shape = (conditioner_shape){.dim = scope->dim,
                                 .context = scope->context,
                                 .groups = options->groups ? options->groups : scope->dim,
                                 .bare_first = options->first == IDENTITY};
    if (shape->groups > scope->dim)
        return flow_fail(err, FLOW_ECONFIG, "autoregressive: %zu groups of %zu coordinates",
                         shape->groups, scope->dim);
    if (shape->bare_first && shape->groups == 1)
        return flow_fail(err, FLOW_ECONFIG,
                         "autoregressive: first identity leaves nothing of a single group");
    return 0;
}

/* Groups c .. d - 1 together. */
static group groups_of(const conditioner *net, size_t c, size_t d)
{
    return (group){.first = conditioner_group(&net->shape, c),
                   .end = conditioner_group(&net->shape, d),
                   .row = net->output_row + conditioner_outputs_before(&net->shape, c),
                   .bare = net->shape.bare_first && c == 1};
}

static int list_groups(autoregressive *self, flow_err *err)
{
    const conditioner *net = self->net;
    size_t n = net->shape.groups, first = net->shape.bare_first ? 2 : 1;
    self->groups = calloc(n, sizeof *self->groups);
    if (!self->groups)
        return flow_fail(err, FLOW_ENOMEM, "out of memory for %zu groups", n);
    for (size_t c = 1; c <= n; c++)
        self->groups[c - 1] = groups_of(net, c, c + 1);
    self->bare = groups_of(net, 1, first);
    self->all = groups_of(net, first, n + 1);
    return 0;
}

static int take_parts(autoregressive *self, const autoregressive_options *options,
                      const layer_scope *scope, flow_err *err)
{
    conditioner_shape shape;
    int code = read_shape(&shape, options, scope, err);
    if (!code)
        code = take_transformer(self, options->transformer, err);
    shape.outputs = self->outputs;
    if (!code)
        code = take_conditioner(self, options->conditioner, &shape, err);
    return code ? code : list_groups(self, err);
}

static void autoregressive_free(flow_layer *layer)
{
    autoregressive *self = (autoregressive *)layer;
    if (!self)
        return;
    if (self->net)
        self->net->ops->free(self->net);
    free(self->tau_options);
    free(self->net_options);
    free(self->groups);
    free(self);
}

static flow_layer *autoregressive_create(const json_t *description, const layer_scope *scope,
                                         flow_err *err)
{
    autoregressive_options *options = flow_kind_read(&layer_autoregressive.kind, description, err);
    autoregressive *self = options ? calloc(1, sizeof *self) : NULL;
    if (options && !self)
        flow_fail(err, FLOW_ENOMEM, "out of memory for an autoregressive layer");
    if (self && take_parts(self, options, scope, err)) {
        autoregressive_free(&self->base);
        self = NULL;
    }
    if (self) {
        self->options = *options;
        self->options.transformer = self->options.conditioner = NULL;
        self->options.groups = self->net->shape.groups;
        self->base = (flow_layer){.ops = &layer_autoregressive,
                                  .dim = scope->dim,
                                  .context = scope->context,
                                  .n_params = self->net->n_params,
                                  .n_live = self->net->n_live,
                                  .in_series = self->net->shape.groups};
    }
    free(options);
    return self ? &self->base : NULL;
}

static json_t *autoregressive_describe(const flow_layer *layer)
{
    const autoregressive *self = down(layer);
    json_t *out = flow_kind_write(&layer_autoregressive.kind, &self->options);
    if (out &&
        json_object_set_new(out, "transformer",
                            flow_kind_write(&self->tau->kind, self->tau_options)) == 0 &&
        json_object_set_new(out, "conditioner",
                            flow_kind_write(&self->net->ops->kind, self->net_options)) == 0)
        return out;
    json_decref(out);
    return NULL;
}

static void autoregressive_init(const flow_layer *layer, real *theta, layer_draws *draws)
{
    const conditioner *net = down(layer)->net;
    net->ops->init(net, theta, &draws->rng);
}

/* ---- memory: cache = values | slopes; work = values or cotangents | scratch */

static size_t autoregressive_cache_len(const flow_layer *layer, size_t ld)
{
    return (down(layer)->net->value_rows + down(layer)->net->slope_rows) * ld;
}

static size_t autoregressive_work_len(const flow_layer *layer, size_t ld)
{
    return (down(layer)->net->value_rows + flow_pad(down(layer)->outputs)) * ld;
}

/* What the ops have to do with one another. */
typedef struct shard {
    const autoregressive *self;
    const conditioner *net;
    const real *theta;
    real *values; /* in the cache, or in work if there is none */
    real *slopes; /* NULL without a cache */
    real *inputs; /* of the values */
    size_t ld;
} shard;

static real *input_rows(const conditioner *net, real *values, size_t ld)
{
    return values + net->shape.context * ld;
}

static shard shard_of(const flow_layer *layer, const layer_call *call)
{
    const autoregressive *self = down(layer);
    shard s = {.self = self, .net = self->net, .theta = call->theta, .ld = call->ld};
    s.values = call->cache ? call->cache : call->work;
    s.slopes = call->cache ? call->cache + self->net->value_rows * call->ld : NULL;
    s.inputs = input_rows(self->net, s.values, call->ld);
    return s;
}

static void set_context(const shard *s, const real *context)
{
    memcpy(s->values, context, s->net->shape.context * s->ld * sizeof *context);
}

/* ---- the map */

/* The parameters of dimension i among the values. */
static real *params_of(const shard *s, real *values, const group *g, size_t i)
{
    return values + (g->row + (i - g->first) * s->self->outputs) * s->ld;
}

static void copy_group(const shard *s, real *to, const real *from, const group *g)
{
    memcpy(to + g->first * s->ld, from + g->first * s->ld,
           (g->end - g->first) * s->ld * sizeof *to);
}

typedef void element_wise(const void *options, real *to, double *logdet, const real *from,
                          const real *h, size_t ld);

/* Whole vectors through the transformer; h (outputs, ld) is fresh from the conditioner. */
static void transform(const autoregressive *self, element_wise *f, real *to, double *logdet,
                      const real *from, real *h, size_t ld)
{
    if (self->tau->prepare)
        self->tau->prepare(self->tau_options, h, ld);
    f(self->tau_options, to, logdet, from, h, ld);
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

/* In a shard or alone; alone, `work` has room beside the values, which are a FLOW_PAD'th of what it
 * was made for. */
static void transform_group(const shard *s, element_wise *f, real *to, double *logdet,
                            const real *from, const group *g)
{
    if (g->bare) {
        copy_group(s, to, from, g);
        return;
    }
    for (size_t i = g->first; i < g->end; i++) {
        real *h = params_of(s, s->values, g, i);
        if (s->ld > 1)
            transform(s->self, f, to + i * s->ld, logdet, from + i * s->ld, h, s->ld);
        else
            transform_single(s->self, f, to + i, logdet, from + i, h,
                             s->values + s->net->value_rows);
    }
}

static void autoregressive_forward(const flow_layer *layer, real *y, double *logdet, const real *x,
                                   const layer_call *call)
{
    const shard s = shard_of(layer, call);
    set_context(&s, call->context);
    memcpy(s.inputs, x, layer->dim * s.ld * sizeof *x);
    s.net->ops->forward(s.net, s.values, s.slopes, s.theta, s.ld);
    copy_group(&s, y, x, &s.self->bare);
    transform_group(&s, s.self->tau->forward, y, logdet, x, &s.self->all);
}

static void autoregressive_inverse(const flow_layer *layer, real *x, double *logdet, const real *y,
                                   const layer_call *call)
{
    const shard s = shard_of(layer, call);
    const conditioner_ops *net = s.net->ops;
    set_context(&s, call->context);
    net->hidden_of(s.net, s.values, s.slopes, s.theta, 0, s.ld);
    for (size_t c = 1; c <= s.net->shape.groups; c++) {
        net->outputs_of(s.net, s.values, s.theta, c, s.ld);
        transform_group(&s, s.self->tau->inverse, s.inputs, logdet, y, &s.self->groups[c - 1]);
        net->hidden_of(s.net, s.values, s.slopes, s.theta, c, s.ld);
    }
    memcpy(x, s.inputs, layer->dim * s.ld * sizeof *x);
}

static void autoregressive_backward(const flow_layer *layer, real *dx, real *dtheta, int add,
                                    const real *dy, const real *dlogdet, const real *x,
                                    const layer_call *call)
{
    const shard s = shard_of(layer, call);
    real *cotangents = call->work;
    const group *g = &s.self->all;
    copy_group(&s, dx, dy, &s.self->bare);
    for (size_t i = g->first, at = i * s.ld; i < g->end; i++, at += s.ld)
        s.self->tau->backward(s.self->tau_options, dx + at, params_of(&s, cotangents, g, i),
                              dy + at, dlogdet, x + at, params_of(&s, s.values, g, i), s.ld);
    s.net->ops->backward(s.net, cotangents, dtheta, add, s.theta, s.values, s.slopes, s.ld);
    const real *through = input_rows(s.net, cotangents, s.ld);
    for (size_t k = 0; k < layer->dim * s.ld; k++)
        dx[k] += through[k];
}

/* Dimension j, whose input was handed c_j. `a`: scratch (ld). */
static void score_dimension(const shard *s, real *score_y, real *cotangents, const real *score_x,
                            const real *x, const group *g, size_t j, real *a)
{
    size_t ld = s->ld, at = j * ld;
    const real *handed = input_rows(s->net, cotangents, ld) + at;
    real *left = g->bare ? score_y + at : a;
    for (size_t r = 0; r < ld; r++)
        left[r] = score_x[at + r] - handed[r];
    if (!g->bare)
        s->self->tau->score(s->self->tau_options, score_y + at, params_of(s, cotangents, g, j), a,
                            x + at, params_of(s, s->values, g, j), ld);
}

static void autoregressive_score(const flow_layer *layer, real *score_y, const real *score_x,
                                 const real *x, const layer_call *call)
{
    const shard s = shard_of(layer, call);
    real *cotangents = call->work, *a = cotangents + s.net->value_rows * s.ld;
    for (size_t c = s.net->shape.groups; c > 0; c--) {
        const group *g = &s.self->groups[c - 1];
        s.net->ops->pull(s.net, cotangents, s.theta, s.values, s.slopes, c, s.ld);
        for (size_t j = g->end; j-- > g->first;)
            score_dimension(&s, score_y, cotangents, score_x, x, g, j, a);
    }
    (void)layer;
}

/* ---- parameters by name: the conditioner's */

static size_t autoregressive_n_tensors(const flow_layer *layer)
{
    return down(layer)->net->ops->n_tensors(down(layer)->net);
}

static void autoregressive_tensor(const flow_layer *layer, flow_tensor_info *info, size_t index)
{
    flow_tensor_info inner;
    down(layer)->net->ops->tensor(down(layer)->net, &inner, index);
    *info = inner;
    snprintf(info->name, sizeof info->name, "conditioner.%.64s", inner.name);
}

static void autoregressive_tensor_get(const flow_layer *layer, double *values, const real *theta,
                                      size_t index)
{
    down(layer)->net->ops->tensor_get(down(layer)->net, values, theta, index);
}

static void autoregressive_tensor_set(const flow_layer *layer, real *theta, const double *values,
                                      size_t index)
{
    down(layer)->net->ops->tensor_set(down(layer)->net, theta, values, index);
}

static void autoregressive_tensor_live(const flow_layer *layer, unsigned char *live, size_t index,
                                       size_t row)
{
    down(layer)->net->ops->tensor_live(down(layer)->net, live, index, row);
}

static const flow_word first_groups[] = {
    {"free", FREE, "transformed like the others, by numbers that see the context only"},
    {"identity", IDENTITY, "left as it is"},
    {NULL, 0, NULL}};

static const flow_key autoregressive_keys[] = {
    {FLOW_KEY(autoregressive_options, transformer), .type = FLOW_KEY_KIND,
     .kinds = &flow_transformers, .def = "spline",
     .doc = "What a layer does to each coordinate with the numbers its conditioner gives."},
    {FLOW_KEY(autoregressive_options, conditioner), .type = FLOW_KEY_KIND,
     .kinds = &flow_conditioners, .def = "mlp",
     .doc = "The network that gives each coordinate's numbers from the coordinates before it."},
    {FLOW_KEY(autoregressive_options, groups), .type = FLOW_KEY_WHOLE, .flags = FLOW_KEY_AUTO,
     .min = 1, .max = FLOW_MAX_DIM, .def = "auto",
     .doc = "Neighbouring coordinates in so many groups, each transformed by numbers that see the "
            "groups before it. 2 is a coupling layer, 1 an element-wise one; auto: each coordinate "
            "is a group of its own."},
    {FLOW_KEY(autoregressive_options, first), .type = FLOW_KEY_WORD, .words = first_groups,
     .def = "free", .doc = "What happens to the first group."},
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
