/* flow/layer/mlp.c -- the masked network's program of steps, its description and its parameters. */
#include "flow/layer/mlp_low.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const size_t NONE = SIZE_MAX;

#define conditioner_mlp FLOW_NAME(conditioner_mlp)
extern const conditioner_ops conditioner_mlp;

static const mlp *down(const conditioner *base)
{
    return (const mlp *)base;
}

/* ---- making the program of steps */

/* Adds a buffer of `rows` features; begin is filled by the caller. SIZE_MAX: out of memory. */
static size_t add_buffer(mlp *self, size_t rows)
{
    assert(self->n_buffers <= MLP_MAX_STEPS);
    mlp_buffer *b = &self->buffers[self->n_buffers];
    b->begin = calloc(self->base.shape.groups + 2, sizeof *b->begin);
    if (!b->begin)
        return NONE;
    b->rows = rows;
    b->offset = self->base.value_rows;
    self->base.value_rows += flow_pad(rows);
    return self->n_buffers++;
}

static size_t lowest_degree(const mlp *self)
{
    return self->base.shape.context > 0 ? 0 : 1;
}

/* Hidden unit u of `width` has degree lowest + floor(u * count / width): even and ascending. */
static size_t add_hidden(mlp *self, size_t width)
{
    size_t buffer = add_buffer(self, width);
    if (buffer == NONE)
        return NONE;
    size_t lowest = lowest_degree(self), groups = self->base.shape.groups, count = groups - lowest;
    size_t *begin = self->buffers[buffer].begin;
    for (size_t d = 0; d <= groups + 1; d++) {
        size_t below = d <= lowest ? 0 : (d - lowest < count ? d - lowest : count);
        begin[d] = (below * width + count - 1) / count; /* units u with u * count < below * width */
    }
    return buffer;
}

static size_t add_inputs(mlp *self)
{
    const conditioner_shape *shape = &self->base.shape;
    size_t buffer = add_buffer(self, shape->context + conditioner_inputs_before(shape, shape->dim));
    if (buffer != NONE)
        for (size_t d = 1; d <= shape->groups + 1; d++)
            self->buffers[buffer].begin[d] =
                shape->context + conditioner_inputs_before(shape, conditioner_group(shape, d));
    return buffer;
}

static size_t add_outputs(mlp *self)
{
    const conditioner_shape *shape = &self->base.shape;
    size_t buffer = add_buffer(self, conditioner_outputs_before(shape, shape->groups + 1));
    if (buffer == NONE)
        return NONE;
    for (size_t d = 1; d <= shape->groups + 1; d++)
        self->buffers[buffer].begin[d] = conditioner_outputs_before(shape, d);
    self->base.output_row = self->buffers[buffer].offset;
    return buffer;
}

/* dst sees src up to degree d, or, for outputs, below degree d. */
static int add_map(mlp *self, size_t src, size_t dst, size_t add, int strict)
{
    const mlp_buffer *from = &self->buffers[src], *to = &self->buffers[dst];
    size_t *limit = malloc(to->rows * sizeof *limit);
    if (!limit)
        return -1;
    for (size_t d = 0; d <= self->base.shape.groups; d++)
        for (size_t m = to->begin[d]; m < to->begin[d + 1]; m++)
            limit[m] = from->begin[strict ? d : d + 1];
    stair *map = &self->maps[self->n_maps];
    int failed = stair_create(map, limit, to->rows, from->rows);
    free(limit);
    if (failed)
        return -1;
    self->steps[self->n_steps++] = (mlp_step){.map = (int)self->n_maps++,
                                              .src = src,
                                              .dst = dst,
                                              .add = add,
                                              .offset = self->base.n_params};
    self->base.n_params += map->n_params;
    self->base.n_live += map->n_live;
    return 0;
}

static void add_activation(mlp *self, size_t src, size_t dst)
{
    self->steps[self->n_steps++] =
        (mlp_step){.map = -1, .src = src, .dst = dst, .add = NONE, .slope = self->base.slope_rows};
    if (!self->activation->pull)
        self->base.slope_rows += flow_pad(self->buffers[src].rows);
}

