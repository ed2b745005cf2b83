/* flow/layer/mlp_run.c -- the masked network forwards and backwards, all of it or one degree. */
#include "flow/layer/mlp_low.h"
#include "flow/pool.h"

#include <string.h>

static const size_t NONE = SIZE_MAX;

/* Rows that a map and an activation take in turns, for many columns and for one. */
enum { BLOCK = 32, SINGLE_BLOCK = 64 };

/* What is worth sharing: a map of so many multiply-adds; for a single row, which is as fast as its
 * weights arrive, a map of so many weights, in a network that is too large for the second cache with
 * others like it. */
enum { SHARED_WORK = 1 << 20, SHARED_WEIGHTS = 1 << 14, LARGE_NETWORK = 1 << 16 };

static const mlp *down(const conditioner *base)
{
    return (const mlp *)base;
}

/* ---- forward */

static void run_rows_as_is(const mlp *self, const mlp_step *step, stair_multiply *multiply,
                           real *values, real *slopes, const real *theta, size_t row0, size_t row1,
                           size_t ld)
{
    real *dst = mlp_rows(self, values, step->dst, 0, ld);
    const real *src = mlp_rows(self, values, step->src, 0, ld);
    if (step->map >= 0) {
        const real *add = step->add == NONE ? NULL : mlp_rows(self, values, step->add, 0, ld);
        multiply(&self->maps[step->map], dst, theta + step->offset, src, add, row0, row1, ld);
        return;
    }
    const activation *f = self->activation;
    real *slope = slopes && !f->pull ? slopes + (step->slope + row0) * ld : NULL;
    f->apply(dst + row0 * ld, slope, src + row0 * ld, (row1 - row0) * ld);
}

/* Maps and activations in place take turns, block by block, so that what the one leaves is still in
 * the nearest cache for the other. */
static int activates_in_place(const mlp_step *step, size_t buffer)
{
    return step->map < 0 && step->src == buffer && step->dst == buffer;
}

/* Step s is a map and step s + 1 the activation of its result. */
static int activated_after(const mlp *self, size_t s)
{
    const mlp_step *map = &self->steps[s];
    return s + 1 < self->n_steps && map->map >= 0 && activates_in_place(map + 1, map->dst);
}

#if FLOW_ROUNDS
static void run_rows_low(const mlp *self, const mlp_step *step, stair_multiply *multiply,
                         real *values, const real *theta, size_t row0, size_t row1, size_t ld)
{
    if (!mlp_low_in_bytes(self))
        run_rows_as_is(self, step, mlp_low_multiply(step, multiply), values, NULL,
                       mlp_low_theta(self, theta), row0, row1, ld);
    else if (step->map >= 0 && mlp_low_is_rounded(self, theta))
        mlp_low_map(self, step, values, theta, row0, row1, ld);
    else if (step->map < 0 && self->activation->rough && mlp_low_is_rounded(self, theta))
        self->activation->rough(mlp_rows(self, values, step->dst, row0, ld),
                                mlp_rows(self, values, step->src, row0, ld), (row1 - row0) * ld);
    else if (!activates_in_place(step, step->dst) || !mlp_low_activates(self, theta))
        run_rows_as_is(self, step, multiply, values, NULL, theta, row0, row1, ld);
    if (!activated_after(self, (size_t)(step - self->steps)))
        mlp_low_leave(self, step->dst, values, theta, row0, row1, ld);
}
#endif

static void run_rows(const mlp *self, const mlp_step *step, stair_multiply *multiply, real *values,
                     real *slopes, const real *theta, size_t row0, size_t row1, size_t ld)
{
    if (row0 >= row1)
        return;
#if FLOW_ROUNDS
    if (self->low) {
        run_rows_low(self, step, multiply, values, theta, row0, row1, ld);
        return;
    }
#endif
    run_rows_as_is(self, step, multiply, values, slopes, theta, row0, row1, ld);
}

/* Step s is a map and step s - 1 the activation of what it reads. */
static int activated_before(const mlp *self, size_t s)
{
    const mlp_step *map = &self->steps[s];
    return s > 0 && map->map >= 0 && activates_in_place(map - 1, map->src);
}

/* ---- all rows of a step, by parts that other threads may take (pool.h) */

/* A map, and the activation in place of its result or of what it reads, if there is one. */
typedef struct work {
    const mlp *net;
    const mlp_step *step;
    size_t pair, rows, block, blocks; /* pair: 1 with an activation; rows: of what is written */
    real *values, *slopes, *cotangents, *dtheta;
    const real *theta;
    int add;
    size_t ld;
} work;

