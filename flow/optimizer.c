#include "flow/optimizer.h"

#include "flow/backend.h"
#include "flow/block.h"
#include "flow/sort.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { RANGE = 16384 }; /* parameters of one task: fixed, so that sums have one order */

struct flow_optimizer {
    flow *flow;
    flow_optimizer_options options;
    size_t lanes, ranges, steps;
    flow_gradient *lane; /* (lanes) */
    flow_gradient *sum;  /* the lane that the others are added to */
    void *moment1, *moment2;
    char *memory;    /* of moments and lanes */
    void *average;   /* NULL: none is kept; may change places with the flow's parameters */
    double *squares; /* (ranges) */
    flow_adam adam;  /* of the step in work */
};

static void fill_defaults(flow_optimizer_options *o)
{
    o->beta1 = o->beta1 > 0 ? o->beta1 : 0.9;
    o->beta2 = o->beta2 > 0 ? o->beta2 : 0.999;
    o->eps = o->eps > 0 ? o->eps : 1e-8;
}

/* Moments and lanes in one piece, which gets large pages even where a block alone is small. */
static int take_blocks(flow_optimizer *self)
{
    size_t each = (flow_params_bytes(self->flow) + 63) / 64 * 64;
    self->memory = flow_block_new((2 + self->lanes) * each);
    if (!self->memory)
        return -1;
    self->moment1 = self->memory;
    self->moment2 = self->memory + each;
    for (size_t k = 0; k < self->lanes; k++)
        self->lane[k].block = self->memory + (2 + k) * each;
    if (self->options.average > 0 && !(self->average = flow_block_new(each)))
        return -1;
    return 0;
}

flow_optimizer *flow_optimizer_create(flow *target, const flow_optimizer_options *options,
                                      size_t lanes, flow_err *err)
{
    if (lanes == 0) {
        flow_fail(err, FLOW_EUSAGE, "an optimiser wants a lane");
        return NULL;
    }
    flow_optimizer *self = calloc(1, sizeof *self);
    if (!self)
        goto fail;
    self->flow = target;
    self->options = *options;
    self->lanes = lanes;
    self->ranges = (flow_n_params(target) + RANGE - 1) / RANGE;
    fill_defaults(&self->options);
    self->lane = calloc(lanes, sizeof *self->lane);
    self->squares = calloc(self->ranges + 1, sizeof *self->squares);
    if (!self->lane || !self->squares || take_blocks(self))
        goto fail;
    if (self->average)
        memcpy(self->average, flow_params(target), flow_params_bytes(target));
    return self;
fail:
    flow_optimizer_free(self);
    flow_fail(err, FLOW_ENOMEM, "out of memory for an optimiser with %zu gradient lanes", lanes);
    return NULL;
}

void flow_optimizer_free(flow_optimizer *self)
{
    if (!self)
        return;
    free(self->lane);
    free(self->squares);
    free(self->memory);
    free(self->average);
    free(self);
}

flow_gradient *flow_optimizer_lane(flow_optimizer *self, size_t lane)
{
    assert(lane < self->lanes);
    return &self->lane[lane];
}

static size_t range_len(const flow_optimizer *self, size_t range)
{
    size_t left = flow_n_params(self->flow) - range * RANGE;
    return left < RANGE ? left : RANGE;
}

static void sum_range(void *arg, size_t range, size_t worker)
{
    flow_optimizer *self = arg;
    size_t first = range * RANGE, n = range_len(self, range);
    (void)worker;
    for (flow_gradient *lane = self->sum + 1; lane < self->lane + self->lanes; lane++)
        if (lane->filled)
            self->flow->backend->block_add(self->sum->block, lane->block, first, n);
    self->squares[range] = self->flow->backend->block_square(self->sum->block, first, n);
}

static void update_range(void *arg, size_t range, size_t worker)
{
    flow_optimizer *self = arg;
    (void)worker;
    self->flow->backend->block_adam(self->flow->params, self->moment1, self->moment2, self->average,
                                    self->sum->block, range * RANGE, range_len(self, range),
                                    &self->adam);
}

void flow_optimizer_empty(flow_optimizer *self)
{
    for (size_t k = 0; k < self->lanes; k++)
        self->lane[k].filled = 0;
}

double flow_optimizer_gradient_norm(flow_optimizer *self, flow_pool *pool, double scale)
{
    self->sum = self->lane;
    while (!self->sum->filled && self->sum + 1 < self->lane + self->lanes)
        self->sum++;
    if (!self->sum->filled)
        memset(self->sum->block, 0, flow_params_bytes(self->flow));
    flow_pool_run(pool, sum_range, self, self->ranges);
    flow_optimizer_empty(self);
    self->sum->filled = 1;
    double sum = 0;
    for (size_t r = 0; r < self->ranges; r++)
        sum += self->squares[r];
    return fabs(scale) * sqrt(sum);
}

/* Whether tensor `index` of the flow holds a number that is not finite. */
static int is_broken(const flow *f, size_t index, const flow_tensor_info *info)
{
    size_t n = info->rows * (info->cols ? info->cols : 1), i = 0;
    double *values = malloc((n + 1) * sizeof *values);
    if (!values)
        return 0;
    flow_tensor_get(f, values, index);
    while (i < n && isfinite(values[i]))
        i++;
    free(values);
    return i < n;
}

