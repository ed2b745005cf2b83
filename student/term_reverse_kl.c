/* student/term_reverse_kl.c -- (1 - lambda) KL(q || p~^beta) on the student's own samples x = f(z).
 * Three estimators of its gradient (mathematics 3):
 *
 *   total         -beta grad log p~ on x, 1 on log q          (Kingma & Welling 2014)
 *   path          grad log q - beta grad log p~ on x          (Roeder 2017; Vaitl 2022)
 *   log_variance  a on log q where x stays: a = log q - beta log p~ less its mean over the other rows of
 *                 the shard. The gradient of half that difference's variance (VarGrad: Richter 2020). It asks
 *                 the target for no gradient, and no slope of the target can make it large
 *   auto          log_variance where the student is near, as its rows' pull is bounded no variance tells; further
 *                 off total or path, whichever has the smaller variance between the lanes of a batch (path for a
 *                 warm student). Measured anew every DISTILL_PROBE steps. total where the student's base has
 *                 an edge (flow_has_edge), log_variance alone where a parameter moves no sample */
#include "student/temper.h"
#include "student/term_kl.h"
#include "teacher/streams.h"

#include <math.h>
#include <stdlib.h>

typedef struct reverse_kl {
    objective_term base;
    double forward, forward_end; /* weight of the other term */
    distill_gradient asked;
    int pathless; /* some parameter moves no sample: log_variance alone, where x stays, does without */
    temper_line line;
    struct {
        double beta, spread[DISTILL_PATH + 1];
        double distance;   /* at the last probe; NaN: none yet */
        uint64_t gradient; /* the estimator in use */
    } now;
    double *log_p, *log_q; /* (most_rows): of the batch; log_p = -inf where a row was left out */
} reverse_kl;

static const reverse_kl *down(const objective_term *self)
{
    return (const reverse_kl *)self;
}

static void reverse_free(objective_term *self)
{
    reverse_kl *t = (reverse_kl *)self;
    free(t->log_p);
    free(t);
}

objective_term *term_reverse_kl_create(const distill_options *o, size_t most_rows, flow_err *err)
{
    reverse_kl *self = calloc(1, sizeof *self);
    double *rows = self ? malloc(2 * most_rows * sizeof *rows) : NULL;
    if (!rows) {
        free(self);
        flow_fail(err, FLOW_ENOMEM, "out of memory for batches of %zu rows", most_rows);
        return NULL;
    }
    *self =
        (reverse_kl){.base = {.ops = &term_reverse_kl, .until = 1},
                     .forward = o->forward,
                     .forward_end = o->forward_end,
                     .asked = o->gradient,
                     .line = {.start = o->temper, .until = o->temper_until},
                     .now = {.beta = o->temper,
                             .spread = {NAN, NAN},
                             .distance = NAN,
                             .gradient = o->gradient == DISTILL_AUTO ? DISTILL_PATH : o->gradient},
                     .log_p = rows,
                     .log_q = rows + most_rows};
    return &self->base;
}

static double reverse_weight(const objective_term *self, double share)
{
    const reverse_kl *t = down(self);
    return 1 - term_line(t->forward, t->forward_end, share);
}

static unsigned reverse_needs(const objective_term *self)
{
    switch (down(self)->asked) {
    case DISTILL_LOG_VARIANCE:
        return 0;
    case DISTILL_AUTO: /* reverse_check sees to it */
        return TERM_GRADIENT;
    default:
        return TERM_PATH | TERM_GRADIENT;
    }
}

/* Where the density jumps, what the other two leave out is not 0. */
static int reverse_check(objective_term *base, const flow *student, const target *teacher,
                         flow_err *err)
{
    reverse_kl *self = (reverse_kl *)base;
    (void)teacher;
    self->pathless = flow_check_path(student, NULL) != 0;
    if (!flow_has_edge(student)) {
        if (self->pathless)
            self->asked = self->now.gradient = DISTILL_LOG_VARIANCE;
        return 0;
    }
    if (self->asked == DISTILL_PATH || self->asked == DISTILL_LOG_VARIANCE)
        return flow_fail(err, FLOW_ECONFIG,
                         "student.train.gradient: a base with an edge makes path and log_variance "
                         "gradients wrong; set it to total or auto");
    self->asked = DISTILL_TOTAL;
    self->now.gradient = DISTILL_TOTAL;
    return flow_check_path(student, err);
}

