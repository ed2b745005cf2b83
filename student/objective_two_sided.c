/* student/objective_two_sided.c -- both directions of KL at once, on rows that the student draws for the step and that
 * nobody else has to draw. With w = p~ / (Z q) and c = min(w, cap)^alpha the step descends along
 *
 *   (1 - v) (d log q(x)/dx - d log p~(x)/dx) dx/dtheta  -  v (c - m) d log q(x)/dtheta, x fixed
 *
 * The first part is the path gradient of reverse KL (Roeder 2017): the middle, without noise. The second is forward
 * KL on weighed own rows (alpha 1), or chi-square (2): it has a word where q is below p. m is the mean of c, and takes
 * nothing from the expectation. Where q = p both parts are 0 in each row, wherever it was drawn: so some of the rows
 * may come from noise that is stretched, and no weight makes up for it.
 *
 * Z and m are means over the steps before, so that a row's gradient depends on no other row of its batch. */
#include "student/objective.h"
#include "student/temper.h"
#include "student/term_weighed.h"
#include "teacher/streams.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct two_sided_options {
    double weighed, alpha, cap, widen, widen_by, start, polish;
    uint64_t lag;
} two_sided_options;

typedef struct two_sided {
    objective_term base;
    two_sided_options options;
    own_rows_width width;
    temper_line line;
    struct {
        double beta;
        double log_z, mean;                 /* of the steps before; mean of c */
        double kl_reverse, kl_forward, ess; /* of the last batch */
        uint64_t steps;                     /* that they are of */
    } now;
    own_rows batch; /* log_p, log_q, log_r alone, of most_rows rows */
} two_sided;

static const two_sided *down(const objective_term *self)
{
    return (const two_sided *)self;
}

static void two_sided_free(objective_term *self)
{
    two_sided *t = (two_sided *)self;
    free(t->batch.log_p);
    free(t);
}

static unsigned two_sided_needs(const objective_term *self)
{
    (void)self;
    return TERM_PATH | TERM_GRADIENT;
}

static double two_sided_weight(const objective_term *self, double share)
{
    (void)self, (void)share;
    return 1;
}

static int two_sided_check(objective_term *self, const flow *student, const target *teacher,
                           flow_err *err)
{
    if (term_check_scale(self, teacher, err))
        return FLOW_ECONFIG;
    if (flow_has_edge(student))
        return flow_fail(err, FLOW_ECONFIG,
                         "student.train.objective: a base with an edge makes the gradients of %s "
                         "wrong; %s",
                         self->ops->name, self->ops->remedy);
    return own_rows_check(&down(self)->width, student, err);
}

/* ---- a shard */

/* Some of the noise, and log r - log q of all rows; x and log q are not yet there, and their place is used. */
static int make_wide(const two_sided *self, term_shard *s, flow_err *err)
{
    const own_rows_width *width = &self->width;
    int code = own_rows_stretch(s->student, width, s->z, s->first, s->n, err);
    memcpy(s->x, s->z, s->n * s->target->dim * sizeof *s->x);
    return code ? code
                : own_rows_mix(self->batch.log_r + s->row, s->student, width, s->x, s->logq, s->n,
                               err);
}

static int draw(const two_sided *self, term_shard *s, flow_err *err)
{
    const pcg_stream noise = {.seed = s->seed, .stage = STREAM_STUDENT, .purpose = PCG_BASE};
    flow_noise(s->student, NULL, s->z, noise, s->first, s->n);
    if (self->width.share > 0 && make_wide(self, s, err))
        return FLOW_ECONFIG;
    flow_pass_transport(s->pass, NULL, s->x, s->logq, s->z, s->context, s->n);
    s->sums->asked += s->n;
    return target_shard_log_density(s->target, s->logp, s->grad, s->status, s->x, s->context, s->n,
                                    s->work, err);
}

/* c, from log p~ - log q. */
static double weight_of(const two_sided *self, double log_w)
{
    const two_sided_options *o = &self->options;
    return exp(o->alpha * fmin(log_w - self->now.log_z, log(o->cap)));
}

/* (1 - v) path gradient, and a on log q where x stays: what goes through x is taken off. A row where the density is
 * 0 has no slope, and c = 0. */
