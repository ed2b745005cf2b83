#include "flow/layer/conditioned.h"
#include "flow/circles.h"
#include "flow/layer/vmath.h"

#include <stdlib.h>
#include <string.h>

#define layer_unrolled FLOW_NAME(layer_unrolled)
extern const flow_layer_ops layer_unrolled;

enum { FREE, IDENTITY };

const flow_word conditioned_firsts[] = {
    {"free", FREE, "transformed like the others, by numbers that see the context only"},
    {"identity", IDENTITY, "left as it is"},
    {NULL, 0, NULL}};

/* ---- making one */

static int take_transformer(conditioned_tau *tau, const json_t *object, flow_err *err)
{
    const flow_kind *kind = flow_kind_of(&flow_transformers, object, err);
    tau->options = kind ? flow_kind_read(kind, object, err) : NULL;
    if (!tau->options)
        return FLOW_ECONFIG;
    tau->ops = transformer_find(kind->name);
    tau->outputs = tau->ops->n_params(tau->options);
    return 0;
}

/* The first circular one, with its defaults: a new reference. */
static json_t *describe_circular(flow_err *err)
{
    const transformer *const *kind = transformer_kinds;
    while (!(*kind)->circular)
        kind++;
    json_t *name = json_string((*kind)->kind.name);
    json_t *out = name ? flow_kind_complete(&flow_transformers, name, err) : NULL;
    json_decref(name);
    return out;
}

static int take_circular(conditioned_tau *tau, const json_t *object, flow_err *err)
{
    json_t *made = object ? NULL : describe_circular(err);
    int code = object || made ? take_transformer(tau, made ? made : object, err) : FLOW_ENOMEM;
    json_decref(made);
    return code;
}

static int check_transformers(const conditioned *self, flow_err *err)
{
    if (self->circle.ops && !self->circle.ops->circular)
        return flow_fail(err, FLOW_ECONFIG, "circular: %s is no map of the circle",
                         self->circle.ops->kind.name);
    if (self->line.ops->circular)
        return flow_fail(err, FLOW_ECONFIG,
                         "transformer: %s is a map of the circle; it is for circular",
                         self->line.ops->kind.name);
    return 0;
}

/* Where each dimension's inputs and outputs begin, some of them being on circles. */
static void count_before(conditioned *self, conditioner_shape *shape)
{
    size_t *inputs = self->before, *outputs = inputs + shape->dim + 1;
    for (size_t i = 0; i < shape->dim; i++) {
        inputs[i + 1] = inputs[i] + (self->on_circle[i] ? 2 : 1);
        outputs[i + 1] = outputs[i] + conditioned_tau_of(self, i)->outputs;
    }
    shape->inputs_before = inputs;
    shape->outputs_before = outputs;
}

/* An empty list is none. */
static int take_circles(conditioned *self, const conditioned_options *options,
                        conditioner_shape *shape, flow_err *err)
{
    size_t n = json_array_size(options->circles);
    if (n == 0)
        return options->circular ? flow_fail(err, FLOW_ECONFIG,
                                             "circular is for circles, of which there are none")
                                 : 0;
    self->on_circle = calloc(shape->dim, 1);
    self->before = calloc(2 * (shape->dim + 1), sizeof *self->before);
    if (!self->on_circle || !self->before)
        return flow_fail(err, FLOW_ENOMEM, "out of memory for %zu circles", n);
    for (size_t k = 0; k < n; k++) {
        size_t i = (size_t)json_integer_value(json_array_get(options->circles, k));
        if (i >= shape->dim || self->on_circle[i])
            return flow_fail(err, FLOW_ECONFIG, "circles wants numbers below %zu, each once",
                             shape->dim);
        self->on_circle[i] = 1;
    }
    return take_circular(&self->circle, options->circular, err);
}

/* What the outputs are for. */
static int take_transformers(conditioned *self, const conditioned_options *options,
                             conditioner_shape *shape, flow_err *err)
{
    int code = take_transformer(&self->line, options->transformer, err);
    if (!code)
        code = take_circles(self, options, shape, err);
    if (!code)
        code = check_transformers(self, err);
    if (code)
        return code;
    shape->outputs = self->line.outputs;
    if (self->on_circle)
        count_before(self, shape);
    self->most_outputs =
        self->line.outputs > self->circle.outputs ? self->line.outputs : self->circle.outputs;
    return 0;
}

