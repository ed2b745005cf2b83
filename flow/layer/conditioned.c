#include "flow/layer/conditioned.h"

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

static int take_transformer(conditioned *self, const json_t *object, flow_err *err)
{
    const flow_kind *kind = flow_kind_of(&flow_transformers, object, err);
    self->tau_options = kind ? flow_kind_read(kind, object, err) : NULL;
    if (!self->tau_options)
        return FLOW_ECONFIG;
    self->tau = transformer_find(kind->name);
    self->outputs = self->tau->n_params(self->tau_options);
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
                                 .bare_first = options->first == IDENTITY};
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
        code = take_transformer(self, options->transformer, err);
    shape.outputs = self->outputs;
    if (!code)
        code = take_conditioner(self, options->conditioner, &shape, err);
    return code ? code : list_groups(self, err);
}

void conditioned_close(conditioned *self)
{
    if (self->net)
        self->net->ops->free(self->net);
    free(self->tau_options);
    free(self->net_options);
    free(self->groups);
}

json_t *conditioned_describe(const conditioned *self, json_t *description)
{
    if (description &&
        json_object_set_new(description, "transformer",
                            flow_kind_write(&self->tau->kind, self->tau_options)) == 0 &&
        json_object_set_new(description, "conditioner",
                            flow_kind_write(&self->net->ops->kind, self->net_options)) == 0)
        return description;
    json_decref(description);
    return NULL;
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

/* Whole vectors through the transformer; h (outputs, ld). */
static void transform(const conditioned *self, conditioned_map *f, real *to, double *logdet,
                      const real *from, real *h, size_t ld)
{
    if (self->tau->prepare)
        self->tau->prepare(self->tau_options, h, ld);
    f(self->tau_options, to, logdet, from, h, ld);
}

/* A single row, in the first column of such vectors. */
static void transform_single(const conditioned *self, conditioned_map *f, real *to, double *logdet,
                             const real *from, const real *h, real *wide)
{
    real *x = wide + self->outputs * FLOW_PAD, *y = x + FLOW_PAD;
    double sum[FLOW_PAD] = {0};
    memset(wide, 0, conditioned_wide_len(self) * sizeof *wide);
    for (size_t k = 0; k < self->outputs; k++)
        wide[k * FLOW_PAD] = h[k];
    *x = *from;
    transform(self, f, y, sum, x, wide, FLOW_PAD);
    *to = *y;
    *logdet += *sum;
}

void conditioned_transform(const conditioned_shard *s, conditioned_map *f, real *to, double *logdet,
                           const real *from, const conditioned_group *g)
{
    if (g->bare) {
        conditioned_copy(s, to, from, g);
        return;
    }
    for (size_t i = g->first; i < g->end; i++) {
        real *h = conditioned_params(s, s->values, g, i);
        if (s->ld > 1)
            transform(s->self, f, to + i * s->ld, logdet, from + i * s->ld, h, s->ld);
        else
            transform_single(s->self, f, to + i, logdet, from + i, h, s->wide);
    }
}