static void cut(work *w, size_t rows)
{
    w->rows = rows;
    w->block = w->ld == 1 ? SINGLE_BLOCK : BLOCK;
    w->blocks = (rows + w->block - 1) / w->block;
}

static size_t end_of_block(const work *w, size_t index)
{
    size_t end = (index + 1) * w->block;
    return end < w->rows ? end : w->rows;
}

static int worth_sharing(const work *w)
{
    if (w->step->map < 0)
        return 0;
    size_t live = w->net->maps[w->step->map].n_live;
    return w->ld == 1 ? live >= SHARED_WEIGHTS && w->net->base.n_live >= LARGE_NETWORK
                      : live * w->ld >= SHARED_WORK;
}

static void run_parts(work *w, void (*part)(void *arg, size_t index), size_t count)
{
    if (worth_sharing(w)) {
        flow_pool_share(part, w, count);
        return;
    }
    for (size_t index = 0; index < count; index++)
        part(w, index);
}

static void forward_block(void *arg, size_t index)
{
    const work *w = arg;
    size_t row = index * w->block, end = end_of_block(w, index);
    if (w->pair && w->net->activation->rectifier && w->ld > 1 && !w->net->low) {
        run_rows(w->net, w->step, stair_product_rectified, w->values, NULL, w->theta, row, end,
                 w->ld);
        return;
    }
#if FLOW_ROUNDS
    if (w->pair && w->ld > 1 && mlp_low_activates(w->net, w->theta)) {
        mlp_low_map_rectified(w->net, w->step, w->values, w->theta, row, end, w->ld);
        return;
    }
#endif
    for (size_t k = 0; k <= w->pair; k++)
        run_rows(w->net, w->step + k, stair_product, w->values, w->slopes, w->theta, row, end,
                 w->ld);
}

/* Step s and, if there is one, the activation of its result; returns how many steps that were. */
static size_t forward_step(const mlp *self, size_t s, real *values, real *slopes, const real *theta,
                           size_t ld)
{
    work w = {.net = self,
              .step = &self->steps[s],
              .pair = (size_t)activated_after(self, s),
              .values = values,
              .slopes = slopes,
              .theta = theta,
              .ld = ld};
    cut(&w, self->buffers[w.step->dst].rows);
    run_parts(&w, forward_block, w.blocks);
    return 1 + w.pair;
}

void mlp_forward(const conditioner *base, real *values, real *slopes, const real *theta, size_t ld)
{
#if FLOW_ROUNDS
    if (mlp_low_in_bytes(down(base)))
        mlp_low_leave(down(base), 0, values, theta, 0, down(base)->buffers[0].rows, ld);
#endif
    for (size_t s = 0; s < down(base)->n_steps;)
        s += forward_step(down(base), s, values, slopes, theta, ld);
#if FLOW_ROUNDS
    if (mlp_low_in_bytes(down(base)))
        mlp_low_spoil_all(down(base), values, ld);
#endif
}

/* All rows have this degree, as in the network of a coupling: then what is done piece by piece is a
 * whole step. */
static int is_whole(const mlp_buffer *buffer, size_t degree)
{
    return buffer->begin[degree] == 0 && buffer->begin[degree + 1] == buffer->rows;
}

/* Step s for one degree of what it writes; returns the steps done. */
static size_t forward_degree(const mlp *self, size_t s, real *values, real *slopes,
                             const real *theta, size_t degree, size_t ld)
{
    const mlp_buffer *dst = &self->buffers[self->steps[s].dst];
    if (is_whole(dst, degree))
        return forward_step(self, s, values, slopes, theta, ld);
    run_rows(self, &self->steps[s], stair_product_next, values, slopes, theta, dst->begin[degree],
             dst->begin[degree + 1], ld);
    return 1;
}

void mlp_outputs_of(const conditioner *base, real *values, const real *theta, size_t group,
                    size_t ld)
{
    forward_degree(down(base), down(base)->n_steps - 1, values, NULL, theta, group, ld);
#if FLOW_ROUNDS
    if (mlp_low_in_bytes(down(base)))
        mlp_low_spoil(down(base), values, group, ld);
#endif
}

void mlp_hidden_of(const conditioner *base, real *values, real *slopes, const real *theta,
                   size_t degree, size_t ld)
{
#if FLOW_ROUNDS
    const size_t *inputs = down(base)->buffers[0].begin;
    if (mlp_low_in_bytes(down(base))) {
        mlp_low_leave(down(base), 0, values, theta, inputs[degree], inputs[degree + 1], ld);
        mlp_low_see(down(base), values, degree, ld);
    }
#endif
    for (size_t s = 0; s + 1 < down(base)->n_steps;)
        s += forward_degree(down(base), s, values, slopes, theta, degree, ld);
}

