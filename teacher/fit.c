#include "teacher/fit.h"

#include "flow/shuffle.h"
#include "teacher/start.h"
#include "teacher/streams.h"
#include "teacher/weights.h"

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* Where a fitting is within its epoch. */
typedef struct place {
    uint64_t batch; /* done */
    double loss;    /* their sum */
} place;

/* What a block must have been saved from. */
typedef struct identity {
    uint64_t seed, rows, batch, epochs, shard;
} identity;

struct teacher_fitting {
    flow *flow;
    flow_pool *pool;
    const data_set *data;
    teacher_fit_options options;
    teacher_fit_state state;
    flow_trainer *trainer;
    flow_lanes lanes;
    size_t batches;  /* of an epoch */
    uint32_t *order; /* (train.n), of this epoch; NULL of many rows: what the shuffle says */
    flow_shuffle shuffle;
    place at;
    double *shard_loss; /* (shards) */
    identity identity;
};

/* ---- memory */

static int start_flow(teacher_fitting *self, flow_err *err)
{
    pcg_stream init = {.seed = self->options.seed, .stage = STREAM_TEACHER, .purpose = PCG_INIT};
    return teacher_start(self->flow, self->data, init, err);
}

static int take_trainer(teacher_fitting *self, flow_err *err)
{
    const teacher_fit_options *o = &self->options;
    const data_set *data = self->data;
    flow_trainer_options options = {.lr = o->lr,
                                    .warmup = o->warmup,
                                    .steps = o->epochs * self->batches,
                                    .schedule = o->schedule,
                                    .plateau_factor = o->plateau_factor,
                                    .plateau_patience = o->plateau_patience,
                                    .weight_decay = o->weight_decay,
                                    .average = o->average,
                                    .clip = o->clip,
                                    .best = 1,
                                    .scratch = 2 * data->dim + data->n_context + 2,
                                    .lr_name = "teacher.train.lr"};
    self->trainer = flow_trainer_create(self->flow, self->pool, &self->lanes, 1, &options, err);
    return self->trainer ? 0 : FLOW_ENOMEM;
}

static int take(teacher_fitting *self, flow_err *err)
{
    const teacher_fit_options *o = &self->options;
    size_t n = self->data->train.n, batch = o->batch < n ? o->batch : n;
    self->lanes = flow_lanes_cut_for(self->flow, batch, o->shard);
    self->batches = n / self->lanes.rows;
    self->state = (teacher_fit_state){.epochs = o->epochs,
                                      .best_loss = INFINITY,
                                      .valid_loss = NAN,
                                      .rows_left_out = n - self->batches * self->lanes.rows};
    self->identity = (identity){o->seed, n, batch, o->epochs, self->lanes.shard};
    bool many = n > FLOW_SHUFFLE_ROWS;
    self->order = many ? NULL : malloc(n * sizeof *self->order);
    self->shard_loss = malloc(self->lanes.shards * sizeof *self->shard_loss);
    if ((!self->order && !many) || !self->shard_loss)
        return flow_fail(err, FLOW_ENOMEM, "out of memory for the fit");
    return take_trainer(self, err);
}

teacher_fitting *teacher_fitting_create(flow *fitted, flow_pool *pool, const data_set *data,
                                        const teacher_fit_options *options, flow_err *err)
{
    if (flow_get_direction(fitted) != FLOW_DATA_TO_NOISE || flow_dim(fitted) != data->dim ||
        flow_context(fitted) != data->n_context) {
        flow_fail(err, FLOW_EUSAGE,
                  "a fit to %zu columns, %zu of context, wants a flow of these "
                  "that is parallel from data to noise",
                  data->dim, data->n_context);
        return NULL;
    }
    teacher_fitting *self = calloc(1, sizeof *self);
    if (!self) {
        flow_fail(err, FLOW_ENOMEM, "out of memory for the fit");
        return NULL;
    }
    *self = (teacher_fitting){.flow = fitted, .pool = pool, .data = data, .options = *options};
    int code = flow_require_log_prob(fitted, err);
    if (!code && !data->train.n)
        code = flow_fail(err, FLOW_EDATA, "no training rows");
    if (!code)
        code = start_flow(self, err);
    if (!code)
        code = take(self, err);
    if (!code)
        return self;
    teacher_fitting_free(self);
    return NULL;
}

void teacher_fitting_free(teacher_fitting *self)
{
    if (!self)
        return;
    flow_trainer_free(self->trainer);
    free(self->order);
    free(self->shard_loss);
    free(self);
}

/* ---- one step */

/* Row r of the slice in the data set. */
static size_t row_of(const teacher_fitting *self, const flow_slice *slice, size_t r)
{
    size_t i = self->at.batch * self->lanes.rows + slice->row + r;
    return self->order ? self->order[i] : (size_t)flow_shuffle_at(&self->shuffle, i);
}

/* Copies the slice's rows of the data set. */
static void gather(const teacher_fitting *self, double *x, double *context, const flow_slice *slice)
{
    const data_part *train = &self->data->train;
    size_t dim = self->data->dim, c = self->data->n_context;
    for (size_t r = 0; r < slice->n; r++) {
        size_t row = row_of(self, slice, r);
        data_numbers_copy(x + r * dim, &train->x, row, 1);
        if (c)
            data_numbers_copy(context + r * c, &train->context, row, 1);
    }
}

