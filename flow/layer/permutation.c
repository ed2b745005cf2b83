/* flow/layer/permutation.c -- y_i = x_order[i]. No parameters; log-det 0.
 * Description: {"kind": "permutation", "order": [1, 0]}. */
#include "flow/layer/layer.h"

#include <stdlib.h>
#include <string.h>

typedef struct permutation {
    flow_layer base;
    size_t order[]; /* (dim) */
} permutation;

static const size_t *order_of(const flow_layer *layer)
{
    return ((const permutation *)layer)->order;
}

/* Every number 0 .. dim - 1 once. seen (dim) is zero. */
static int read_order(size_t *order, unsigned char *seen, const json_t *list, size_t dim)
{
    if (json_array_size(list) != dim)
        return -1;
    for (size_t i = 0; i < dim; i++) {
        const json_t *item = json_array_get(list, i);
        json_int_t at = json_is_integer(item) ? json_integer_value(item) : -1;
        if (at < 0 || (size_t)at >= dim || seen[at])
            return -1;
        seen[at] = 1;
        order[i] = (size_t)at;
    }
    return 0;
}

static flow_layer *permutation_create(const json_t *description, const layer_scope *scope,
                                      flow_err *err)
{
    const char *kind;
    const size_t dim = scope->dim;
    json_t *list;
    if (json_unpack((json_t *)(uintptr_t)description, "{s:s, s:o!}", "kind", &kind, "order",
                    &list)) {
        flow_fail(err, FLOW_ECONFIG, "permutation: wants one key, order");
        return NULL;
    }
    permutation *self = calloc(1, sizeof *self + dim * sizeof self->order[0]);
    unsigned char *seen = calloc(dim, 1);
    if (!self || !seen) {
        flow_fail(err, FLOW_ENOMEM, "out of memory for a permutation layer");
        goto fail;
    }
    self->base = (flow_layer){.ops = &layer_permutation, .dim = dim, .context = scope->context};
    if (read_order(self->order, seen, list, dim)) {
        flow_fail(err, FLOW_ECONFIG, "permutation: order must hold 0 to %zu, each once", dim - 1);
        goto fail;
    }
    free(seen);
    return &self->base;
fail:
    free(seen);
    free(self);
    return NULL;
}

static void permutation_free(flow_layer *layer)
{
    free(layer);
}

static json_t *permutation_describe(const flow_layer *layer)
{
    json_t *list = json_array();
    for (size_t i = 0; i < layer->dim; i++)
        json_array_append_new(list, json_integer((json_int_t)order_of(layer)[i]));
    return json_pack("{s:s, s:o}", "kind", layer->ops->name, "order", list);
}

static void permutation_init(const flow_layer *layer, real *theta, layer_draws *draws)
{
    (void)layer, (void)theta, (void)draws;
}

static size_t nothing_len(const flow_layer *layer, size_t ld)
{
    (void)layer, (void)ld;
    return 0;
}

/* out row i = in row order[i] */
static void permute_rows(const flow_layer *layer, real *out, const real *in, size_t ld)
{
    for (size_t i = 0; i < layer->dim; i++)
        memcpy(out + i * ld, in + order_of(layer)[i] * ld, ld * sizeof *out);
}

/* out row order[i] = in row i */
static void permute_rows_back(const flow_layer *layer, real *out, const real *in, size_t ld)
{
    for (size_t i = 0; i < layer->dim; i++)
        memcpy(out + order_of(layer)[i] * ld, in + i * ld, ld * sizeof *out);
}

static void permutation_forward(const flow_layer *layer, real *y, double *logdet, const real *x,
                                const layer_call *call)
{
    (void)logdet;
    permute_rows(layer, y, x, call->ld);
}

static void permutation_inverse(const flow_layer *layer, real *x, double *logdet, const real *y,
                                const layer_call *call)
{
    (void)logdet;
    permute_rows_back(layer, x, y, call->ld);
}

static void permutation_backward(const flow_layer *layer, real *dx, real *dtheta, int add,
                                 const real *dy, const real *dlogdet, const real *x,
                                 const layer_call *call)
{
    (void)dtheta, (void)add, (void)dlogdet, (void)x;
    permute_rows_back(layer, dx, dy, call->ld);
}

static void permutation_score(const flow_layer *layer, real *score_y, const real *score_x,
                              const real *x, const layer_call *call)
{
    (void)x;
    permute_rows(layer, score_y, score_x, call->ld);
}

static size_t permutation_n_tensors(const flow_layer *layer)
{
    (void)layer;
    return 0;
}

const flow_layer_ops layer_permutation = {
    .name = "permutation",
    .doc = "y_i = x_order[i]",
    .single = 1,
    .create = permutation_create,
    .free = permutation_free,
    .describe = permutation_describe,
    .init = permutation_init,
    .init_data = NULL,
    .cache_len = nothing_len,
    .work_len = nothing_len,
    .forward = permutation_forward,
    .inverse = permutation_inverse,
    .backward = permutation_backward,
    .score = permutation_score,
    .n_tensors = permutation_n_tensors,
};