/* inputs -> W -> f -> W -> f ... ; returns the last buffer. */
static size_t build_plain(mlp *self, size_t from)
{
    for (size_t l = 0; l < self->options.hidden.n; l++) {
        size_t h = add_hidden(self, self->options.hidden.at[l]);
        if (h == NONE || add_map(self, from, h, NONE, 0))
            return NONE;
        add_activation(self, h, h);
        from = h;
    }
    return from;
}

static size_t build_residual(mlp *self, size_t from)
{
    size_t width = self->options.hidden.at[0], r = add_hidden(self, width);
    if (r == NONE || add_map(self, from, r, NONE, 0))
        return NONE;
    for (size_t b = 0; b < self->options.residual; b++) {
        size_t u = add_hidden(self, width), v = add_hidden(self, width);
        size_t next = add_hidden(self, width);
        if (u == NONE || v == NONE || next == NONE)
            return NONE;
        add_activation(self, r, u);
        if (add_map(self, u, v, NONE, 0))
            return NONE;
        add_activation(self, v, v);
        if (add_map(self, v, next, r, 0))
            return NONE;
        r = next;
    }
    return r;
}

static int build(mlp *self)
{
    size_t last = add_inputs(self);
    int empty = lowest_degree(self) >= self->base.shape.groups; /* one group, without context */
    if (last != NONE && !empty)
        last = self->options.residual ? build_residual(self, last) : build_plain(self, last);
    if (last == NONE)
        return -1;
    size_t out = add_outputs(self);
    return out == NONE ? -1 : add_map(self, last, out, NONE, 1);
}

/* Behind all else, in parameters and values. */
static int build_low(mlp *self)
{
#if FLOW_ROUNDS
    self->low = self->base.shape.low ? mlp_low_create(self) : NULL;
    return self->base.shape.low && !self->low;
#else
    (void)self;
    return 0;
#endif
}

static int check_low(const conditioner_shape *shape, flow_err *err)
{
#if FLOW_ROUNDS
    size_t inputs = shape->context + conditioner_inputs_before(shape, shape->dim);
    if (flow_network_in_bytes(shape->low) && inputs > INT8_MOST_COLUMNS)
        return flow_fail(err, FLOW_ECONFIG, "a network of %zu inputs: bytes have sums of %d",
                         inputs, INT8_MOST_COLUMNS);
#else
    (void)shape, (void)err;
#endif
    return 0;
}

static void mlp_free(conditioner *base)
{
    mlp *self = (mlp *)base;
    if (!self)
        return;
    for (size_t i = 0; i < self->n_buffers; i++)
        free(self->buffers[i].begin);
    for (size_t i = 0; i < self->n_maps; i++)
        stair_release(&self->maps[i]);
    free(self->low);
    free(self);
}

mlp *mlp_new(const mlp_options *options, const conditioner_shape *shape, flow_err *err)
{
    assert(shape->dim > 0 && shape->outputs > 0);
    assert(shape->groups > (size_t)shape->bare_first && shape->groups <= shape->dim);
    if (check_low(shape, err))
        return NULL;
    mlp *self = calloc(1, sizeof *self);
    if (self)
        *self = (mlp){.base = {.ops = &conditioner_mlp, .shape = *shape},
                      .options = *options,
                      .activation = &activation_kinds[options->activation]};
    if (self && !build(self) && !build_low(self))
        return self;
    if (self)
        mlp_free(&self->base);
    flow_fail(err, FLOW_ENOMEM, "out of memory for a conditioner network");
    return NULL;
}

static conditioner *mlp_create(const void *options, const conditioner_shape *shape, flow_err *err)
{
    mlp *self = mlp_new(options, shape, err);
    return self ? &self->base : NULL;
}

/* ---- initial weights */

/* Uniform on +- sqrt(3 / fan-in) * gain. */
static void init_map(const stair *map, real *theta, pcg *rng, double gain)
{
    memset(theta, 0, map->n_params * sizeof *theta);
    for (size_t m = 0; m < map->rows; m++) {
        real *w = theta + stair_row(map, m);
        double width = gain * sqrt(3.0 / (map->limit[m] ? (double)map->limit[m] : 1.0));
        for (size_t k = 0; k < map->limit[m]; k++)
            w[k * FLOW_PAD] = (real)(width * (2 * pcg_uniform(rng) - 1));
        if (gain > 0)
            theta[map->bias + m] = (real)(0.3 * (2 * pcg_uniform(rng) - 1));
    }
}

