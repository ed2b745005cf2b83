#include "student/distill.h"
#include "flow/lanes.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_SKIPPED = 50 }; /* steps in a row before giving up */
#define TEMPER_ESS 0.5     /* beta rises as far as this share of the sample stays effective */
#define TEMPER_RISE 1.25   /* and at most by this factor from one probe to the next */

/* What one thread needs for a shard of n rows. */
typedef struct seat {
    flow_pass *pass;
    void *work; /* of the target */
    double *block;
    double *x, *z, *grad, *score, *context; /* (shard, D), context (shard, C) */
    double *logp, *logq, *dlogq, *u;        /* (shard) */
} seat;

typedef struct shard_sums {
    double reverse, forward; /* sums of log q - log p~ and of log p~ - log q */
    size_t n_reverse, n_forward, zero_density;
} shard_sums;

typedef struct distill {
    flow *flow;
    flow_pool *pool;
    const target *teacher;
    const distill_contexts *contexts;
    const distill_options *options;
    distill_state *state;
    flow_optimizer *optimizer;
    flow_lanes lanes, late;
    const flow_lanes *cut; /* of the step in work */
    shard_sums *sums;      /* (shards) */
    double *log_p, *log_q; /* (rows of a batch): of the step's reverse samples */
    seat *seats;           /* (threads) */
    flow_err *seat_errors; /* (threads) */
    flow_median norms;
    distill_gradient estimator; /* total or path */
    shard_sums since_report;
    size_t skipped_in_a_row;
} distill;

/* ---- memory */

static void release_seat(const distill *d, seat *s)
{
    flow_pass_free(s->pass);
    if (s->work)
        d->teacher->ops->work_free(d->teacher, s->work);
    free(s->block);
}

static int take_seat(const distill *d, seat *s, flow_err *err)
{
    size_t rows = d->lanes.shard > d->late.shard ? d->lanes.shard : d->late.shard;
    size_t dim = d->teacher->dim, c = d->teacher->context;
    if (flow_require_transport(d->flow, err) ||
        (d->options->forward + d->options->forward_end > 0 && flow_require_log_prob(d->flow, err)))
        return FLOW_ECONFIG;
    s->pass = flow_pass_create(d->flow, rows, FLOW_PASS_TRAIN, err);
    s->work = d->teacher->ops->work_create(d->teacher, rows, err);
    s->block = malloc(rows * (4 * dim + c + 4) * sizeof *s->block);
    if (!s->pass || !s->work || !s->block)
        return flow_fail(err, FLOW_ENOMEM, "out of memory for a training shard");
    double *at = s->block;
    double **per_dim[] = {&s->x, &s->z, &s->grad, &s->score};
    double **per_row[] = {&s->logp, &s->logq, &s->dlogq, &s->u};
    for (size_t i = 0; i < 4; i++, at += rows * dim)
        *per_dim[i] = at;
    for (size_t i = 0; i < 4; i++, at += rows)
        *per_row[i] = at;
    s->context = at;
    return 0;
}

static void release(distill *d)
{
    for (size_t w = 0; d->seats && w < flow_pool_threads(d->pool); w++)
        release_seat(d, &d->seats[w]);
    free(d->seats);
    free(d->seat_errors);
    free(d->sums);
    free(d->log_p);
    free(d->log_q);
    flow_optimizer_free(d->optimizer);
}

static int take(distill *d, flow_err *err)
{
    const distill_options *o = d->options;
    size_t threads = flow_pool_threads(d->pool), large = o->batch * o->late_batch;
    d->lanes = flow_lanes_cut(o->batch, o->shard);
    d->late = flow_lanes_cut(large, o->shard);
    flow_optimizer_options adam = {.weight_decay = o->weight_decay, .average = o->average};
    d->optimizer = flow_optimizer_create(d->flow, &adam, d->late.lanes, err);
    d->sums = calloc(d->late.shards, sizeof *d->sums);
    d->log_p = malloc(large * sizeof *d->log_p);
    d->log_q = malloc(large * sizeof *d->log_q);
    d->seats = calloc(threads, sizeof *d->seats);
    d->seat_errors = calloc(threads, sizeof *d->seat_errors);
    if (!d->optimizer || !d->sums || !d->log_p || !d->log_q || !d->seats || !d->seat_errors)
        return flow_fail(err, FLOW_ENOMEM, "out of memory for the distillation");
    for (size_t w = 0; w < threads; w++)
        if (take_seat(d, &d->seats[w], err))
            return FLOW_ENOMEM;
    return 0;
}

/* ---- one shard */

static pcg_stream stream_of(const distill *d, pcg_purpose purpose)
{
    return (pcg_stream){.seed = d->options->seed, .stage = PCG_STUDENT, .purpose = purpose};
}