static int take_conditioner(conditioned *self, const json_t *object, const conditioner_shape *shape,
                            flow_err *err)
{
    const flow_kind *kind = flow_kind_of(&flow_conditioners, object, err);
    self->net_options = kind ? flow_kind_read(kind, object, err) : NULL;
    if (!self->net_options)
        return FLOW_ECONFIG;
    self->net = conditioner_find(kind->name)->create(self->net_options, shape, err);
    return self->net ? 0 : FLOW_ENOMEM;
}

/* All but the outputs. */
static int read_shape(conditioner_shape *shape, const conditioned_options *options,
                      const char *kind, const layer_scope *scope, flow_err *err)
{
    *shape = (conditioner_shape){.dim = scope->dim,
                                 .context = scope->context,
                                 .groups = options->groups ? options->groups : scope->dim,
                                 .bare_first = options->first == IDENTITY,
                                 .low = scope->low};
    if (shape->groups > scope->dim)
        return flow_fail(err, FLOW_ECONFIG, "%s: %zu groups of %zu coordinates", kind,
                         shape->groups, scope->dim);
    if (shape->bare_first && shape->groups == 1)
        return flow_fail(err, FLOW_ECONFIG, "%s: first identity leaves nothing of a single group",
                         kind);
    return 0;
}

/* Groups c .. d - 1 together. */
static conditioned_group groups_of(const conditioner *net, size_t c, size_t d)
{
    return (conditioned_group){.first = conditioner_group(&net->shape, c),
                               .end = conditioner_group(&net->shape, d),
                               .row = net->output_row + conditioner_outputs_before(&net->shape, c),
                               .bare = net->shape.bare_first && c == 1};
}

static int list_groups(conditioned *self, flow_err *err)
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
    self->whole = (conditioned_group){.end = net->shape.dim};
    return 0;
}

int conditioned_open(conditioned *self, const conditioned_options *options, const char *kind,
                     const layer_scope *scope, flow_err *err)
{
    conditioner_shape shape;
    *self = (conditioned){.options = {.first = options->first}};
    int code = read_shape(&shape, options, kind, scope, err);
    self->options.groups = shape.groups;
    if (!code)
        code = take_transformers(self, options, &shape, err);
    if (!code)
        code = take_conditioner(self, options->conditioner, &shape, err);
    return code ? code : list_groups(self, err);
}

void conditioned_close(conditioned *self)
{
    if (self->net)
        self->net->ops->free(self->net);
    free(self->line.options);
    free(self->circle.options);
    free(self->net_options);
    free(self->on_circle);
    free(self->before);
    free(self->groups);
}

/* Non-zero: no memory. */
static int describe_circles(const conditioned *self, json_t *description)
{
    json_t *list = flow_circles_list(self->on_circle, self->net->shape.dim, 1);
    return json_object_set_new(description, "circles", list) ||
           json_object_set_new(description, "circular",
                               flow_kind_write(&self->circle.ops->kind, self->circle.options));
}

json_t *conditioned_describe(const conditioned *self, json_t *description)
{
    if (description &&
        json_object_set_new(description, "transformer",
                            flow_kind_write(&self->line.ops->kind, self->line.options)) == 0 &&
        json_object_set_new(description, "conditioner",
                            flow_kind_write(&self->net->ops->kind, self->net_options)) == 0 &&
        (!self->on_circle || describe_circles(self, description) == 0))
        return description;
    json_decref(description);
    return NULL;
}

int conditioned_circles(const flow_layer *layer, unsigned char *circle, int back, flow_err *err)
{
    const conditioned *self = &((const conditioned_layer *)layer)->maps;
    (void)back;
    for (size_t i = 0; i < self->net->shape.dim; i++)
        if (circle[i] != (self->on_circle && self->on_circle[i]))
            return flow_fail(err, FLOW_ECONFIG,
                             circle[i] ? "coordinate %zu is on a circle and not among its circles"
                                       : "coordinate %zu is on a line and among its circles",
                             i);
    return 0;
}