/* dlogp (n) = minus the weight of each row of the slice. */
static void weigh(const teacher_fitting *self, double *dlogp, const flow_slice *slice)
{
    const data_numbers *weight = &self->data->train.weight;
    for (size_t r = 0; r < slice->n; r++)
        dlogp[r] = weight->at ? -data_number(weight, row_of(self, slice, r), 0) : -1;
}

/* L = -sum of weight log p */
static int gradient_of_shard(void *arg, const flow_slice *slice, const flow_seat *seat,
                             flow_gradient *lane, flow_err *err)
{
    teacher_fitting *self = arg;
    size_t rows = self->lanes.shard, dim = self->data->dim;
    double *x = seat->scratch, *z = x + rows * dim, *context = z + rows * dim;
    double *logp = context + rows * self->data->n_context, *dlogp = logp + rows, loss = 0;
    (void)err;
    gather(self, x, context, slice);
    flow_pass_log_prob(seat->pass, NULL, logp, z, x, context, slice->n);
    weigh(self, dlogp, slice);
    for (size_t r = 0; r < slice->n; r++)
        loss += dlogp[r] * logp[r];
    self->shard_loss[slice->shard] = loss;
    flow_pass_density_backward(seat->pass, NULL, NULL, lane, dlogp);
    return 0;
}

static double sum_of_shards(const teacher_fitting *self)
{
    double sum = 0;
    for (size_t s = 0; s < self->lanes.shards; s++)
        sum += self->shard_loss[s];
    return sum;
}

static void copy_counters(teacher_fitting *self)
{
    const flow_trainer_state *from = flow_trainer_at(self->trainer);
    teacher_fit_state *to = &self->state;
    to->step = from->step;
    to->clipped = from->clipped;
    to->skipped = from->skipped;
    to->lr = from->lr;
    to->gradient_norm = from->gradient_norm;
}

static int step(teacher_fitting *self, flow_err *err)
{
    int code = flow_trainer_accumulate(self->trainer, &self->lanes, gradient_of_shard, self, err);
    if (!code)
        code = flow_trainer_step(self->trainer, err);
    copy_counters(self);
    self->at.loss += sum_of_shards(self);
    self->at.batch++;
    return code;
}

/* ---- epochs */

static void shuffle(teacher_fitting *self)
{
    pcg_stream stream = {
        .seed = self->options.seed, .stage = STREAM_TEACHER, .purpose = PCG_SHUFFLE};
    if (self->order)
        pcg_permutation_32(self->order, self->data->train.n, stream, self->state.epoch);
    else
        self->shuffle = flow_shuffle_of(self->data->train.n, stream, self->state.epoch);
}

static void begin_epoch(teacher_fitting *self)
{
    self->at = (place){0};
    self->state.epoch++;
    shuffle(self);
}

/* What decides which weights are the best: without rows to validate with, the newest are. */
static double score(const teacher_fitting *self)
{
    if (self->data->valid.n)
        return self->state.valid_loss;
    return flow_trainer_finite(self->trainer) ? -(double)self->state.epoch : NAN;
}

/* Validates with the averaged weights and keeps them if they are the best so far. */
static int validate(teacher_fitting *self, flow_err *err)
{
    teacher_fit_state *state = &self->state;
    double mean, se;
    flow_trainer_swap_average(self->trainer);
    int code = teacher_log_likelihood(self->flow, self->pool, &mean, &se, &self->data->valid, err);
    state->valid_loss = -mean;
    if (!code && flow_trainer_judge(self->trainer, state->valid_loss, score(self))) {
        state->best_loss = score(self);
        state->best_epoch = state->epoch;
    }
    flow_trainer_swap_average(self->trainer);
    return code;
}

static int end_epoch(teacher_fitting *self, flow_err *err)
{
    self->state.train_loss = self->at.loss / (double)(self->batches * self->lanes.rows);
    return validate(self, err);
}

static int epoch_is_over(const teacher_fitting *self)
{
    return self->at.batch == self->batches;
}

int teacher_fitting_step(teacher_fitting *self, int *epoch_over, flow_err *err)
{
    if (self->state.epoch == 0 || epoch_is_over(self))
        begin_epoch(self);
    int code = step(self, err);
    *epoch_over = !code && epoch_is_over(self);
    return *epoch_over ? end_epoch(self, err) : code;
}

static int out_of_patience(const teacher_fitting *self)
{
    size_t patience = self->options.patience;
    return patience && self->data->valid.n &&
           self->state.epoch - self->state.best_epoch >= patience;
}

int teacher_fitting_over(const teacher_fitting *self)
{
    size_t epochs = self->options.epochs;
    if (self->state.epoch == 0)
        return epochs == 0;
    return epoch_is_over(self) && (self->state.epoch >= epochs || out_of_patience(self));
}

const teacher_fit_state *teacher_fitting_at(const teacher_fitting *self)
{
    return &self->state;
}

