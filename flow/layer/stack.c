#include "flow/layer/stack.h"
#include "flow/block.h"
#include "flow/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- making the list */

static flow_layer *create_layer(const flow *self, const json_t *description, flow_err *err)
{
    const flow_kind *kind = flow_kind_of(&flow_layers, description, err);
    for (const flow_layer_ops *const *ops = flow_layer_kinds; kind && *ops; ops++)
        if (strcmp((*ops)->kind.name, kind->name) == 0)
            return (*ops)->create(description, self->dim, self->context, err);
    return NULL;
}

static void place_layer(flow *self, flow_layer *layer)
{
    self->layers[self->n_layers] = layer;
    self->offsets[self->n_layers++] = self->n_params;
    self->n_params += layer->n_params;
    self->n_live += layer->n_live;
}

int stack_create(flow *self, const json_t *list, flow_err *err)
{
    size_t count = json_array_size(list);
    self->layers = calloc(count ? count : 1, sizeof *self->layers);
    self->offsets = calloc(count ? count : 1, sizeof *self->offsets);
    if (!self->layers || !self->offsets)
        return flow_fail(err, FLOW_ENOMEM, "out of memory for %zu layers", count);
    for (size_t l = 0; l < count; l++) {
        flow_layer *layer = create_layer(self, json_array_get(list, l), err);
        if (!layer) {
            char place[32];
            snprintf(place, sizeof place, "layer %zu", l);
            return flow_fail_prefix(err, place);
        }
        place_layer(self, layer);
        if (self->n_live > self->max_live)
            return flow_fail(err, FLOW_EDATA, "layer %zu: more weights than there can be", l);
    }
    return 0;
}

void stack_free(flow *self)
{
    for (size_t l = 0; l < self->n_layers; l++)
        self->layers[l]->ops->free(self->layers[l]);
    free(self->layers);
    free(self->offsets);
}

json_t *stack_describe(const flow *self)
{
    json_t *list = json_array();
    for (size_t l = 0; l < self->n_layers; l++)
        flow_json_append(&list, self->layers[l]->ops->describe(self->layers[l]));
    return list;
}

static real *theta_of(const flow *self, size_t l)
{
    return (real *)self->params + self->offsets[l];
}

void stack_init(flow *self, pcg_stream stream)
{
    for (size_t l = 0; l < self->n_layers; l++) {
        pcg rng = pcg_at(stream, (uint64_t)l << 32, 1);
        self->layers[l]->ops->init(self->layers[l], theta_of(self, l), &rng);
    }
}

/* ---- data-dependent start */

static size_t largest_work(const flow *self, size_t ld)
{
    size_t most = 0;
    for (size_t l = 0; l < self->n_layers; l++) {
        size_t len = self->layers[l]->ops->work_len(self->layers[l], ld);
        most = len > most ? len : most;
    }
    return most;
}

static int wants_data(const flow *self)
{
    for (size_t l = 0; l < self->n_layers; l++)
        if (self->layers[l]->ops->init_data)
            return 1;
    return 0;
}

static void push_through(flow *self, real *x, real *y, const real *context, double *logdet,
                         size_t n, size_t ld, real *work)
{
    for (size_t l = 0; l < self->n_layers; l++) {
        const flow_layer *layer = self->layers[l];
        if (layer->ops->init_data)
            layer->ops->init_data(layer, theta_of(self, l), x, n, ld);
        layer->ops->forward(layer, y, NULL, logdet, theta_of(self, l), x, context, ld, work);
        real *t = x;
        x = y;
        y = t;
    }
}

int stack_init_data(flow *self, const double *x, const double *context, size_t n, flow_err *err)
{
    if (!wants_data(self) || n == 0)
        return 0;
    size_t ld = flow_pad(n), rows = flow_pad(self->dim) * ld, c = flow_pad(self->context) * ld;
    size_t bytes = (2 * rows + c + largest_work(self, ld)) * sizeof(real) + ld * sizeof(double);
    char *block = flow_block_new(bytes);
    if (!block)
        return flow_fail(err, FLOW_ENOMEM, "out of memory for the data-dependent start");
    double *logdet = (double *)(void *)block;
    real *a = (real *)(void *)(block + ld * sizeof(double)), *b = a + rows, *ctx = b + rows;
    rows_to_features(a, x, n, self->dim, ld);
    if (self->context)
        rows_to_features(ctx, context, n, self->context, ld);
    push_through(self, a, b, ctx, logdet, n, ld, ctx + c);
    free(block);
    return 0;
}

/* ---- parameters by name */

size_t stack_n_tensors(const flow *self)
{
    size_t count = 0;
    for (size_t l = 0; l < self->n_layers; l++)
        count += self->layers[l]->ops->n_tensors(self->layers[l]);
    return count;
}

/* The layer that owns tensor *index; *index becomes the number within that layer. */
static size_t owner(const flow *self, size_t *index)
{
    size_t l = 0;
    for (;; l++) {
        size_t count = self->layers[l]->ops->n_tensors(self->layers[l]);
        if (*index < count)
            return l;
        *index -= count;
    }
}

void stack_tensor(const flow *self, flow_tensor_info *info, size_t index)
{
    size_t l = owner(self, &index);
    flow_tensor_info inner;
    self->layers[l]->ops->tensor(self->layers[l], &inner, index);
    snprintf(info->name, sizeof info->name, "layers.%zu.%.64s", l, inner.name);
    info->rows = inner.rows;
    info->cols = inner.cols;
}

void stack_tensor_get(const flow *self, double *values, size_t index)
{
    size_t l = owner(self, &index);
    self->layers[l]->ops->tensor_get(self->layers[l], values, theta_of(self, l), index);
}

void stack_tensor_set(flow *self, size_t index, const double *values)
{
    size_t l = owner(self, &index);
    self->layers[l]->ops->tensor_set(self->layers[l], theta_of(self, l), values, index);
}