/* ---- a shard */

static int draw(const reverse_kl *self, term_shard *s, flow_err *err)
{
    double *grad = self->now.gradient == DISTILL_LOG_VARIANCE ? NULL : s->grad;
    pcg_stream noise = {.seed = s->seed, .stage = STREAM_STUDENT, .purpose = PCG_BASE};
    flow_noise(s->student, NULL, s->z, noise, s->first, s->n);
    flow_pass_transport(s->pass, NULL, s->x, s->logq, s->z, s->context, s->n);
    s->sums->asked += s->n;
    return target_shard_log_density(s->target, s->logp, grad, s->status, s->x, s->context, s->n,
                                    s->work, err);
}

/* The cotangent of row r's x, into grad, from grad log p~, and that of log q. */
static void cotangent(const reverse_kl *self, term_shard *s, size_t r)
{
    size_t dim = s->target->dim;
    int path = self->now.gradient == DISTILL_PATH;
    for (size_t i = r * dim; i < (r + 1) * dim; i++)
        s->grad[i] = s->weight * ((path ? s->score[i] : 0) - self->now.beta * s->grad[i]);
    s->dlogq[r] = path ? 0 : s->weight;
}

/* Of a on log q where x stays: what goes through x is taken off. */
static void pull(term_shard *s, size_t r, double a)
{
    size_t dim = s->target->dim;
    for (size_t i = r * dim; i < (r + 1) * dim; i++)
        s->grad[i] = -s->weight * a * s->score[i];
    s->dlogq[r] = s->weight * a;
}

static double log_ratio(const reverse_kl *self, const term_shard *s, size_t r)
{
    return s->logq[r] - self->now.beta * s->logp[r];
}

static double sum_of_ratios(const reverse_kl *self, const term_shard *s, size_t *n)
{
    double sum = 0;
    *n = 0;
    for (size_t r = 0; r < s->n; r++)
        if (s->status[r] == TARGET_FINITE) {
            sum += log_ratio(self, s, r);
            ++*n;
        }
    return sum;
}

/* In nats. A row that is further off than this pulls no harder: KL where the two are near, further out an
 * f-divergence between it and total variation, which no single row can rule. */
static const double MOST_PULL = 1;

/* Each row's ratio less the mean of the others'; one that is alone has nothing to be compared with. */
static void pull_all(const reverse_kl *self, term_shard *s)
{
    size_t n;
    double sum = sum_of_ratios(self, s, &n);
    for (size_t r = 0; r < s->n; r++) {
        double ratio = log_ratio(self, s, r);
        double a = n > 1 ? ratio - (sum - ratio) / (double)(n - 1) : ratio;
        pull(s, r, a > MOST_PULL ? MOST_PULL : a < -MOST_PULL ? -MOST_PULL : a);
    }
}

static void cotangents(const reverse_kl *self, term_shard *s)
{
    if (self->now.gradient != DISTILL_TOTAL)
        flow_pass_density_score(s->pass, NULL, s->score);
    if (self->now.gradient == DISTILL_LOG_VARIANCE)
        pull_all(self, s);
    else
        for (size_t r = 0; r < s->n; r++)
            cotangent(self, s, r);
}

static int reverse_shard(const objective_term *base, term_shard *s, flow_err *err)
{
    const reverse_kl *self = down(base);
    int code = draw(self, s, err);
    if (code)
        return code;
    cotangents(self, s);
    for (size_t r = 0; r < s->n; r++) {
        int kept = term_keeps(s, r);
        self->log_p[s->row + r] = kept ? s->logp[r] : -INFINITY;
        self->log_q[s->row + r] = s->logq[r];
        s->sums->loss += kept ? s->logq[r] - s->logp[r] : 0;
        s->sums->rows += (size_t)kept;
    }
    if (self->pathless)
        flow_pass_density_backward(s->pass, NULL, NULL, s->lane, s->dlogq);
    else
        flow_pass_sample_backward(s->pass, NULL, s->lane, s->grad, s->dlogq);
    return 0;
}

