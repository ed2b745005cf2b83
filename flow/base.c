#include "flow/base.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ENTRY(NAME) &base_##NAME,
const flow_base_ops *const flow_base_kinds[] = {FLOW_BASES(ENTRY) NULL};

static const flow_kind *base_at(size_t index)
{
    return flow_base_kinds[index] ? &flow_base_kinds[index]->kind : NULL;
}

const flow_registry flow_bases = {.what = "base", .at = base_at};

/* ---- making one */

static flow_base *create(const json_t *object, size_t dim, flow_err *err)
{
    const flow_kind *kind = flow_kind_of(&flow_bases, object, err);
    flow_base *self = kind ? flow_kind_read(kind, object, err) : NULL;
    if (!self)
        return NULL;
    size_t k = 0;
    while (&flow_base_kinds[k]->kind != kind)
        k++;
    self->ops = flow_base_kinds[k];
    self->dim = dim;
    self->edge = self->ops->edge;
    self->tempered = self->ops->temper ? dim : 0;
    if (!self->ops->begin || self->ops->begin(self, err) == 0)
        return self;
    flow_base_free(self);
    return NULL;
}

flow_base *flow_base_create(const json_t *description, size_t dim, flow_err *err)
{
    if (json_is_object(description))
        return create(description, dim, err);
    json_t *name = description ? json_incref((json_t *)(uintptr_t)description)
                               : json_string(flow_base_kinds[0]->kind.name);
    json_t *object = name ? flow_kind_complete(&flow_bases, name, err) : NULL;
    flow_base *self = object ? create(object, dim, err) : NULL;
    if (!name)
        flow_fail(err, FLOW_ENOMEM, "out of memory for a base");
    json_decref(name);
    json_decref(object);
    return self;
}

json_t *flow_base_describe(const flow_base *self)
{
    json_t *out = flow_kind_write(&self->ops->kind, self);
    if (!out || !self->ops->describe || self->ops->describe(self, out) == 0)
        return out;
    json_decref(out);
    return NULL;
}

void flow_base_free(flow_base *self)
{
    if (self && self->ops->release)
        self->ops->release(self);
    if (self)
        free(self->on_circle);
    free(self);
}

/* ---- parameters */

static size_t count_of(const base_tensor *t)
{
    return t->rows * (t->cols ? t->cols : 1);
}

void base_add_tensor(flow_base *self, const char *name, size_t rows, size_t cols)
{
    base_tensor *t = &self->tensors[self->n_tensors++];
    *t = (base_tensor){.name = name, .rows = rows, .cols = cols, .first = self->n_params};
    self->n_params += count_of(t);
}

/* A row that no layer's draws come near: layer l has row l << 32. */
void flow_base_init(const flow_base *self, base_block theta, pcg_stream stream)
{
    pcg rng = pcg_at(stream, (uint64_t)1 << 63, 1);
    for (size_t i = 0; i < self->n_params; i++)
        base_set(theta, i, 0);
    if (self->ops->init)
        self->ops->init(self, theta, &rng);
}

void flow_base_tensor(const flow_base *self, flow_tensor_info *info, size_t index)
{
    const base_tensor *t = &self->tensors[index];
    snprintf(info->name, sizeof info->name, "base.%s", t->name);
    info->rows = t->rows;
    info->cols = t->cols;
}

void flow_base_tensor_get(const flow_base *self, double *values, base_view theta, size_t index)
{
    const base_tensor *t = &self->tensors[index];
    for (size_t i = 0; i < count_of(t); i++)
        values[i] = base_get(theta, t->first + i);
}

void flow_base_tensor_set(const flow_base *self, base_block theta, size_t index,
                          const double *values)
{
    const base_tensor *t = &self->tensors[index];
    for (size_t i = 0; i < count_of(t); i++)
        base_set(theta, t->first + i, values[i]);
}
