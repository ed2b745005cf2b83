#include "flow/layer/stack.h"
#include "flow/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Names of tensors are made for so many. */
enum { MAX_DEPTH = 4 };

/* ---- making the list */

static flow_layer *create_layer(const json_t *description, const layer_scope *scope, flow_err *err)
{
    const flow_kind *kind = flow_kind_of(&flow_layers, description, err);
    for (const flow_layer_ops *const *ops = flow_layer_kinds; kind && *ops; ops++)
        if (strcmp((*ops)->kind.name, kind->name) == 0)
            return (*ops)->create(description, scope, err);
    return NULL;
}

/* Room for one more: the arrays double when their length is a power of two. */
static int grow(flow_stack *self)
{
    size_t n = self->n_layers;
    if (n & (n - 1))
        return 0;
    struct flow_layer **layers = realloc(self->layers, (n ? 2 * n : 1) * sizeof *layers);
    self->layers = layers ? layers : self->layers;
    size_t *offsets = realloc(self->offsets, (n ? 2 * n : 1) * sizeof *offsets);
    self->offsets = offsets ? offsets : self->offsets;
    return layers && offsets ? 0 : -1;
}

int stack_append(flow_stack *self, flow_layer *layer, flow_err *err)
{
    if (grow(self)) {
        layer->ops->free(layer);
        return flow_fail(err, FLOW_ENOMEM, "out of memory for a list of layers");
    }
    self->layers[self->n_layers] = layer;
    self->offsets[self->n_layers++] = self->n_params;
    self->n_params += layer->n_params;
    self->n_live += layer->n_live;
    self->n_networks += layer->n_networks;
    self->one_way |= layer->one_way || !layer->ops->inverse;
    if (layer->in_series > self->in_series)
        self->in_series = layer->in_series;
    self->curved |= !layer->ops->flat;
    return 0;
}

static int append_described(flow_stack *self, const json_t *description, const layer_scope *scope,
                            flow_err *err)
{
    layer_scope left = *scope;
    left.max_live -= self->n_live;
    flow_layer *layer = create_layer(description, &left, err);
    if (!layer)
        return err ? err->code : FLOW_ECONFIG;
    if (layer->n_live > left.max_live) {
        layer->ops->free(layer);
        return flow_fail(err, FLOW_EDATA, "more weights than there can be");
    }
    return stack_append(self, layer, err);
}

int stack_create(flow_stack *self, const json_t *list, const layer_scope *scope, flow_err *err)
{
    if (!json_is_array(list) || json_array_size(list) > FLOW_MAX_LAYERS)
        return flow_fail(err, FLOW_ECONFIG, "flow description: layers wants a list of up to %d",
                         FLOW_MAX_LAYERS);
    if (scope->depth > MAX_DEPTH)
        return flow_fail(err, FLOW_ECONFIG, "layers in layers go %d deep", MAX_DEPTH);
    self->dim = scope->dim;
    self->context = scope->context;
    for (size_t l = 0; l < json_array_size(list); l++) {
        int code = append_described(self, json_array_get(list, l), scope, err);
        if (code) {
            char place[32];
            snprintf(place, sizeof place, "layer %zu", l);
            flow_fail_prefix(err, place);
            return code;
        }
    }
    return 0;
}

void stack_free(flow_stack *self)
{
    for (size_t l = 0; l < self->n_layers; l++)
        self->layers[l]->ops->free(self->layers[l]);
    free(self->layers);
    free(self->offsets);
    *self = (flow_stack){0};
}

int stack_inverse_missing(const flow_stack *self, flow_err *err)
{
    size_t l = 0;
    while (!self->layers[l]->one_way && self->layers[l]->ops->inverse)
        l++;
    return flow_fail(err, FLOW_ECONFIG, "layer %zu, %s, has no inverse", l,
                     self->layers[l]->ops->kind.name);
}

json_t *stack_describe(const flow_stack *self)
{
    json_t *list = json_array();
    for (size_t l = 0; l < self->n_layers; l++)
        flow_json_append(&list, self->layers[l]->ops->describe(self->layers[l]));
    return list;
}

/* ---- circles */

static int only_lines(const flow_layer *layer, const unsigned char *circle, flow_err *err)
{
    for (size_t i = 0; i < layer->dim; i++)
        if (circle[i])
            return flow_fail(err, FLOW_ECONFIG,
                             "%s is for lines, and coordinate %zu is on a circle; a part can "
                             "leave it out",
                             layer->ops->kind.name, i);
    return 0;
}

