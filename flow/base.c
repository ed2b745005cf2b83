#include "flow/base.h"
#include "flow/suggest.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const flow_base_ops *const flow_base_kinds[] = {
    &base_normal, &base_uniform, &base_student_t, &base_mixture, NULL,
};

/* ---- making one */

static const flow_base_ops *find(const char *kind, flow_err *err)
{
    enum { MOST = 64 };
    const char *names[MOST];
    size_t n = 0;
    for (; flow_base_kinds[n] && n < MOST; n++) {
        if (strcmp(flow_base_kinds[n]->name, kind) == 0)
            return flow_base_kinds[n];
        names[n] = flow_base_kinds[n]->name;
    }
    const char *meant = flow_suggest(kind, names, n);
    flow_fail(err, FLOW_ECONFIG, "no base '%s'%s%s%s", kind, meant ? "; did you mean '" : "",
              meant ? meant : "", meant ? "'?" : "");
    return NULL;
}

flow_base *flow_base_create(const json_t *description, size_t dim, flow_err *err)
{
    const json_t *word =
        json_is_object(description) ? json_object_get(description, "kind") : description;
    const char *kind = description ? json_string_value(word) : flow_base_kinds[0]->name;
    if (!kind) {
        flow_fail(err, FLOW_ECONFIG, "base: wants a kind");
        return NULL;
    }
    const flow_base_ops *ops = find(kind, err);
    if (!ops)
        return NULL;
    if (json_is_object(description))
        return ops->create(description, dim, err);
    json_t *bare = json_pack("{s:s}", "kind", kind);
    flow_base *self = NULL;
    if (bare)
        self = ops->create(bare, dim, err);
    else
        flow_fail(err, FLOW_ENOMEM, "out of memory for a base");
    json_decref(bare);
    return self;
}

void flow_base_free(flow_base *self)
{
    free(self);
}

void *base_new(size_t bytes, const flow_base_ops *ops, size_t dim, flow_err *err)
{
    flow_base *self = calloc(1, bytes);
    if (!self) {
        flow_fail(err, FLOW_ENOMEM, "out of memory for a base");
        return NULL;
    }
    self->ops = ops;
    self->dim = dim;
    return self;
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