/* The gradient has the layout of the parameters: it takes their place to be read by name. */
void flow_optimizer_blame(flow_optimizer *self, char name[FLOW_TENSOR_NAME])
{
    void *params = self->flow->params;
    *name = '\0';
    self->flow->params = self->sum->block;
    for (size_t k = 0; k < flow_n_tensors(self->flow) && !*name; k++) {
        flow_tensor_info info;
        flow_tensor(self->flow, &info, k);
        if (is_broken(self->flow, k, &info))
            memcpy(name, info.name, FLOW_TENSOR_NAME);
    }
    self->flow->params = params;
}

/* The running average forgets its start: weight 1 / (t + 1) until that falls below 1 - decay. */
static double average_weight(const flow_optimizer *self)
{
    double early = 1.0 / (double)(self->steps + 1), late = 1 - self->options.average;
    return early > late ? early : late;
}

flow_step_result flow_optimizer_step(flow_optimizer *self, flow_pool *pool, double lr, double scale,
                                     double clip, double *norm)
{
    *norm = flow_optimizer_gradient_norm(self, pool, scale);
    flow_optimizer_empty(self);
    if (!isfinite(*norm))
        return FLOW_STEP_SKIPPED;
    int clipped = *norm > clip;
    self->steps++;
    self->adam = (flow_adam){.lr = lr,
                             .beta1 = self->options.beta1,
                             .beta2 = self->options.beta2,
                             .eps = self->options.eps,
                             .weight_decay = self->options.weight_decay,
                             .correct1 = 1 - pow(self->options.beta1, (double)self->steps),
                             .correct2 = 1 - pow(self->options.beta2, (double)self->steps),
                             .scale = clipped ? scale * clip / *norm : scale,
                             .average = average_weight(self)};
    flow_pool_run(pool, update_range, self, self->ranges);
    return clipped ? FLOW_STEP_CLIPPED : FLOW_STEP_DONE;
}

void flow_optimizer_swap_average(flow_optimizer *self)
{
    if (!self->average)
        return;
    void *raw = self->flow->params;
    self->flow->params = self->average;
    self->average = raw;
}

double flow_optimizer_lane_spread(flow_optimizer *self, flow_pool *pool, const size_t *rows)
{
    double each = 0, all = 0;
    for (size_t k = 0; k < self->lanes; k++) {
        const flow_gradient *lane = &self->lane[k];
        if (rows[k] > 0 && lane->filled)
            each += self->flow->backend->block_square(lane->block, 0, flow_n_params(self->flow)) /
                    (double)rows[k];
        all += (double)rows[k];
    }
    double norm = flow_optimizer_gradient_norm(self, pool, 1);
    flow_optimizer_empty(self);
    return each - norm * norm / all;
}

void flow_optimizer_pieces(flow_optimizer *self, flow_pieces *pieces)
{
    size_t bytes = flow_params_bytes(self->flow);
    flow_pieces_add(pieces, "parameters", self->flow->params, bytes);
    flow_pieces_add(pieces, "first moments", self->moment1, bytes);
    flow_pieces_add(pieces, "second moments", self->moment2, bytes);
    flow_pieces_add(pieces, "averaged parameters", self->average, self->average ? bytes : 0);
    flow_pieces_add(pieces, "steps of the optimiser", &self->steps, sizeof self->steps);
}

int flow_optimizer_finite(const flow_optimizer *self)
{
    const flow *f = self->flow;
    return isfinite(f->backend->block_square(f->params, 0, flow_n_params(f)));
}

size_t flow_optimizer_steps(const flow_optimizer *self)
{
    return self->steps;
}

/* ---- schedules */

double flow_schedule_factor(flow_schedule kind, size_t step, size_t warmup, size_t total)
{
    if (step < warmup)
        return (double)(step + 1) / (double)warmup;
    if (kind != FLOW_COSINE)
        return 1;
    double share = total > warmup ? (double)(step - warmup) / (double)(total - warmup) : 1;
    return share >= 1 ? 0 : 0.5 * (1 + cos(3.14159265358979323846 * share));
}

void flow_plateau_init(flow_plateau *self, double factor, size_t patience)
{
    *self = (flow_plateau){.factor = factor, .patience = patience, .best = INFINITY, .rate = 1};
}

double flow_plateau_update(flow_plateau *self, double loss)
{
    if (loss < self->best) {
        self->best = loss;
        self->waited = 0;
    } else if (++self->waited > self->patience) {
        self->rate *= self->factor;
        self->waited = 0;
    }
    return self->rate;
}

/* ---- running median */

void flow_median_add(flow_median *self, double value)
{
    self->window[self->count++ % FLOW_MEDIAN_WINDOW] = value;
}

double flow_median_get(const flow_median *self)
{
    size_t n = self->count < FLOW_MEDIAN_WINDOW ? self->count : FLOW_MEDIAN_WINDOW;
    double sorted[FLOW_MEDIAN_WINDOW];
    if (n < 16)
        return INFINITY;
    memcpy(sorted, self->window, n * sizeof *sorted);
    flow_sort_numbers(sorted, n);
    return sorted[n / 2];
}