int stack_circles(const flow_stack *self, unsigned char *circle, size_t first, size_t end, int back,
                  flow_err *err)
{
    for (size_t k = first; k < end; k++) {
        size_t l = back ? end - 1 - (k - first) : k;
        const flow_layer *layer = self->layers[l];
        int code = layer->ops->circles ? layer->ops->circles(layer, circle, back, err)
                                       : only_lines(layer, circle, err);
        if (code) {
            char place[32];
            snprintf(place, sizeof place, "layer %zu", l);
            return flow_fail_prefix(err, place);
        }
    }
    return 0;
}

/* ---- the other way round */

static json_t *unroll_layer(const flow_layer *layer, const flow_unrolling *how, flow_err *err)
{
    if (layer->ops->unroll)
        return layer->ops->unroll(layer, how, err);
    flow_fail(err, FLOW_ECONFIG, "%s cannot be unrolled", layer->ops->kind.name);
    return NULL;
}

json_t *stack_unroll(const flow_stack *self, const flow_unrolling *how, flow_err *err)
{
    json_t *list = json_array();
    for (size_t l = self->n_layers; l-- > 0;) {
        json_t *layer = unroll_layer(self->layers[l], how, err);
        if (!layer) {
            char place[32];
            snprintf(place, sizeof place, "layer %zu", l);
            flow_fail_prefix(err, place);
            json_decref(list);
            return NULL;
        }
        flow_json_append(&list, layer);
    }
    if (!list)
        flow_fail(err, FLOW_ENOMEM, "out of memory for a list of layers");
    return list;
}

static int unroll_layer_params(const flow_layer *layer, real *theta, const flow_layer *from,
                               const real *from_theta, flow_err *err)
{
    if (layer->ops->unroll_params)
        return layer->ops->unroll_params(layer, theta, from, from_theta, err);
    memcpy(theta, from_theta, layer->n_params * sizeof *theta);
    return 0;
}

int stack_unroll_params(const flow_stack *self, void *theta, const flow_stack *from,
                        const void *from_theta, flow_err *err)
{
    int code = 0;
    for (size_t l = 0; !code && l < self->n_layers; l++) {
        size_t other = self->n_layers - 1 - l;
        code = unroll_layer_params(self->layers[l], (real *)theta + self->offsets[l],
                                   from->layers[other],
                                   (const real *)from_theta + from->offsets[other], err);
    }
    return code;
}

void stack_init(const flow_stack *self, real *theta, pcg_stream stream, uint64_t row,
                uint64_t *spare)
{
    for (size_t l = 0; l < self->n_layers; l++) {
        layer_draws draws = {
            .rng = pcg_at(stream, (row + l) << 32, 1), .stream = stream, .spare = spare};
        self->layers[l]->ops->init(self->layers[l], theta + self->offsets[l], &draws);
    }
}

void stack_round(const flow_stack *self, real *theta, size_t n)
{
    for (size_t l = 0; l < self->n_layers; l++)
        if (self->layers[l]->ops->round)
            self->layers[l]->ops->round(self->layers[l], theta + self->offsets[l], n);
}

/* ---- parameters by name */

size_t stack_n_tensors(const flow_stack *self)
{
    size_t count = 0;
    for (size_t l = 0; l < self->n_layers; l++)
        count += self->layers[l]->ops->n_tensors(self->layers[l]);
    return count;
}

/* The layer that owns tensor *index; *index becomes the number within that layer. */
static size_t owner(const flow_stack *self, size_t *index)
{
    size_t l = 0;
    for (;; l++) {
        size_t count = self->layers[l]->ops->n_tensors(self->layers[l]);
        if (*index < count)
            return l;
        *index -= count;
    }
}

void stack_tensor(const flow_stack *self, flow_tensor_info *info, size_t index)
{
    size_t l = owner(self, &index);
    flow_tensor_info inner;
    self->layers[l]->ops->tensor(self->layers[l], &inner, index);
    snprintf(info->name, sizeof info->name, "layers.%zu.%.64s", l, inner.name);
    info->rows = inner.rows;
    info->cols = inner.cols;
}

void stack_tensor_get(const flow_stack *self, double *values, const void *theta, size_t index)
{
    size_t l = owner(self, &index);
    self->layers[l]->ops->tensor_get(self->layers[l], values,
                                     (const real *)theta + self->offsets[l], index);
}

void stack_tensor_set(const flow_stack *self, void *theta, const double *values, size_t index)
{
    size_t l = owner(self, &index);
    self->layers[l]->ops->tensor_set(self->layers[l], (real *)theta + self->offsets[l], values,
                                     index);
}

void stack_tensor_live(const flow_stack *self, unsigned char *live, size_t index, size_t row)
{
    size_t l = owner(self, &index);
    const flow_layer *layer = self->layers[l];
    flow_tensor_info info;
    layer->ops->tensor(layer, &info, index);
    if (layer->ops->tensor_live)
        layer->ops->tensor_live(layer, live, index, row);
    else
        memset(live, 1, info.cols);
}