/* ---- between steps */

/* Total and path on the same samples; the one whose lanes agree better is used from here on. */
static int try_both(reverse_kl *self, const term_step *at, flow_err *err)
{
    for (uint64_t k = DISTILL_TOTAL; k <= DISTILL_PATH; k++) {
        self->now.gradient = k;
        int code = at->spread(at->arg, &self->now.spread[k], &self->base, err);
        if (code)
            return code;
    }
    int total = self->now.spread[DISTILL_TOTAL] < self->now.spread[DISTILL_PATH];
    self->now.gradient = total ? DISTILL_TOTAL : DISTILL_PATH;
    return 0;
}

/* A student that is nearer than this, in nats, is better off without the teacher's slopes, and the shares of modes
 * that are far from each other come right (README.md). */
static const double NEAR = 0.2;

static int reverse_before_step(objective_term *base, const term_step *at, flow_err *err)
{
    reverse_kl *self = (reverse_kl *)base;
    double kl = isnan(at->kl) ? self->now.distance : at->kl;
    if (at->step % DISTILL_PROBE || self->asked != DISTILL_AUTO)
        return 0;
    if (kl < NEAR)
        self->now.gradient = DISTILL_LOG_VARIANCE;
    else if (!isnan(at->kl))
        self->now.gradient = DISTILL_PATH;
    else if (at->cut->lanes > 1)
        return try_both(self, at, err);
    return 0;
}

/* Half the variance of log q - beta log p over the rows of the last batch, which is the KL of two that are near
 * to second order, whatever log Z is. NaN: no rows. */
static double distance(const reverse_kl *self, size_t n)
{
    double sum = 0, squares = 0, kept = 0;
    for (size_t r = 0; r < n; r++) {
        double ratio = self->log_q[r] - self->now.beta * self->log_p[r];
        if (!isfinite(ratio))
            continue;
        sum += ratio;
        squares += ratio * ratio;
        kept++;
    }
    return kept > 1 ? 0.5 * (squares - sum * sum / kept) / (kept - 1) : NAN;
}

static void reverse_after_step(objective_term *base, const term_step *at)
{
    reverse_kl *self = (reverse_kl *)base;
    if (at->step % DISTILL_PROBE == 0 && base->weight > 0)
        self->now.distance = distance(self, at->cut->rows);
    if (self->now.beta < 1)
        self->now.beta = temper_raise(self->now.beta, &self->line, at->step, at->steps, self->log_p,
                                      self->log_q, base->weight > 0 ? at->cut->rows : 0);
}

static void reverse_report(const objective_term *base, distill_state *state)
{
    const reverse_kl *self = down(base);
    state->kl_reverse = base->loss;
    state->beta = self->now.beta;
    state->spread_total = self->now.spread[DISTILL_TOTAL];
    state->spread_path = self->now.spread[DISTILL_PATH];
    state->gradient = (distill_gradient)self->now.gradient;
}

static void reverse_pieces(objective_term *base, flow_pieces *pieces)
{
    reverse_kl *self = (reverse_kl *)base;
    flow_pieces_add(pieces, "temperature and estimator", &self->now, sizeof self->now);
}

const term_ops term_reverse_kl = {
    .name = "reverse_kl",
    .doc = "KL(q || p) on the student's own samples, tempered at first if asked for",
    .needs = reverse_needs,
    .remedy = "set student.train.gradient to log_variance, or forward and forward_end to 1",
    .free = reverse_free,
    .weight = reverse_weight,
    .check = reverse_check,
    .shard = reverse_shard,
    .before_step = reverse_before_step,
    .after_step = reverse_after_step,
    .report = reverse_report,
    .pieces = reverse_pieces,
};
