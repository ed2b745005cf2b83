#include "tests/bench/training.h"
#include "flow/lanes.h"
#include "flow/optimizer.h"
#include "tests/bench/common.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { BATCHES = 8 }; /* in the data set */
#define LEARNING_RATE 1e-4

/* What one thread needs for a shard. */
typedef struct seat {
    flow_pass *pass;
    double *x, *z, *logp, *minus_ones;
} seat;

struct training {
    flow *flow;
    flow_pool *pool;
    flow_optimizer *optimizer;
    flow_lanes lanes;
    size_t dim, batch; /* batch: the next one, of BATCHES */
    double *data;      /* (BATCHES * rows of a batch, D) */
    size_t *order;     /* of its rows */
    seat *seats;       /* (flow_lanes_workers) */
};

static void take_seat(seat *s, const training *t)
{
    flow_err err = FLOW_ERR_INIT;
    size_t rows = t->lanes.shard;
    s->pass = flow_pass_create(t->flow, rows, FLOW_PASS_TRAIN, &err);
    if (!s->pass)
        die("%s", err.text);
    s->x = take(rows * t->dim, sizeof *s->x);
    s->z = take(rows * t->dim, sizeof *s->z);
    s->logp = take(rows, sizeof *s->logp);
    s->minus_ones = take(rows, sizeof *s->minus_ones);
    for (size_t r = 0; r < rows; r++)
        s->minus_ones[r] = -1;
}

training *training_create(flow *teacher, flow_pool *pool, size_t batch)
{
    const pcg_stream rows = {.seed = 11, .stage = PCG_TEST, .purpose = PCG_GENERATE};
    const pcg_stream shuffle = {.seed = 11, .stage = PCG_TEST, .purpose = PCG_SHUFFLE};
    const flow_optimizer_options adam = {0};
    flow_err err = FLOW_ERR_INIT;
    training *self = take(1, sizeof *self);
    size_t n = BATCHES * batch, dim = flow_dim(teacher);
    *self = (training){.flow = teacher, .pool = pool, .dim = dim};
    self->lanes = flow_lanes_cut_for(teacher, batch, 0);
    self->optimizer = flow_optimizer_create(teacher, &adam, self->lanes.lanes, &err);
    if (!self->optimizer)
        die("%s", err.text);
    self->data = take(n * dim, sizeof *self->data);
    self->order = take(n, sizeof *self->order);
    pcg_normals(self->data, rows, 0, n, dim);
    pcg_permutation(self->order, n, shuffle, 0);
    size_t seats = flow_lanes_workers(&self->lanes, pool);
    self->seats = take(seats, sizeof *self->seats);
    for (size_t w = 0; w < seats; w++)
        take_seat(&self->seats[w], self);
    return self;
}

void training_free(training *self)
{
    if (!self)
        return;
    for (size_t w = 0; w < flow_lanes_workers(&self->lanes, self->pool); w++) {
        seat *s = &self->seats[w];
        flow_pass_free(s->pass);
        free(s->x);
        free(s->z);
        free(s->logp);
        free(s->minus_ones);
    }
    flow_optimizer_free(self->optimizer);
    free(self->seats);
    free(self->order);
    free(self->data);
    free(self);
}

/* L = -sum log p: cotangents z on z and -1 on the log-det. */
static void shard_work(void *arg, const flow_slice *slice)
{
    training *self = arg;
    seat *s = &self->seats[slice->worker];
    const size_t *rows = self->order + self->batch * self->lanes.rows + slice->row;
    for (size_t r = 0; r < slice->n; r++)
        memcpy(s->x + r * self->dim, self->data + rows[r] * self->dim, self->dim * sizeof *s->x);
    flow_pass_log_prob(s->pass, NULL, s->logp, s->z, s->x, NULL, slice->n);
    flow_pass_density_backward(s->pass, NULL, NULL,
                               flow_optimizer_lane(self->optimizer, slice->lane), s->minus_ones);
}

void training_step(training *self)
{
    double norm;
    flow_lanes_run(&self->lanes, self->pool, shard_work, self);
    if (flow_optimizer_step(self->optimizer, self->pool, LEARNING_RATE,
                            1.0 / (double)self->lanes.rows, INFINITY, &norm) == FLOW_STEP_SKIPPED)
        die("the gradient of a training step is not finite");
    self->batch = (self->batch + 1) % BATCHES;
}
