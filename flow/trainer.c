#include "flow/trainer.h"
#include "flow/block.h"
#include "flow/first_error.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

struct flow_trainer {
    flow *flow;
    flow_pool *pool;
    flow_trainer_options options;
    flow_trainer_state state;
    flow_optimizer *optimizer;
    flow_lanes cut;   /* of the step in work */
    flow_seat *seats; /* (n_seats) */
    size_t n_seats;
    flow_first_error first_error;
    flow_median norms;
    flow_plateau plateau;
    void *best; /* parameter block; NULL: not asked for */
    double best_score;
};

/* ---- memory */

static void release_seats(flow_trainer *self)
{
    for (size_t w = 0; self->seats && w < self->n_seats; w++) {
        flow_pass_free(self->seats[w].pass);
        free(self->seats[w].scratch);
    }
    free(self->seats);
}

static int take_seats(flow_trainer *self, size_t shard, flow_err *err)
{
    self->seats = calloc(self->n_seats, sizeof *self->seats);
    if (!self->seats)
        return flow_fail(err, FLOW_ENOMEM, "out of memory for %zu seats", self->n_seats);
    for (size_t w = 0; w < self->n_seats; w++) {
        flow_seat *s = &self->seats[w];
        s->pass = flow_pass_create(self->flow, shard, FLOW_PASS_TRAIN, err);
        s->scratch = flow_block_new(shard * self->options.scratch * sizeof *s->scratch);
        if (!s->pass || !s->scratch)
            return flow_fail(err, FLOW_ENOMEM, "out of memory for a training shard");
    }
    return 0;
}

static int take(flow_trainer *self, const flow_lanes *cuts, size_t n_cuts, flow_err *err)
{
    const flow_trainer_options *o = &self->options;
    flow_optimizer_options adam = {.weight_decay = o->weight_decay, .average = o->average};
    size_t lanes = 0, shard = 0;
    for (size_t k = 0; k < n_cuts; k++) {
        size_t workers = flow_lanes_workers(&cuts[k], self->pool);
        lanes = cuts[k].lanes > lanes ? cuts[k].lanes : lanes;
        shard = cuts[k].shard > shard ? cuts[k].shard : shard;
        self->n_seats = workers > self->n_seats ? workers : self->n_seats;
    }
    self->optimizer = flow_optimizer_create(self->flow, &adam, lanes, err);
    if (!self->optimizer)
        return FLOW_ENOMEM;
    if (o->best && !(self->best = flow_block_new(flow_params_bytes(self->flow))))
        return flow_fail(err, FLOW_ENOMEM, "out of memory for the best weights");
    return take_seats(self, shard, err);
}

flow_trainer *flow_trainer_create(flow *trained, flow_pool *pool, const flow_lanes *cuts,
                                  size_t n_cuts, const flow_trainer_options *options, flow_err *err)
{
    flow_trainer *self = calloc(1, sizeof *self);
    if (!self) {
        flow_fail(err, FLOW_ENOMEM, "out of memory for a trainer");
        return NULL;
    }
    self->flow = trained;
    self->pool = pool;
    self->options = *options;
    self->best_score = INFINITY;
    flow_first_error_init(&self->first_error);
    flow_plateau_init(&self->plateau, options->plateau_factor, options->plateau_patience);
    if (!take(self, cuts, n_cuts, err))
        return self;
    flow_trainer_free(self);
    return NULL;
}

void flow_trainer_free(flow_trainer *self)
{
    if (!self)
        return;
    release_seats(self);
    flow_first_error_release(&self->first_error);
    flow_optimizer_free(self->optimizer);
    free(self->best);
    free(self);
}

size_t flow_trainer_seats(const flow_trainer *self)
{
    return self->n_seats;
}

const flow_trainer_state *flow_trainer_at(const flow_trainer *self)
{
    return &self->state;
}

/* ---- a step */

typedef struct job {
    flow_trainer *trainer;
    flow_trainer_work *work;
    void *arg;
} job;

static void run_slice(void *arg, const flow_slice *slice)
{
    const job *j = arg;
    flow_trainer *self = j->trainer;
    flow_err err = FLOW_ERR_INIT;
    if (flow_first_error_spares(&self->first_error, slice->shard))
        return;
    if (j->work(j->arg, slice, &self->seats[slice->worker],
                flow_optimizer_lane(self->optimizer, slice->lane), &err))
        flow_first_error_note(&self->first_error, slice->shard, &err);
}

