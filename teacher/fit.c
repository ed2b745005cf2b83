#include "teacher/fit.h"
#include "flow/lanes.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { INIT_ROWS = 4096, MAX_SKIPPED = 50 }; /* MAX_SKIPPED: in a row */

/* What one thread needs for a shard. */
typedef struct seat {
    flow_pass *pass;
    double *x, *context, *z, *logp, *minus_ones;
} seat;

typedef struct fit {
    flow *flow;
    flow_pool *pool;
    const data_set *data;
    const teacher_fit_options *options;
    teacher_fit_state *state;
    flow_optimizer *optimizer;
    flow_lanes lanes;
    size_t *order;      /* (train.n) */
    size_t batch_start; /* into order */
    double *shard_loss; /* (shards) */
    seat *seats;        /* (flow_lanes_workers) */
    void *best;         /* parameter block */
    size_t skipped_in_a_row;
} fit;

/* ---- memory */

static void release_seat(seat *s)
{
    flow_pass_free(s->pass);
    free(s->x);
}

static int take_seat(seat *s, const fit *f, flow_err *err)
{
    size_t rows = f->lanes.shard, dim = f->data->dim, context = f->data->n_context;
    if (flow_require_log_prob(f->flow, err))
        return FLOW_ECONFIG;
    s->pass = flow_pass_create(f->flow, rows, FLOW_PASS_TRAIN, err);
    s->x = malloc(rows * (2 * dim + context + 2) * sizeof *s->x);
    if (!s->pass || !s->x)
        return flow_fail(err, FLOW_ENOMEM, "out of memory for a training shard");
    s->z = s->x + rows * dim;
    s->context = s->z + rows * dim;
    s->logp = s->context + rows * context;
    s->minus_ones = s->logp + rows;
    for (size_t r = 0; r < rows; r++)
        s->minus_ones[r] = -1;
    return 0;
}

static void release(fit *f)
{
    for (size_t w = 0; f->seats && w < flow_lanes_workers(&f->lanes, f->pool); w++)
        release_seat(&f->seats[w]);
    free(f->seats);
    free(f->order);
    free(f->shard_loss);
    free(f->best);
    flow_optimizer_free(f->optimizer);
}

static int take(fit *f, flow_err *err)
{
    const teacher_fit_options *o = f->options;
    size_t n = f->data->train.n, batch = o->batch < n ? o->batch : n;
    f->lanes = flow_lanes_cut_for(f->flow, batch, o->shard);
    size_t seats = flow_lanes_workers(&f->lanes, f->pool);
    flow_optimizer_options adam = {.weight_decay = o->weight_decay, .average = o->average};
    f->optimizer = flow_optimizer_create(f->flow, &adam, f->lanes.lanes, err);
    f->order = malloc(n * sizeof *f->order);
    f->shard_loss = malloc(f->lanes.shards * sizeof *f->shard_loss);
    f->best = malloc(flow_params_bytes(f->flow) + 1);
    f->seats = calloc(seats, sizeof *f->seats);
    if (!f->optimizer || !f->order || !f->shard_loss || !f->best || !f->seats)
        return flow_fail(err, FLOW_ENOMEM, "out of memory for the fit");
    for (size_t w = 0; w < seats; w++)
        if (take_seat(&f->seats[w], f, err))
            return FLOW_ENOMEM;
    return 0;
}

/* ---- one step */

/* L = -sum log p */
static void gradient_of_shard(void *arg, const flow_slice *slice)
{
    fit *f = arg;
    seat *s = &f->seats[slice->worker];
    size_t dim = f->data->dim, c = f->data->n_context;
    const size_t *rows = f->order + f->batch_start + slice->row;
    for (size_t r = 0; r < slice->n; r++) {
        memcpy(s->x + r * dim, f->data->train.x + rows[r] * dim, dim * sizeof *s->x);
        if (c)
            memcpy(s->context + r * c, f->data->train.context + rows[r] * c, c * sizeof *s->x);
    }
    flow_pass_log_prob(s->pass, NULL, s->logp, s->z, s->x, s->context, slice->n);
    double loss = 0;
    for (size_t r = 0; r < slice->n; r++)
        loss -= s->logp[r];
    f->shard_loss[slice->shard] = loss;
    flow_pass_density_backward(s->pass, NULL, NULL, flow_optimizer_lane(f->optimizer, slice->lane),
                               s->minus_ones);
}

static double sum_of_shards(const fit *f)
{
    double sum = 0;
    for (size_t s = 0; s < f->lanes.shards; s++)
        sum += f->shard_loss[s];
    return sum;
}

static int step(fit *f, double lr, flow_err *err)
{
    teacher_fit_state *state = f->state;
    double clip = f->options->clip > 0 ? f->options->clip : INFINITY;
    flow_lanes_run(&f->lanes, f->pool, gradient_of_shard, f);
    flow_step_result result = flow_optimizer_step(
        f->optimizer, f->pool, lr, 1.0 / (double)f->lanes.rows, clip, &state->gradient_norm);
    state->step++;
    state->clipped += result == FLOW_STEP_CLIPPED;
    state->skipped += result == FLOW_STEP_SKIPPED;
    f->skipped_in_a_row = result == FLOW_STEP_SKIPPED ? f->skipped_in_a_row + 1 : 0;
    if (f->skipped_in_a_row >= MAX_SKIPPED)
        return flow_fail(err, FLOW_EDIVERGED,
                         "step %zu: the gradient has not been finite for %d steps in a row; try a "
                         "smaller teacher.train.lr or a smaller clip",
                         state->step, MAX_SKIPPED);
    return 0;
}