static void mlp_init(const conditioner *base, real *theta, pcg *rng)
{
    const mlp *self = down(base);
    for (size_t s = 0; s < self->n_steps; s++) {
        const mlp_step *step = &self->steps[s];
        if (step->map < 0)
            continue;
        int outputs = step->dst == self->n_buffers - 1;
        int branch_end = step->add != NONE; /* a residual block starts nearly as the identity */
        init_map(&self->maps[step->map], theta + step->offset, rng,
                 outputs      ? 0.0
                 : branch_end ? 0.1
                              : 1.0);
    }
}

/* ---- parameters by name: map m has "m.weight" (2m) and "m.bias" (2m + 1) */

static size_t mlp_n_tensors(const conditioner *base)
{
    return 2 * down(base)->n_maps;
}

static const stair *map_of(const conditioner *base, size_t index)
{
    return &down(base)->maps[index / 2];
}

/* Where the parameters of the map begin. */
static size_t offset_of(const conditioner *base, size_t index)
{
    const mlp_step *step = down(base)->steps;
    while (step->map != (int)(index / 2))
        step++;
    return step->offset;
}

static void mlp_tensor(const conditioner *base, flow_tensor_info *info, size_t index)
{
    const stair *map = map_of(base, index);
    snprintf(info->name, sizeof info->name, "%zu.%s", index / 2, index % 2 ? "bias" : "weight");
    info->rows = map->rows;
    info->cols = index % 2 ? 0 : map->cols;
}

static void mlp_tensor_get(const conditioner *base, double *values, const real *theta, size_t index)
{
    (index % 2 ? stair_get_bias : stair_get_weight)(map_of(base, index), values,
                                                    theta + offset_of(base, index));
}

static void mlp_tensor_set(const conditioner *base, real *theta, const double *values, size_t index)
{
    (index % 2 ? stair_set_bias : stair_set_weight)(map_of(base, index),
                                                    theta + offset_of(base, index), values);
}

static void mlp_tensor_live(const conditioner *base, unsigned char *live, size_t index, size_t row)
{
    const stair *map = map_of(base, index);
    memset(live, 0, map->cols);
    memset(live, 1, map->limit[row]);
}

/* ---- its kind */

static const char *one_width(char *why, size_t size, const void *options)
{
    const mlp_options *self = options;
    if (!self->residual || self->hidden.n == 1)
        return NULL;
    snprintf(why, size, "wants one width in hidden, not %zu", self->hidden.n);
    return "residual";
}

static const flow_key mlp_keys[] = {
    {FLOW_KEY(mlp_options, hidden), .type = FLOW_KEY_WHOLES, .min = 1, .max = 16384, .n_min = 1,
     .n_max = FLOW_MAX_WHOLES, .def = "[128, 128]", .unit = "units",
     .doc = "Widths of the hidden layers of each conditioner network."},
    {FLOW_KEY(mlp_options, residual), .type = FLOW_KEY_WHOLE, .min = 0, .max = 16, .def = "0",
     .unit = "blocks",
     .doc = "Residual blocks of two masked layers each, all of the one width in hidden. 0 is a "
            "plain network."},
    {FLOW_KEY(mlp_options, activation), .type = FLOW_KEY_WORD, .kinds = &flow_activations,
     .def = "silu", .doc = "Activation of the hidden units."},
    {.name = NULL}};

const conditioner_ops conditioner_mlp = {
    .kind = {.name = "mlp",
             .doc = "masked network of any widths, or of residual blocks of one width",
             .keys = mlp_keys,
             .size = sizeof(mlp_options),
             .conflict = one_width},
    .create = mlp_create,
    .free = mlp_free,
    .init = mlp_init,
    .narrow = mlp_narrow,
    .narrow_params = mlp_narrow_params,
#if FLOW_ROUNDS
    .round = mlp_low_round,
#endif
    .forward = mlp_forward,
    .outputs_of = mlp_outputs_of,
    .hidden_of = mlp_hidden_of,
    .backward = mlp_backward,
    .pull = mlp_pull,
    .n_tensors = mlp_n_tensors,
    .tensor = mlp_tensor,
    .tensor_get = mlp_tensor_get,
    .tensor_set = mlp_tensor_set,
    .tensor_live = mlp_tensor_live,
};