static void draw_contexts(const distill *d, seat *s, size_t first, size_t n)
{
    size_t c = d->teacher->context;
    if (c == 0)
        return;
    pcg_uniforms(s->u, stream_of(d, PCG_CONTEXT), first, n, 1);
    for (size_t r = 0; r < n; r++) {
        size_t row = (size_t)(s->u[r] * (double)d->contexts->n);
        memcpy(s->context + r * c, d->contexts->rows + row * c, c * sizeof *s->context);
    }
}

/* A row where the target has no density, or whose numbers broke, takes no part. */
static void drop_row(const distill *d, seat *s, size_t r)
{
    size_t dim = d->teacher->dim;
    memset(s->grad + r * dim, 0, dim * sizeof *s->grad);
    memset(s->score + r * dim, 0, dim * sizeof *s->score);
    s->dlogq[r] = 0;
}

/* (1 - lambda) KL(q || p~^beta) on own samples, into the lane. */
static int reverse_term(distill *d, seat *s, const flow_slice *slice, flow_err *err)
{
    const double weight = 1 - d->state->lambda, beta = d->state->beta;
    const int path = d->estimator == DISTILL_PATH;
    size_t n = slice->n, dim = d->teacher->dim;
    shard_sums *sums = &d->sums[slice->shard];
    flow_noise(d->flow, NULL, s->z, stream_of(d, PCG_BASE), d->state->rows + slice->row, n);
    flow_pass_transport(s->pass, NULL, s->x, s->logq, s->z, s->context, n);
    if (d->teacher->ops->log_density(d->teacher, s->logp, s->grad, s->x, s->context, n, s->work,
                                     err))
        return err->code;
    if (path)
        flow_pass_density_score(s->pass, NULL, s->score);
    for (size_t r = 0; r < n; r++) {
        d->log_p[slice->row + r] = s->logp[r];
        d->log_q[slice->row + r] = s->logq[r];
        s->dlogq[r] = weight;
        for (size_t i = r * dim; i < (r + 1) * dim; i++)
            s->grad[i] = weight * ((path ? s->score[i] : 0) - beta * s->grad[i]);
        if (s->logp[r] == -INFINITY) {
            drop_row(d, s, r);
            sums->zero_density++;
        } else {
            sums->reverse += s->logq[r] - s->logp[r];
            sums->n_reverse++;
        }
    }
    flow_pass_sample_backward(s->pass, NULL, flow_optimizer_lane(d->optimizer, slice->lane),
                              s->grad, path ? NULL : s->dlogq);
    return 0;
}

/* Evenly spread over the rows: the multiples of the golden ratio, modulo 1. */
static int is_wide(const distill *d, uint64_t row)
{
    return fmod((double)row * 0.6180339887498949, 1) < d->options->widen;
}

static void widen_noise(const distill *d, seat *s, uint64_t first, size_t n)
{
    size_t dim = d->teacher->dim;
    for (size_t r = 0; r < n; r++) {
        if (!is_wide(d, first + r))
            continue;
        for (size_t i = r * dim; i < (r + 1) * dim; i++)
            s->z[i] *= d->options->widen_by;
    }
}

/* lambda KL(p || q) on the target's samples: d(-log q(x)) at fixed x (mathematics 4).
 *
 * There is a path gradient for this term too (Vaitl 2024): g - grad log p on x and nothing on the
 * log-det. It is not used. Where q is p up to a factor on each of two modes, both scores agree and
 * it is zero but on the bridge between them: it learns the shapes of modes and not their shares,
 * which is what this term is there for. */
static int forward_term(distill *d, seat *s, const flow_slice *slice, flow_err *err)
{
    const double weight = d->state->lambda;
    size_t n = slice->n;
    uint64_t first = d->state->rows + slice->row;
    shard_sums *sums = &d->sums[slice->shard];
    target_noise(d->teacher, s->z, stream_of(d, PCG_TARGET), first, n);
    widen_noise(d, s, first, n);
    if (d->teacher->ops->sample(d->teacher, s->x, s->logp, s->z, s->context, n, s->work, err))
        return err->code;
    flow_pass_log_prob(s->pass, NULL, s->logq, s->z, s->x, s->context, n);
    for (size_t r = 0; r < n; r++) {
        s->dlogq[r] = -weight;
        if (is_wide(d, first + r))
            continue;
        sums->forward += s->logp[r] - s->logq[r];
        sums->n_forward++;
    }
    flow_pass_density_backward(s->pass, NULL, NULL, flow_optimizer_lane(d->optimizer, slice->lane),
                               s->dlogq);
    return 0;
}