static void cotangent(const two_sided *self, term_shard *s, size_t r)
{
    const two_sided_options *o = &self->options;
    size_t dim = s->target->dim;
    double log_w = self->now.beta * self->batch.log_p[s->row + r] - s->logq[r];
    double path = log_w > -INFINITY ? s->weight * (1 - o->weighed) : 0, a = 0;
    if (self->now.steps)
        a = s->weight * o->weighed * (self->now.mean - weight_of(self, log_w));
    for (size_t i = r * dim; i < (r + 1) * dim; i++) {
        double slope = path > 0 ? path * (s->score[i] - self->now.beta * s->grad[i]) : 0;
        s->grad[i] = slope - a * s->score[i];
    }
    s->dlogq[r] = a;
}

/* For what is done between steps; a row where the student itself broke has no weight. */
static void note(const two_sided *self, const term_shard *s, size_t r)
{
    const own_rows *batch = &self->batch;
    size_t at = s->row + r;
    double log_q = s->logq[r], log_r = log_q + (self->width.share > 0 ? batch->log_r[at] : 0);
    int sound = isfinite(log_q) && isfinite(log_r);
    batch->log_p[at] = sound && s->status[r] == TARGET_FINITE ? s->logp[r] : -INFINITY;
    batch->log_q[at] = sound ? log_q : 0;
    batch->log_r[at] = sound ? log_r : 0;
}

/* The loss is that of the rows that are not wide: reverse KL. */
static void settle(const two_sided *self, term_shard *s, size_t r)
{
    int finite = s->status[r] == TARGET_FINITE, none = s->status[r] == TARGET_NO_DENSITY;
    note(self, s, r);
    cotangent(self, s, r);
    s->sums->no_density += (size_t)none;
    if (!none && term_keeps(s, r) && finite && !own_rows_is_wide(&self->width, s->first + r)) {
        s->sums->loss += s->logq[r] - s->logp[r];
        s->sums->rows++;
    }
}

static int two_sided_shard(const objective_term *base, term_shard *s, flow_err *err)
{
    int code = draw(down(base), s, err);
    if (code)
        return code;
    flow_pass_density_score(s->pass, NULL, s->score);
    for (size_t r = 0; r < s->n; r++)
        settle(down(base), s, r);
    flow_pass_sample_backward(s->pass, NULL, s->lane, s->grad, s->dlogq);
    return 0;
}

/* ---- between steps */

/* log of the mean of p~ / r over the batch, an estimate of Z. */
static double log_mean(const two_sided *self, size_t n)
{
    const own_rows *rows = &self->batch;
    double beta = self->now.beta;
    double top = -INFINITY, sum = 0;
    for (size_t r = 0; r < n; r++)
        top = fmax(top, beta * rows->log_p[r] - rows->log_r[r]);
    for (size_t r = 0; r < n && top > -INFINITY; r++)
        sum += exp(beta * rows->log_p[r] - rows->log_r[r] - top);
    return top + log(sum / (double)n);
}

/* Mean of c over draws of q, from those of r. */
static double mean_weight(const two_sided *self, size_t n)
{
    const own_rows *rows = &self->batch;
    double sum = 0;
    for (size_t r = 0; r < n; r++)
        sum += weight_of(self, self->now.beta * rows->log_p[r] - rows->log_q[r]) *
               exp(rows->log_q[r] - rows->log_r[r]);
    return sum / (double)n;
}

/* Means over all steps at first, over about `lag` of them later. That of log Z, for one row far out can be more than all
 * others of a hundred batches, and in a mean of Z would leave these without a weight. */
static void remember(two_sided *self, size_t n)
{
    double log_z = log_mean(self, n);
    if (!isfinite(log_z))
        return;
    uint64_t steps = ++self->now.steps, lag = self->options.lag;
    double share = 1 / (double)(steps < lag ? steps : lag);
    self->now.log_z += share * (log_z - self->now.log_z);
    self->now.mean += share * (mean_weight(self, n) - self->now.mean);
}

static void two_sided_after_step(objective_term *base, const term_step *at)
{
    two_sided *self = (two_sided *)base;
    self->batch.n = at->cut->rows;
    remember(self, self->batch.n);
    if (self->now.beta < 1)
        self->now.beta = temper_raise(self->now.beta, &self->line, at->step, at->steps,
                                      self->batch.log_p, self->batch.log_q, self->batch.n);
    own_rows_figures(&self->batch, &self->now.kl_reverse, &self->now.kl_forward, &self->now.ess);
}