/* What both transformers have, the lines' say. Non-zero: no memory. */
static int share_numbers(json_t *circular, const json_t *line)
{
    json_t *common = flow_circles_copy(line);
    int failed =
        !common || json_object_del(common, "kind") || json_object_update_existing(circular, common);
    json_decref(common);
    return failed;
}

int conditioned_circle(json_t *object, unsigned char *circle, size_t dim, int back, flow_err *err)
{
    (void)back;
    if (!memchr(circle, 1, dim))
        return 0;
    json_t *tau = describe_circular(err);
    if (tau && !share_numbers(tau, json_object_get(object, "transformer")) &&
        !json_object_set(object, "circular", tau) &&
        !json_object_set_new(object, "circles", flow_circles_list(circle, dim, 1))) {
        json_decref(tau);
        return 0;
    }
    json_decref(tau);
    return flow_fail(err, FLOW_ENOMEM, "out of memory for the description of a layer");
}

/* ---- the other way round */

/* The description of the conditioner with `width` of its hidden units: a new reference; NULL: no memory. */
static json_t *describe_narrow(const conditioned *self, double width)
{
    const conditioner_ops *net = self->net->ops;
    void *options = malloc(net->kind.size);
    if (!options)
        return NULL;
    memcpy(options, self->net_options, net->kind.size);
    if (width < 1)
        net->narrow(options, width);
    json_t *out = flow_kind_write(&net->kind, options);
    free(options);
    return out;
}

json_t *conditioned_unroll(const flow_layer *layer, const flow_unrolling *how, flow_err *err)
{
    const conditioned *maps = &((const conditioned_layer *)layer)->maps;
    if (how->width < 1 && !maps->net->ops->narrow) {
        flow_fail(err, FLOW_ECONFIG, "%s cannot be made narrower", maps->net->ops->kind.name);
        return NULL;
    }
    json_t *out = layer->ops->describe(layer);
    if (out && json_object_set_new(out, "kind", json_string(layer_unrolled.kind.name)) == 0 &&
        json_object_set_new(out, "iterations", json_integer((json_int_t)how->iterations)) == 0 &&
        json_object_set_new(out, "tied", json_boolean(how->tied)) == 0 &&
        json_object_set_new(out, "conditioner", describe_narrow(maps, how->width)) == 0)
        return out;
    json_decref(out);
    flow_fail(err, FLOW_ENOMEM, "out of memory for the description of a layer");
    return NULL;
}

void conditioned_init(const conditioned *self, real *theta, size_t copies, layer_draws *draws)
{
    for (size_t t = 0; t < copies; t++)
        self->net->ops->init(self->net, theta + t * self->net->n_params, &draws->rng);
}

int conditioned_take(const conditioned *self, real *theta, size_t copies, const conditioned *wide,
                     const real *from_theta, flow_err *err)
{
    const conditioner *net = self->net;
    int code = 0;
    for (size_t t = 0; !code && t < copies; t++, theta += net->n_params)
        if (net->ops->narrow_params)
            code = net->ops->narrow_params(net, theta, wide->net, from_theta, err);
        else
            memcpy(theta, from_theta, net->n_params * sizeof *theta);
    return code;
}

size_t conditioned_networks(const conditioned *self)
{
    return self->net->ops->round ? 1 : 0;
}

void conditioned_round(const conditioned *self, real *theta, size_t copies, size_t n)
{
    for (size_t t = 0; self->net->ops->round && t < copies; t++)
        self->net->ops->round(self->net, theta + t * self->net->n_params, n);
}

/* ---- a shard */

void conditioned_set_context(const conditioned_shard *s, const real *context)
{
    memcpy(s->values, context, s->net->shape.context * s->ld * sizeof *context);
}

void conditioned_copy(const conditioned_shard *s, real *to, const real *from,
                      const conditioned_group *g)
{
    memcpy(to + g->first * s->ld, from + g->first * s->ld,
           (g->end - g->first) * s->ld * sizeof *to);
}

#ifdef __clang__ /* which makes no clones for arguments that are constant */
#define ONE_PIECE __attribute__((noinline))
#else
#define ONE_PIECE __attribute__((noinline, noclone))
#endif

/* cosine, sine (FLOW_PAD each) of x. One piece of code without cases, so that one row and many have the same
 * bits. */