static void shard_work(void *arg, const flow_slice *slice)
{
    distill *d = arg;
    seat *s = &d->seats[slice->worker];
    flow_err *err = &d->seat_errors[slice->worker];
    d->sums[slice->shard] = (shard_sums){0};
    draw_contexts(d, s, d->state->rows + slice->row, slice->n);
    if (d->state->lambda < 1 && reverse_term(d, s, slice, err))
        return;
    if (d->state->lambda > 0)
        forward_term(d, s, slice, err);
}

static int run_lanes(distill *d, flow_err *err)
{
    flow_lanes_run(d->cut, d->pool, shard_work, d);
    for (size_t w = 0; w < flow_pool_threads(d->pool); w++)
        if (d->seat_errors[w].code) {
            *err = d->seat_errors[w];
            return err->code;
        }
    return 0;
}

/* ---- schedules */

/* Effective share of the last batch under p~^beta. */
static double ess_at(const distill *d, double beta)
{
    double top = -INFINITY, sum = 0, square = 0;
    for (size_t r = 0; r < d->cut->rows; r++)
        top = fmax(top, beta * d->log_p[r] - d->log_q[r]);
    for (size_t r = 0; r < d->cut->rows; r++) {
        double w = exp(beta * d->log_p[r] - d->log_q[r] - top);
        sum += w;
        square += w * w;
    }
    return sum * sum / ((double)d->cut->rows * square);
}

/* The largest beta that keeps TEMPER_ESS of the sample, between now and now * TEMPER_RISE. */
static double next_beta(const distill *d)
{
    double low = d->state->beta, high = fmin(1, low * TEMPER_RISE);
    if (ess_at(d, high) >= TEMPER_ESS)
        return high;
    for (int i = 0; i < 20; i++) {
        double middle = 0.5 * (low + high);
        if (ess_at(d, middle) >= TEMPER_ESS)
            low = middle;
        else
            high = middle;
    }
    return low;
}

/* Measured, but never behind the straight line in log beta that ends at temper_until. */
static void raise_beta(distill *d)
{
    const distill_options *o = d->options;
    double end = o->temper_until * (double)o->steps, at = (double)d->state->step;
    double line = at >= end ? 1 : exp(log(o->temper) * (1 - at / end));
    d->state->beta = fmax(line, next_beta(d));
}

static void set_lambda(distill *d)
{
    const distill_options *o = d->options;
    double share = o->steps > 1 ? (double)d->state->step / (double)(o->steps - 1) : 0;
    d->state->lambda = o->forward + (o->forward_end - o->forward) * share;
}

/* ---- one step */

/* Both estimators on the same samples; the one whose lanes agree better is used from here on. */
static int choose_estimator(distill *d, flow_err *err)
{
    double spread[2];
    size_t rows[FLOW_MAX_LANES];
    if (d->options->gradient != DISTILL_AUTO || d->cut->lanes < 2 || d->state->lambda >= 1 ||
        flow_has_edge(d->flow))
        return 0;
    for (size_t l = 0; l < FLOW_MAX_LANES; l++)
        rows[l] = flow_lanes_rows(d->cut, l);
    double lambda = d->state->lambda;
    d->state->lambda = 0;
    for (int k = 0; k < 2; k++) {
        d->estimator = k ? DISTILL_PATH : DISTILL_TOTAL;
        int code = run_lanes(d, err);
        if (code)
            return code;
        spread[k] = flow_optimizer_lane_spread(d->optimizer, d->pool, rows);
    }
    d->state->lambda = lambda;
    d->state->spread_total = spread[0];
    d->state->spread_path = spread[1];
    d->estimator = spread[0] < spread[1] ? DISTILL_TOTAL : DISTILL_PATH;
    return 0;
}

static void add_sums(distill *d)
{
    shard_sums *to = &d->since_report;
    for (size_t s = 0; s < d->cut->shards; s++) {
        const shard_sums *from = &d->sums[s];
        to->reverse += from->reverse;
        to->forward += from->forward;
        to->n_reverse += from->n_reverse;
        to->n_forward += from->n_forward;
        d->state->zero_density += from->zero_density;
    }
}