/* ---- epochs */

static int run_epoch(fit *f, double plateau, flow_err *err)
{
    const teacher_fit_options *o = f->options;
    size_t n = f->data->train.n, batches = n / f->lanes.rows;
    pcg_stream stream = {.seed = o->seed, .stage = PCG_TEACHER, .purpose = PCG_SHUFFLE};
    pcg_permutation(f->order, n, stream, f->state->epoch);
    double sum = 0;
    for (size_t b = 0; b < batches; b++) {
        f->batch_start = b * f->lanes.rows;
        f->state->lr =
            o->lr * plateau *
            flow_schedule_factor(o->schedule, f->state->step, o->warmup, o->epochs * batches);
        if (step(f, f->state->lr, err))
            return FLOW_EDIVERGED;
        sum += sum_of_shards(f);
        if (o->stop && o->stop())
            return flow_fail(err, FLOW_ESTOPPED, "stopped in epoch %zu", f->state->epoch);
    }
    f->state->rows_left_out = n - batches * f->lanes.rows;
    f->state->train_loss = sum / (double)(batches * f->lanes.rows);
    return 0;
}

/* Validates with the averaged weights and keeps them if they are the best so far. */
static int validate(fit *f, flow_err *err)
{
    double mean, se;
    flow_optimizer_swap_average(f->optimizer);
    int code = teacher_log_likelihood(f->flow, f->pool, &mean, &se, &f->data->valid, err);
    teacher_fit_state *state = f->state;
    state->valid_loss = -mean;
    double newest = flow_optimizer_finite(f->optimizer) ? -(double)state->epoch : NAN;
    double loss = f->data->valid.n ? state->valid_loss : newest; /* without rows: newest is best */
    if (!code && loss < state->best_loss) {
        state->best_loss = loss;
        state->best_epoch = state->epoch;
        memcpy(f->best, flow_params_const(f->flow), flow_params_bytes(f->flow));
    }
    flow_optimizer_swap_average(f->optimizer);
    return code;
}

static int out_of_patience(const fit *f)
{
    return f->options->patience && f->data->valid.n &&
           f->state->epoch - f->state->best_epoch >= f->options->patience;
}

static int run_epochs(fit *f, teacher_fit_watch watch, void *arg, flow_err *err)
{
    const teacher_fit_options *o = f->options;
    flow_plateau plateau;
    double rate = 1;
    flow_plateau_init(&plateau, o->plateau_factor, o->plateau_patience);
    for (size_t e = 0; e < o->epochs; e++) {
        f->state->epoch = e + 1;
        int code = run_epoch(f, rate, err);
        if (!code)
            code = validate(f, err);
        if (code)
            return code;
        if (o->schedule == FLOW_PLATEAU)
            rate = flow_plateau_update(&plateau, f->state->valid_loss);
        if (watch && watch(arg, f->state))
            return flow_fail(err, FLOW_ESTOPPED, "stopped after epoch %zu", e + 1);
        if (out_of_patience(f))
            break;
    }
    if (o->epochs && !f->state->best_epoch) /* too few steps to be caught by step() */
        return flow_fail(err, FLOW_EDIVERGED,
                         "no epoch of %zu ended with a finite loss; try a smaller teacher.train.lr",
                         f->state->epoch);
    return 0;
}

static int start(fit *f, flow_err *err)
{
    const data_part *train = &f->data->train;
    pcg_stream init = {.seed = f->options->seed, .stage = PCG_TEACHER, .purpose = PCG_INIT};
    *f->state =
        (teacher_fit_state){.epochs = f->options->epochs, .best_loss = INFINITY, .valid_loss = NAN};
    if (train->n == 0)
        return flow_fail(err, FLOW_EDATA, "no training rows");
    flow_init(f->flow, init);
    return flow_init_data(f->flow, train->x, train->context,
                          train->n < INIT_ROWS ? train->n : INIT_ROWS, err);
}

int teacher_fit(flow *self, teacher_fit_state *state, flow_pool *pool, const data_set *data,
                const teacher_fit_options *options, teacher_fit_watch watch, void *arg,
                flow_err *err)
{
    assert(flow_get_direction(self) == FLOW_DATA_TO_NOISE && flow_dim(self) == data->dim &&
           flow_context(self) == data->n_context);
    fit f = {.flow = self, .pool = pool, .data = data, .options = options, .state = state};
    int code = start(&f, err);
    if (!code)
        code = take(&f, err);
    if (!code)
        code = run_epochs(&f, watch, arg, err);
    if (f.best && state->best_epoch)
        memcpy(flow_params(self), f.best, flow_params_bytes(self));
    release(&f);
    return code;
}

int teacher_log_likelihood(const flow *self, flow_pool *pool, double *mean, double *se,
                           const data_part *part, flow_err *err)
{
    *mean = *se = NAN;
    if (part->n == 0)
        return 0;
    double *logp = malloc(part->n * sizeof *logp);
    if (!logp)
        return flow_fail(err, FLOW_ENOMEM, "out of memory for %zu rows", part->n);
    int code = flow_log_prob(self, pool, logp, NULL, part->x, part->context, part->n, err);
    double sum = 0, square = 0, n = (double)part->n;
    for (size_t r = 0; r < part->n; r++)
        sum += logp[r];
    for (size_t r = 0; r < part->n; r++)
        square += (logp[r] - sum / n) * (logp[r] - sum / n);
    free(logp);
    *mean = sum / n;
    *se = part->n > 1 ? sqrt(square / (n - 1) / n) : NAN;
    return code;
}
