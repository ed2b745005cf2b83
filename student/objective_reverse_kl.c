/* student/objective_reverse_kl.c -- (1 - lambda) KL(q || p~^beta) on the student's own samples x = f(z).
 * Two estimators of its gradient (mathematics 3):
 *
 *   total  -beta grad log p~ on x, 1 on log q                 (Kingma & Welling 2014)
 *   path   grad log q - beta grad log p~ on x                 (Roeder 2017; Vaitl 2022)
 *   auto   whichever has the smaller variance between the lanes of a batch, measured anew every
 *          DISTILL_PROBE steps; total where the student's base has an edge (flow_has_edge) */
#include "student/objective.h"
#include "student/temper.h"
#include "teacher/streams.h"

#include <math.h>
#include <stdlib.h>

typedef struct reverse_kl {
    objective base;
    double forward, forward_end; /* weight of the other term */
    distill_gradient asked;
    temper_line line;
    struct {
        double beta, spread_total, spread_path;
        uint64_t path; /* the estimator in use: 0 is total */
    } now;
    double *log_p, *log_q; /* (most_rows): of the batch; log_p = -inf where a row was left out */
} reverse_kl;

static const reverse_kl *down(const objective *self)
{
    return (const reverse_kl *)self;
}

static void reverse_free(objective *self)
{
    reverse_kl *t = (reverse_kl *)self;
    free(t->log_p);
    free(t);
}

static objective *reverse_create(const distill_options *o, size_t most_rows, flow_err *err)
{
    reverse_kl *self = calloc(1, sizeof *self);
    double *rows = self ? malloc(2 * most_rows * sizeof *rows) : NULL;
    if (!rows) {
        free(self);
        flow_fail(err, FLOW_ENOMEM, "out of memory for batches of %zu rows", most_rows);
        return NULL;
    }
    *self = (reverse_kl){.base = {.ops = &objective_reverse_kl},
                         .forward = o->forward,
                         .forward_end = o->forward_end,
                         .asked = o->gradient,
                         .line = {.start = o->temper, .until = o->temper_until},
                         .now = {.beta = o->temper,
                                 .spread_total = NAN,
                                 .spread_path = NAN,
                                 .path = o->gradient != DISTILL_TOTAL},
                         .log_p = rows,
                         .log_q = rows + most_rows};
    return &self->base;
}

static double reverse_weight(const objective *self, double share)
{
    const reverse_kl *t = down(self);
    return 1 - objective_line(t->forward, t->forward_end, share);
}

/* Where the density jumps, what a path gradient leaves out is not 0. */
static int reverse_check(objective *base, const flow *student, const target *teacher, flow_err *err)
{
    reverse_kl *self = (reverse_kl *)base;
    (void)teacher;
    if (!flow_has_edge(student))
        return 0;
    if (self->asked == DISTILL_PATH)
        return flow_fail(err, FLOW_ECONFIG,
                         "student.train.gradient: a base with an edge makes path gradients wrong; "
                         "set it to total or auto");
    self->asked = DISTILL_TOTAL;
    self->now.path = 0;
    return 0;
}

/* ---- a shard */

static int draw(objective_shard *s, flow_err *err)
{
    pcg_stream noise = {.seed = s->seed, .stage = STREAM_STUDENT, .purpose = PCG_BASE};
    flow_noise(s->student, NULL, s->z, noise, s->first, s->n);
    flow_pass_transport(s->pass, NULL, s->x, s->logq, s->z, s->context, s->n);
    s->sums->asked += s->n;
    return target_shard_log_density(s->target, s->logp, s->grad, s->status, s->x, s->context, s->n,
                                    s->work, err);
}

/* The cotangent of row r's x, into grad, from grad log p~. */
static void cotangent(const reverse_kl *self, objective_shard *s, size_t r)
{
    size_t dim = s->target->dim;
    for (size_t i = r * dim; i < (r + 1) * dim; i++)
        s->grad[i] = s->weight * ((self->now.path ? s->score[i] : 0) - self->now.beta * s->grad[i]);
    s->dlogq[r] = self->now.path ? 0 : s->weight;
}

static int reverse_shard(const objective *base, objective_shard *s, flow_err *err)
{
    const reverse_kl *self = down(base);
    int code = draw(s, err);
    if (code)
        return code;
    if (self->now.path)
        flow_pass_density_score(s->pass, NULL, s->score);
    for (size_t r = 0; r < s->n; r++) {
        cotangent(self, s, r);
        int kept = objective_keeps(s, r);
        self->log_p[s->row + r] = kept ? s->logp[r] : -INFINITY;
        self->log_q[s->row + r] = s->logq[r];
        s->sums->loss += kept ? s->logq[r] - s->logp[r] : 0;
        s->sums->rows += (size_t)kept;
    }
    flow_pass_sample_backward(s->pass, NULL, s->lane, s->grad, s->dlogq);
    return 0;
}

/* ---- between steps */

/* Both estimators on the same samples; the one whose lanes agree better is used from here on. */
static int reverse_before_step(objective *base, const objective_step *at, flow_err *err)
{
    reverse_kl *self = (reverse_kl *)base;
    double *spreads[] = {&self->now.spread_total, &self->now.spread_path};
    if (at->step % DISTILL_PROBE || self->asked != DISTILL_AUTO || at->cut->lanes < 2)
        return 0;
    for (uint64_t path = 0; path <= 1; path++) {
        self->now.path = path;
        int code = at->spread(at->arg, spreads[path], base, err);
        if (code)
            return code;
    }
    self->now.path = !(self->now.spread_total < self->now.spread_path);
    return 0;
}

static void reverse_after_step(objective *base, const objective_step *at)
{
    reverse_kl *self = (reverse_kl *)base;
    if (self->now.beta < 1)
        self->now.beta = temper_raise(self->now.beta, &self->line, at->step, at->steps, self->log_p,
                                      self->log_q, base->weight > 0 ? at->cut->rows : 0);
}

static void reverse_report(const objective *base, distill_state *state)
{
    const reverse_kl *self = down(base);
    state->kl_reverse = base->loss;
    state->beta = self->now.beta;
    state->spread_total = self->now.spread_total;
    state->spread_path = self->now.spread_path;
    state->gradient = self->now.path ? DISTILL_PATH : DISTILL_TOTAL;
}

static void reverse_pieces(objective *base, flow_pieces *pieces)
{
    reverse_kl *self = (reverse_kl *)base;
    flow_pieces_add(pieces, "temperature and estimator", &self->now, sizeof self->now);
}

const objective_ops objective_reverse_kl = {
    .name = "reverse_kl",
    .doc = "KL(q || p) on the student's own samples, tempered at first if asked for",
    .needs = OBJECTIVE_GRADIENT | OBJECTIVE_PATH,
    .remedy = "set student.train.forward and forward_end to 1",
    .create = reverse_create,
    .free = reverse_free,
    .weight = reverse_weight,
    .check = reverse_check,
    .shard = reverse_shard,
    .before_step = reverse_before_step,
    .after_step = reverse_after_step,
    .report = reverse_report,
    .pieces = reverse_pieces,
};
