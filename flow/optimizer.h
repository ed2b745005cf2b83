/* flow/optimizer.h -- AdamW on the flat parameter block of a flow, fed by gradient lanes.
 *
 * A batch is cut into shards, and the shards into lanes: lane k sums the gradients of its shards in
 * order, and the step sums the lanes in order. Who computes a lane does not matter, so the result
 * has the same bits for any number of threads. (mathematics: Kingma & Ba 2015; decoupled weight
 * decay: Loshchilov & Hutter 2019; averaging: Polyak & Juditsky 1992, in its exponential form.) */
#ifndef FLOW_OPTIMIZER_H
#define FLOW_OPTIMIZER_H

#include "flow/flow.h"
#include "flow/snapshot.h"

typedef struct flow_optimizer flow_optimizer;

typedef struct flow_optimizer_options {
    double beta1, beta2, eps; /* 0: .9, .999, 1e-8 */
    double weight_decay;
    double average; /* decay of the running average of the weights, in [0, 1); 0: none */
} flow_optimizer_options;

typedef enum flow_step_result {
    FLOW_STEP_DONE,
    FLOW_STEP_CLIPPED,
    FLOW_STEP_SKIPPED /* the gradient was not finite: nothing changed but the lanes, which are empty */
} flow_step_result;

/* lanes >= 1 gradient blocks, empty. The flow's parameters are updated in place by steps. */
flow_optimizer *flow_optimizer_create(flow *target, const flow_optimizer_options *options,
                                      size_t lanes, flow_err *err);
void flow_optimizer_free(flow_optimizer *self);

/* The gradient of a lane, for backward. */
flow_gradient *flow_optimizer_lane(flow_optimizer *self, size_t lane);

/* One step with the gradient scale * sum(lanes), clipped to norm `clip` (infinity: never). The norm
 * before clipping goes to *norm. Empties the lanes. */
flow_step_result flow_optimizer_step(flow_optimizer *self, flow_pool *pool, double lr, double scale,
                                     double clip, double *norm);

/* The tensor that the gradient of the last step was not finite in, the first of them; "" if there is none, or memory
 * for it. Between a step that was skipped and the next use of a lane. */
void flow_optimizer_blame(flow_optimizer *self, char name[FLOW_TENSOR_NAME]);

/* The norm that a step would see; sums the lanes into one (for tests and for choosing gradients). */
double flow_optimizer_gradient_norm(flow_optimizer *self, flow_pool *pool, double scale);

/* How much the lanes disagree, when lane k is the sum over rows[k] rows, 0 for a lane not in use:
 * sum_k |g_k|^2 / rows[k] - |sum_k g_k|^2 / sum_k rows[k]. On average that is the variance of one
 * row's gradient times the number of lanes in use minus 1. Empties the lanes. */
double flow_optimizer_lane_spread(flow_optimizer *self, flow_pool *pool, const size_t *rows);

/* Exchanges the flow's parameters with their running average (nothing without averaging): call it
 * before and after an evaluation. No step may come in between. */
void flow_optimizer_swap_average(flow_optimizer *self);

/* Empties the lanes without a step. */
void flow_optimizer_empty(flow_optimizer *self);

/* What steps depend on: the flow's parameters, moments, average, the number of steps. Not while the
 * average is swapped in, and between steps only: lanes are not kept. */
void flow_optimizer_pieces(flow_optimizer *self, flow_pieces *pieces);

/* Whether every parameter of the flow is a finite number: to be asked at the end of a training. */
int flow_optimizer_finite(const flow_optimizer *self);

/* Steps done so far (skipped ones not counted). */
size_t flow_optimizer_steps(const flow_optimizer *self);

/* ---- schedules: the factor on the learning rate at `step` of `total` */

typedef enum flow_schedule { FLOW_CONSTANT, FLOW_COSINE, FLOW_PLATEAU } flow_schedule;

/* Linear warm-up over `warmup` steps, then constant, or half a cosine down to 0 at `total`. PLATEAU is
 * constant here: its factor is driven by validation (flow_plateau). */
double flow_schedule_factor(flow_schedule kind, size_t step, size_t warmup, size_t total);

/* Multiplies the rate by `factor` when `loss` has not improved for `patience` calls. */
typedef struct flow_plateau {
    double factor;
    size_t patience;
    double best, rate; /* set by init: +inf, 1 */
    size_t waited;
} flow_plateau;

void flow_plateau_init(flow_plateau *self, double factor, size_t patience);
double flow_plateau_update(flow_plateau *self, double loss); /* the current rate factor */

/* ---- clipping against the running median of gradient norms */

enum { FLOW_MEDIAN_WINDOW = 128 };

typedef struct flow_median {
    double window[FLOW_MEDIAN_WINDOW];
    size_t count; /* norms seen */
} flow_median;

void flow_median_add(flow_median *self, double value);
double flow_median_get(const flow_median *self); /* infinity until 16 values are in */

#endif