int flow_trainer_accumulate(flow_trainer *self, const flow_lanes *cut, flow_trainer_work *work,
                            void *arg, flow_err *err)
{
    job j = {self, work, arg};
    self->cut = *cut;
    flow_lanes_run(cut, self->pool, run_slice, &j);
    int code = flow_first_error_take(&self->first_error, err);
    if (code)
        flow_optimizer_empty(self->optimizer);
    return code;
}

double flow_trainer_spread(flow_trainer *self)
{
    size_t rows[FLOW_MAX_LANES];
    for (size_t l = 0; l < FLOW_MAX_LANES; l++)
        rows[l] = flow_lanes_rows(&self->cut, l);
    return flow_optimizer_lane_spread(self->optimizer, self->pool, rows);
}

static double largest_norm(const flow_trainer *self)
{
    double clip = self->options.clip;
    return clip > 0 ? clip * flow_median_get(&self->norms) : INFINITY;
}

static void count(flow_trainer *self, flow_step_result result)
{
    flow_trainer_state *s = &self->state;
    int skipped = result == FLOW_STEP_SKIPPED;
    if (!skipped)
        flow_median_add(&self->norms, s->gradient_norm);
    s->step++;
    s->clipped += result == FLOW_STEP_CLIPPED;
    s->skipped += (size_t)skipped;
    s->skipped_in_a_row = skipped ? s->skipped_in_a_row + 1 : 0;
}

static int give_up(flow_trainer *self, flow_err *err)
{
    char name[FLOW_TENSOR_NAME];
    flow_optimizer_blame(self->optimizer, name);
    return flow_fail(
        err, FLOW_EDIVERGED,
        "step %zu: the gradient has not been finite for %d steps in a row, now that of "
        "%s; try a smaller %s or a smaller clip",
        self->state.step, FLOW_MAX_SKIPPED, *name ? name : "all together", self->options.lr_name);
}

int flow_trainer_step(flow_trainer *self, flow_err *err)
{
    const flow_trainer_options *o = &self->options;
    flow_trainer_state *s = &self->state;
    s->lr = o->lr * self->plateau.rate *
            flow_schedule_factor(o->schedule, s->step, o->warmup, o->steps);
    count(self,
          flow_optimizer_step(self->optimizer, self->pool, s->lr, 1.0 / (double)self->cut.rows,
                              largest_norm(self), &s->gradient_norm));
    return s->skipped_in_a_row < FLOW_MAX_SKIPPED ? 0 : give_up(self, err);
}

/* ---- the weights */

void flow_trainer_swap_average(flow_trainer *self)
{
    flow_optimizer_swap_average(self->optimizer);
}

int flow_trainer_judge(flow_trainer *self, double loss, double score)
{
    assert(self->best);
    if (self->options.schedule == FLOW_PLATEAU)
        flow_plateau_update(&self->plateau, loss);
    if (!(score < self->best_score))
        return 0;
    self->best_score = score;
    memcpy(self->best, flow_params_const(self->flow), flow_params_bytes(self->flow));
    return 1;
}

int flow_trainer_finite(const flow_trainer *self)
{
    return flow_optimizer_finite(self->optimizer);
}

void flow_trainer_finish(flow_trainer *self)
{
    if (self->best && self->best_score < INFINITY)
        memcpy(flow_params(self->flow), self->best, flow_params_bytes(self->flow));
    else
        flow_trainer_swap_average(self);
}

/* ---- saving */

void flow_trainer_pieces(flow_trainer *self, flow_pieces *pieces)
{
    flow_optimizer_pieces(self->optimizer, pieces);
    flow_pieces_add(pieces, "counters", &self->state, sizeof self->state);
    flow_pieces_add(pieces, "norms", &self->norms, sizeof self->norms);
    flow_pieces_add(pieces, "plateau", &self->plateau, sizeof self->plateau);
    flow_pieces_add(pieces, "best weights", self->best,
                    self->best ? flow_params_bytes(self->flow) : 0);
    flow_pieces_add(pieces, "best score", &self->best_score, sizeof self->best_score);
}

int flow_trainer_save(flow_trainer *self, void **block, size_t *size, flow_err *err)
{
    flow_pieces pieces = {.n = 0};
    flow_trainer_pieces(self, &pieces);
    return flow_snapshot_save(block, size, &pieces, err);
}

int flow_trainer_load(flow_trainer *self, const void *block, size_t size, flow_err *err)
{
    flow_pieces pieces = {.n = 0};
    flow_trainer_pieces(self, &pieces);
    return flow_snapshot_load(&pieces, block, size, err);
}