int teacher_fitting_finish(teacher_fitting *self, flow_err *err)
{
    const teacher_fit_state *state = &self->state;
    flow_trainer_finish(self->trainer);
    if (state->best_epoch || !state->epoch || (state->epoch == 1 && !epoch_is_over(self)))
        return 0;
    return flow_fail(err, FLOW_EDIVERGED, /* too few steps to be caught by the trainer */
                     "no epoch of %zu ended with a finite loss; try a smaller teacher.train.lr",
                     state->epoch);
}

/* ---- saving */

static flow_pieces pieces_of(teacher_fitting *self, place *at, teacher_fit_state *state)
{
    flow_pieces pieces = {.n = 0};
    flow_pieces_add_fixed(&pieces, "seed, rows or batches", &self->identity, sizeof self->identity);
    flow_trainer_pieces(self->trainer, &pieces);
    flow_pieces_add(&pieces, "place in the epoch", at, sizeof *at);
    flow_pieces_add(&pieces, "state of the fit", state, sizeof *state);
    return pieces;
}

int teacher_fitting_save(teacher_fitting *self, void **block, size_t *size, flow_err *err)
{
    flow_pieces pieces = pieces_of(self, &self->at, &self->state);
    return flow_snapshot_save(block, size, &pieces, err);
}

int teacher_fitting_load(teacher_fitting *self, const void *block, size_t size, flow_err *err)
{
    place at;
    teacher_fit_state state;
    flow_pieces pieces = pieces_of(self, &at, &state);
    int code = flow_snapshot_load(&pieces, block, size, err);
    if (code)
        return code;
    if (at.batch > self->batches || state.epoch > self->options.epochs ||
        (at.batch > 0 && state.epoch == 0) || state.best_epoch > state.epoch)
        return flow_fail(err, FLOW_EDATA,
                         "saved state: batch %zu of epoch %zu, there are %zu of %zu",
                         (size_t)at.batch, state.epoch, self->batches, self->options.epochs);
    self->at = at;
    self->state = state;
    if (state.epoch)
        shuffle(self);
    return 0;
}

/* ---- in one go */

/* What a fit is of. */
typedef struct subject {
    flow *flow;
    flow_pool *pool;
    const data_set *data;
    const teacher_fit_options *options;
} subject;

static void *create(const void *of, flow_err *err)
{
    const subject *s = of;
    return teacher_fitting_create(s->flow, s->pool, s->data, s->options, err);
}

static int save(void *self, void **block, size_t *size, flow_err *err)
{
    return teacher_fitting_save(self, block, size, err);
}

static int load(void *self, const void *block, size_t size, flow_err *err)
{
    return teacher_fitting_load(self, block, size, err);
}

static void release(void *self)
{
    teacher_fitting_free(self);
}

static const flow_kept fittings = {create, save, load, release};

static int run(teacher_fitting *self, teacher_fit_watch watch, void *arg, flow_err *err)
{
    const teacher_fit_options *o = &self->options;
    while (!teacher_fitting_over(self)) {
        int epoch_over, code = teacher_fitting_step(self, &epoch_over, err);
        if (code)
            return code;
        bool after = epoch_over && watch && watch(arg, &self->state);
        bool stop = after || (o->stop && o->stop());
        if (flow_keeper_due(o->keeper, stop) && flow_keeper_keep(o->keeper, &fittings, self, err))
            return err->code;
        if (stop)
            return flow_fail(err, FLOW_ESTOPPED, "stopped %s epoch %zu", after ? "after" : "in",
                             self->state.epoch);
    }
    return 0;
}

int teacher_fit(flow *self, teacher_fit_state *state, flow_pool *pool, const data_set *data,
                const teacher_fit_options *options, teacher_fit_watch watch, void *arg,
                flow_err *err)
{
    *state =
        (teacher_fit_state){.epochs = options->epochs, .best_loss = INFINITY, .valid_loss = NAN};
    flow_err local = FLOW_ERR_INIT;
    const subject of = {self, pool, data, options};
    teacher_fitting *f = flow_keeper_start(options->keeper, &fittings, &of, &local);
    int code = f ? run(f, watch, arg, &local) : local.code;
    if (f) {
        int late = teacher_fitting_finish(f, code ? NULL : &local);
        code = code ? code : late;
        *state = f->state;
    }
    teacher_fitting_free(f);
    return code ? flow_fail(err, (flow_code)code, "%s", local.text) : 0;
}

/* ---- how likely rows are */

typedef struct likelihood {
    const flow *flow;
    flow_pool *pool;
    double *logp; /* (n) of all rows */
} likelihood;

static int take_densities(void *arg, double *x, double *context, size_t first, size_t n,
                          flow_err *err)
{
    const likelihood *self = arg;
    return flow_log_prob(self->flow, self->pool, self->logp + first, NULL, x, context, n, err);
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
    likelihood all = {self, pool, logp};
    int code = data_part_visit(part, take_densities, &all, err);
    if (!code)
        data_weighted_mean(mean, se, logp, &part->weight, part->n);
    free(logp);
    return code;
}