/* ---- backward */

static void multiply(real *d, const real *by, size_t count)
{
    for (size_t i = 0; i < count; i++)
        d[i] *= by[i];
}

static void add(real *to, const real *from, size_t count)
{
    for (size_t i = 0; i < count; i++)
        to[i] += from[i];
}

typedef void product_t(const stair *self, real *dx, const real *theta, const real *dy, size_t col0,
                       size_t col1, size_t ld);

/* What a step hands back to its source, for the source's rows row0 .. row1 - 1. A buffer may feed
 * two steps, an activation (or the output map) and the skip of a block; `add` is what the later one
 * already left there. */
static void pull_rows(const mlp *self, const mlp_step *step, product_t *multiply_t,
                      real *cotangents, const real *theta, const real *values, const real *slopes,
                      size_t row0, size_t row1, size_t ld)
{
    if (row0 >= row1)
        return;
    real *dsrc = mlp_rows(self, cotangents, step->src, 0, ld);
    real *ddst = mlp_rows(self, cotangents, step->dst, 0, ld);
    if (step->map >= 0) {
        multiply_t(&self->maps[step->map], dsrc, theta + step->offset, ddst, row0, row1, ld);
        if (step->add != NONE)
            memcpy(mlp_rows(self, cotangents, step->add, row0, ld), ddst + row0 * ld,
                   (row1 - row0) * ld * sizeof *dsrc);
        return;
    }
    const activation *f = self->activation;
    real *to = dsrc + row0 * ld, *from = ddst + row0 * ld;
    size_t count = (row1 - row0) * ld;
    if (f->pull)
        f->pull(from, values + (self->buffers[step->dst].offset + row0) * ld, count);
    else
        multiply(from, slopes + (step->slope + row0) * ld, count);
    if (step->src != step->dst)
        add(to, from, count);
}

/* Blocks of what is handed back first, then groups of panels of the gradient: none of them reads what
 * another writes. */
static void backward_part(void *arg, size_t index)
{
    const work *w = arg;
    const mlp *net = w->net;
    const mlp_step *step = w->step;
    size_t ld = w->ld;
    if (index >= w->blocks) {
        stair_gradient(&net->maps[step->map], w->dtheta + step->offset, w->add,
                       w->cotangents + net->buffers[step->dst].offset * ld,
                       w->values + net->buffers[step->src].offset * ld, index - w->blocks, ld);
        return;
    }
    size_t row = index * w->block, end = end_of_block(w, index);
    for (size_t k = 0; k <= w->pair; k++)
        pull_rows(net, step - k, stair_product_t, w->cotangents, w->theta, w->values, w->slopes,
                  row, end, ld);
}

/* Step s backwards and, if there is one, the activation of what it reads; returns how many steps. */
static size_t backward_step(const mlp *self, size_t s, real *cotangents, real *dtheta, int add_to,
                            const real *theta, const real *values, const real *slopes, size_t ld)
{
    work w = {.net = self,
              .step = &self->steps[s],
              .pair = (size_t)activated_before(self, s),
              .values = (real *)(uintptr_t)values, /* read only */
              .slopes = (real *)(uintptr_t)slopes,
              .cotangents = cotangents,
              .dtheta = dtheta,
              .theta = theta,
              .add = add_to,
              .ld = ld};
    int map = dtheta ? w.step->map : -1;
    cut(&w, self->buffers[w.step->src].rows);
    run_parts(&w, backward_part, w.blocks + (map < 0 ? 0 : stair_groups(&self->maps[map])));
    return 1 + w.pair;
}

void mlp_backward(const conditioner *base, real *cotangents, real *dtheta, int add_to,
                  const real *theta, const real *values, const real *slopes, size_t ld)
{
    for (size_t s = down(base)->n_steps; s > 0;)
        s -=
            backward_step(down(base), s - 1, cotangents, dtheta, add_to, theta, values, slopes, ld);
}

/* Hidden units of a degree and the inputs of a group go the same way. */
void mlp_pull(const conditioner *base, real *cotangents, const real *theta, const real *values,
              const real *slopes, size_t degree, size_t ld)
{
    const mlp *self = down(base);
    for (size_t s = self->n_steps; s > 0;) {
        const mlp_step *step = &self->steps[s - 1];
        const mlp_buffer *src = &self->buffers[step->src];
        if (is_whole(src, degree)) {
            s -= backward_step(self, s - 1, cotangents, NULL, 0, theta, values, slopes, ld);
            continue;
        }
        pull_rows(self, step, stair_product_t_next, cotangents, theta, values, slopes,
                  src->begin[degree], src->begin[degree + 1], ld);
        s--;
    }
}