static int apply(distill *d, flow_err *err)
{
    const distill_options *o = d->options;
    distill_state *state = d->state;
    double clip = o->clip > 0 ? o->clip * flow_median_get(&d->norms) : INFINITY;
    state->lr = o->lr * flow_schedule_factor(o->schedule, state->step, o->warmup, o->steps);
    flow_step_result result = flow_optimizer_step(
        d->optimizer, d->pool, state->lr, 1.0 / (double)d->cut->rows, clip, &state->gradient_norm);
    if (result != FLOW_STEP_SKIPPED)
        flow_median_add(&d->norms, state->gradient_norm);
    state->clipped += result == FLOW_STEP_CLIPPED;
    state->skipped += result == FLOW_STEP_SKIPPED;
    d->skipped_in_a_row = result == FLOW_STEP_SKIPPED ? d->skipped_in_a_row + 1 : 0;
    if (d->skipped_in_a_row >= MAX_SKIPPED)
        return flow_fail(err, FLOW_EDIVERGED,
                         "step %zu: the gradient has not been finite for %d steps in a row; try a "
                         "smaller student.train.lr or a smaller clip",
                         state->step, MAX_SKIPPED);
    return 0;
}

static int step(distill *d, flow_err *err)
{
    const distill_options *o = d->options;
    int late = (double)d->state->step >= o->late_from * (double)o->steps;
    d->cut = late ? &d->late : &d->lanes;
    set_lambda(d);
    if (d->state->step % DISTILL_PROBE == 0 && choose_estimator(d, err))
        return err->code;
    if (run_lanes(d, err))
        return err->code;
    add_sums(d);
    d->state->rows += d->cut->rows;
    if (apply(d, err))
        return err->code;
    d->state->step++;
    if (d->state->beta < 1)
        raise_beta(d);
    return 0;
}

/* ---- the whole */

/* What own samples can teach the student's base. */
static int check_base(const flow *student, const distill_options *o, flow_err *err)
{
    if (o->forward >= 1 && o->forward_end >= 1)
        return 0;
    if (o->gradient == DISTILL_PATH && flow_has_edge(student))
        return flow_fail(err, FLOW_ECONFIG,
                         "student.train.gradient: a base with an edge makes path gradients wrong; "
                         "set it to total or auto");
    return flow_check_path(student, err);
}

static void report(distill *d)
{
    distill_state *state = d->state;
    const shard_sums *sums = &d->since_report;
    state->kl_reverse = sums->n_reverse ? sums->reverse / (double)sums->n_reverse : NAN;
    state->kl_forward = sums->n_forward ? sums->forward / (double)sums->n_forward : NAN;
    state->gradient = d->estimator;
    d->since_report = (shard_sums){0};
}

static int run_steps(distill *d, distill_watch watch, void *arg, flow_err *err)
{
    distill_state *state = d->state;
    while (state->step < state->steps) {
        if (step(d, err))
            return err->code;
        if (d->options->stop && d->options->stop())
            return flow_fail(err, FLOW_ESTOPPED, "stopped after step %zu", state->step);
        if (state->step % DISTILL_PROBE && state->step < state->steps)
            continue;
        report(d);
        if (watch && watch(arg, state) && state->step < state->steps)
            return flow_fail(err, FLOW_ESTOPPED, "stopped after step %zu", state->step);
    }
    return 0;
}

int student_distill(flow *self, distill_state *state, flow_pool *pool, const target *teacher,
                    const distill_contexts *contexts, const distill_options *options,
                    distill_watch watch, void *arg, flow_err *err)
{
    assert(flow_get_direction(self) == FLOW_NOISE_TO_DATA && flow_dim(self) == teacher->dim &&
           flow_context(self) == teacher->context);
    flow_err local = FLOW_ERR_INIT;
    distill d = {.flow = self,
                 .pool = pool,
                 .teacher = teacher,
                 .contexts = contexts,
                 .options = options,
                 .state = state,
                 .estimator = options->gradient == DISTILL_TOTAL || flow_has_edge(self)
                                  ? DISTILL_TOTAL
                                  : DISTILL_PATH};
    *state = (distill_state){
        .steps = options->steps, .beta = options->temper, .spread_total = NAN, .spread_path = NAN};
    if ((options->forward > 0 || options->forward_end > 0) && !teacher->ops->sample)
        return flow_fail(err, FLOW_ECONFIG,
                         "student.train.forward: the target cannot be sampled, so there is no "
                         "forward term; set it to 0");
    if (check_base(self, options, err))
        return FLOW_ECONFIG;
    flow_init(self, stream_of(&d, PCG_INIT));
    int code = take(&d, &local);
    if (!code)
        code = run_steps(&d, watch, arg, &local);
    if (d.optimizer)
        flow_optimizer_swap_average(d.optimizer);
    if (!code && !flow_optimizer_finite(d.optimizer)) /* too few steps to be caught by apply() */
        code = flow_fail(&local, FLOW_EDIVERGED,
                         "step %zu: weights are not finite; try a smaller student.train.lr",
                         state->step);
    release(&d);
    if (code)
        flow_fail(err, (flow_code)code, "%s", local.text);
    return code;
}