ONE_PIECE static void cosine_and_sine(real *restrict cosine, real *restrict sine,
                                      const real *restrict x)
{
    for (size_t j = 0; j < FLOW_PAD; j++) {
        real turned, at = vm_turn(x[j], &turned);
        cosine[j] = vm_cos(at);
        sine[j] = vm_sin(at);
    }
}

/* to (2, ld) */
static void show_circle(real *to, const real *x, size_t ld)
{
    real wide[3][FLOW_PAD] = {{0}};
    if (ld > 1) {
        for (size_t j = 0; j < ld; j += FLOW_PAD)
            cosine_and_sine(to + j, to + ld + j, x + j);
        return;
    }
    wide[0][0] = *x;
    cosine_and_sine(wide[1], wide[2], wide[0]);
    to[0] = wide[1][0];
    to[1] = wide[2][0];
}

/* Where the conditioner sees dimension i. */
static real *seen(const conditioned_shard *s, real *values, size_t i)
{
    const conditioner_shape *shape = &s->net->shape;
    return values + (shape->context + conditioner_inputs_before(shape, i)) * s->ld;
}

void conditioned_show(const conditioned_shard *s, const conditioned_group *g)
{
    const real *x = conditioned_inputs(s, s->values);
    for (size_t i = g->first; s->self->on_circle && i < g->end; i++) {
        if (s->self->on_circle[i])
            show_circle(seen(s, s->values, i), x + i * s->ld, s->ld);
        else
            memcpy(seen(s, s->values, i), x + i * s->ld, s->ld * sizeof *x);
    }
}

/* dx = cos x dsin - sin x dcos */
static void pull_circle(real *dx, const real *from, const real *at, size_t ld)
{
    for (size_t j = 0; j < ld; j++)
        dx[j] = at[j] * from[ld + j] - at[ld + j] * from[j];
}

void conditioned_pull(const conditioned_shard *s, real *cotangents, const conditioned_group *g)
{
    real *dx = conditioned_inputs(s, cotangents);
    for (size_t i = g->first; s->self->on_circle && i < g->end; i++) {
        const real *from = seen(s, cotangents, i);
        if (s->self->on_circle[i])
            pull_circle(dx + i * s->ld, from, seen(s, s->values, i), s->ld);
        else
            memcpy(dx + i * s->ld, from, s->ld * sizeof *dx);
    }
}

/* Whole vectors through the transformer; h (outputs, ld). */
static void transform(const conditioned_tau *tau, conditioned_way way, real *to, double *logdet,
                      const real *from, real *h, size_t ld)
{
    if (tau->ops->prepare)
        tau->ops->prepare(tau->options, h, ld);
    if (way == CONDITIONED_FORWARD)
        tau->ops->forward(tau->options, to, logdet, from, h, ld);
    else
        tau->ops->inverse(tau->options, to, logdet, from, h, ld);
}

/* A single row, in the first column of such vectors. */
static void transform_single(const conditioned_tau *tau, conditioned_way way, real *to,
                             double *logdet, const real *from, const real *h, real *wide)
{
    real *x = wide + tau->outputs * FLOW_PAD, *y = x + FLOW_PAD;
    double sum[FLOW_PAD] = {0};
    memset(wide, 0, (tau->outputs + 2) * FLOW_PAD * sizeof *wide);
    for (size_t k = 0; k < tau->outputs; k++)
        wide[k * FLOW_PAD] = h[k];
    *x = *from;
    transform(tau, way, y, sum, x, wide, FLOW_PAD);
    *to = *y;
    *logdet += *sum;
}

void conditioned_transform(const conditioned_shard *s, conditioned_way way, real *to,
                           double *logdet, const real *from, const conditioned_group *g)
{
    if (g->bare) {
        conditioned_copy(s, to, from, g);
        return;
    }
    for (size_t i = g->first; i < g->end; i++) {
        const conditioned_tau *tau = conditioned_tau_of(s->self, i);
        real *h = conditioned_params(s, s->values, g, i);
        if (s->ld > 1)
            transform(tau, way, to + i * s->ld, logdet, from + i * s->ld, h, s->ld);
        else
            transform_single(tau, way, to + i, logdet, from + i, h, s->wide);
    }
}