static void two_sided_report(const objective_term *base, distill_state *state)
{
    const two_sided *self = down(base);
    state->kl_reverse = base->loss;
    state->kl_forward = self->now.kl_forward;
    state->ess = self->now.ess;
    state->beta = self->now.beta;
}

static void two_sided_pieces(objective_term *base, flow_pieces *pieces)
{
    two_sided *self = (two_sided *)base;
    flow_pieces_add(pieces, "weights of own rows", &self->now, sizeof self->now);
}

static const term_ops term_two_sided = {
    .name = "two_sided",
    .doc = "both directions of KL on the same own rows: path gradient, and weighed log q",
    .remedy = "use student.train.objective: mass_transport",
    .needs = two_sided_needs,
    .free = two_sided_free,
    .weight = two_sided_weight,
    .check = two_sided_check,
    .shard = two_sided_shard,
    .after_step = two_sided_after_step,
    .report = two_sided_report,
    .pieces = two_sided_pieces,
};

/* ---- the kind */

static const flow_key two_sided_keys[] = {
    {FLOW_KEY(two_sided_options, weighed), .type = FLOW_KEY_REAL, .min = 0, .max = 1, .def = "0.5",
     .doc = "Weight of the weighed part; the rest is the path gradient's."},
    {FLOW_KEY(two_sided_options, alpha), .type = FLOW_KEY_REAL, .min = 1, .max = 2, .def = "2",
     .doc = "1: forward KL. 2: chi-square, which minds rows that the student hardly draws."},
    {FLOW_KEY(two_sided_options, cap), .type = FLOW_KEY_REAL, .flags = FLOW_KEY_OPEN_MIN, .min = 1,
     .max = 1e6, .def = "5",
     .doc = "Most of p~ / (Z q) that a row counts for, before it is raised to the power alpha."},
    {FLOW_KEY(two_sided_options, lag), .type = FLOW_KEY_WHOLE, .min = 1, .max = 1000000,
     .def = "100", .unit = "steps", .doc = "That Z is the mean of."},
    {FLOW_KEY(two_sided_options, widen), .type = FLOW_KEY_REAL, .flags = FLOW_KEY_OPEN_MAX,
     .min = 0, .max = 1, .def = "0.05", .unit = "share of the rows",
     .doc = "Rows that are drawn with their noise stretched."},
    {FLOW_KEY(two_sided_options, widen_by), .type = FLOW_KEY_REAL, .min = 1, .max = 10,
     .def = "1.3", .only = "widen > 0", .doc = "Factor on their noise."},
    TERM_PARTS_KEYS(two_sided_options, "0"),
    {.name = NULL}};

static two_sided *create(const two_sided_options *own, const distill_options *o, size_t most_rows)
{
    two_sided *self = calloc(1, sizeof *self);
    double *rows = self ? calloc(3 * most_rows, sizeof *rows) : NULL;
    if (!rows) {
        free(self);
        return NULL;
    }
    *self = (two_sided){
        .base = {.ops = &term_two_sided},
        .options = *own,
        .width = {own->widen, own->widen_by, 1},
        .line = {.start = o->temper, .until = o->temper_until},
        .now = {.beta = o->temper, .kl_forward = NAN, .ess = NAN},
        .batch = {.log_p = rows, .log_q = rows + most_rows, .log_r = rows + 2 * most_rows}};
    return self;
}

static int two_sided_terms(objective_terms *out, const objective_plan *plan, flow_err *err)
{
    const two_sided_options *own = plan->own;
    two_sided *self = create(own, plan->options, plan->most_rows);
    if (!self)
        return flow_fail(err, FLOW_ENOMEM, "out of memory for batches of %zu rows",
                         plan->most_rows);
    return objective_add_between(out, &self->base, plan, own->start, own->polish, err);
}

static const char *two_sided_conflict(char *why, size_t size, const void *options)
{
    const two_sided_options *own = options;
    return objective_parts_conflict(why, size, own->start, own->polish);
}

static const char *const two_sided_unused[] = {"forward", "forward_end", "widen", "widen_by", NULL};

const objective_kind objective_two_sided = {
    .kind = {.name = "two_sided",
             .doc = "reverse KL by the path gradient and forward KL or chi-square on the same "
                    "weighed own rows: for steep targets in one piece",
             .keys = two_sided_keys,
             .size = sizeof(two_sided_options),
             .conflict = two_sided_conflict},
    .example = "{\"kind\": \"two_sided\"}",
    .unused = two_sided_unused,
    .terms = two_sided_terms,
};
