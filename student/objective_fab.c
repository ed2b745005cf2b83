/* student/objective_fab.c -- alpha-2 divergence by annealed importance sampling from the student (FAB: Midgley 2023).
 *
 * Chains start at rows of the student and are moved towards p~^2 / q, where the divergence's gradient has no variance:
 * log pi_b = (1 - 2 b) log q + 2 b log p~, b_k = k / M, log w += (2 / M)(log p~ - log q) before each move, none of
 * which is needed behind the last weight (Neal 2001). E w f(x) is then the integral of (p~^2 / q) f.
 *
 * Rows go into a ring with log w and log q. A step takes rows in proportion to w and minimises -c log q at fixed x,
 * c = q_old / q, held at MOST: as the student learns a row its log w falls by as much as its log q rose (a prioritised
 * buffer: section 3.3 there). */
#include "student/chains.h"
#include "student/objective.h"
#include "student/term_weighed.h"
#include "student/weigh.h"
#include "teacher/streams.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct fab_options {
    uint64_t buffer, every, chains, betas, leaps;
    double start, polish;
} fab_options;

typedef struct fab {
    term_weighed base; /* rows: the ring; log_q as last seen, log_r holds log w */
    fab_options options;
    chains chains;
    flow_pass **passes; /* one a thread */
    size_t threads;
    double *log_w;  /* (chains): of the annealing in work */
    double *widths; /* (D), 1 */
    /* (most_rows), of the batch in work: the rows that were taken, and their log q now */
    size_t *taken;
    double *seen;
    size_t most_rows;
    struct {
        double step;                /* of the chains */
        uint64_t draws, at, filled; /* of their streams; the next place in the ring; rows in it */
    } now;
} fab;

static const double MOST = 10;

/* ---- the student as what chains start from */

typedef struct asking {
    const fab *fab;
    const chains *chains;
    cloud *at;
} asking;

static void ask_shard(void *arg, size_t index, size_t worker)
{
    const asking *a = arg;
    const chains *c = a->chains;
    flow_pass *pass = a->fab->passes[worker];
    size_t row = index * FLOW_SHARD, n = c->n - row < FLOW_SHARD ? c->n - row : FLOW_SHARD;
    double *slope = a->at->slope_0 + row * c->dim; /* first for the noise */
    flow_pass_log_prob(pass, NULL, a->at->log_0 + row, slope, a->at->x + row * c->dim, NULL, n);
    flow_pass_density_score(pass, NULL, slope);
}

static int start(void *arg, const chains *c, cloud *at, flow_err *err)
{
    asking a = {.fab = arg, .chains = c, .at = at};
    (void)err;
    flow_pool_run(c->pool, ask_shard, &a, (c->n + FLOW_SHARD - 1) / FLOW_SHARD);
    for (size_t r = 0; r < c->n; r++) /* beyond what the student can tell, nothing is accepted */
        at->log_0[r] = isfinite(at->log_0[r]) ? at->log_0[r] : -INFINITY;
    return 0;
}

/* ---- annealing */

static int begin(fab *self, const term_step *at, flow_err *err)
{
    chains *c = &self->chains;
    const pcg_stream noise = {
        .seed = at->scene->seed, .stage = STREAM_OWN_ROWS, .purpose = PCG_BASE};
    uint64_t first = self->now.draws;
    self->now.draws += c->n;
    int code = flow_sample(at->scene->student, at->scene->pool, c->at.x, c->at.log_0, NULL, noise,
                           first, c->n, err);
    code = code ? code : chains_look(c, &c->at, err);
    chains_measure(c, self->widths);
    memset(self->log_w, 0, c->n * sizeof *self->log_w);
    return code;
}

static double log_ratio(const cloud *at, size_t r)
{
    return at->log_p[r] > -INFINITY && at->log_0[r] > -INFINITY ? at->log_p[r] - at->log_0[r]
                                                                : -INFINITY;
}

static int anneal(fab *self, flow_err *err)
{
    chains *c = &self->chains;
    double betas = (double)self->options.betas;
    int code = 0;
    for (size_t k = 1; k <= self->options.betas && !code; k++) {
        double b = (double)k / betas;
        for (size_t r = 0; r < c->n; r++)
            self->log_w[r] += 2 / betas * log_ratio(&c->at, r);
        if (k < self->options.betas)
            code = chains_move(c, 1 - 2 * b, 2 * b, 1, self->options.leaps, err);
    }
    return code;
}

/* Figures of the rows that the chains start from: they are the student's own. */
static void judge(fab *self)
{
    const cloud *at = &self->chains.at;
    size_t n = self->chains.n;
    double kept = 0, sum = 0, top = -INFINITY;
    for (size_t r = 0; r < n; r++) {
        self->log_w[r] = log_ratio(at, r);
        top = fmax(top, self->log_w[r]);
        sum += self->log_w[r] > -INFINITY ? self->log_w[r] : 0;
        kept += self->log_w[r] > -INFINITY;
    }
    self->base.now.kl_reverse = kept > 0 ? -sum / kept : NAN;
    self->base.now.kl_forward = NAN;
    self->base.now.ess = top > -INFINITY ? weigh_ess(self->log_w, 1, n) : NAN;
    memset(self->log_w, 0, n * sizeof *self->log_w);
}

/* ---- the ring */

static void put(fab *self, size_t r)
{
    own_rows *rows = &self->base.rows;
    const cloud *at = &self->chains.at;
    size_t to = self->now.at;
    memcpy(rows->x + to * rows->dim, at->x + r * rows->dim, rows->dim * sizeof *rows->x);
    rows->log_q[to] = at->log_0[r];
    rows->log_p[to] = at->log_p[r];
    rows->log_r[to] = self->log_w[r];
    self->now.at = (to + 1) % rows->n;
    if (self->now.filled < rows->n)
        self->now.filled++;
}

static void count(term_sums *sums, chains *c)
{
    sums->asked += c->evaluations;
    sums->no_density += c->no_density;
    broken_add(&sums->broken, &c->broken);
    c->evaluations = c->no_density = 0;
    c->broken = (broken_rows){0};
}

static int refill(fab *self, const term_step *at, flow_err *err)
{
    chains *c = &self->chains;
    c->step = self->now.step;
    c->draws = self->now.draws;
    int code = begin(self, at, err);
    c->draws = self->now.draws;
    if (!code)
        judge(self);
    code = code ? code : anneal(self, err);
    self->now.step = c->step;
    self->now.draws = c->draws;
    for (size_t r = 0; r < c->n && !code; r++)
        if (self->log_w[r] > -INFINITY)
            put(self, r);
    count(at->sums, c);
    self->base.now.filled = self->now.filled > 0;
    if (code || self->now.filled)
        return code;
    return flow_fail(err, FLOW_EDIVERGED, "no chain from the student came to a density of '%s'",
                     at->scene->target->ops->name);
}

/* Chances of the rows in the ring; the largest are held. */
static void weigh(fab *self)
{
    own_rows *rows = &self->base.rows;
    size_t n = self->now.filled;
    memcpy(rows->weight, rows->log_r, n * sizeof *rows->weight);
    weigh_truncate(rows->weight, n);
    weigh_normalise(rows->weight, rows->weight, n);
    for (size_t r = n; r < rows->n; r++)
        rows->weight[r] = 0;
    own_rows_weighed(rows);
}

static int fab_before_step(objective_term *base, const term_step *at, flow_err *err)
{
    fab *self = (fab *)base;
    const pcg_stream stream = {
        .seed = at->scene->seed, .stage = STREAM_OWN_ROWS, .purpose = PCG_SHUFFLE};
    pcg_uniforms(&self->base.u, stream, at->step, 1, 1);
    self->base.batch = at->cut->rows;
    int code = at->step % self->base.every && self->now.filled ? 0 : refill(self, at, err);
    if (!code)
        weigh(self);
    return code;
}

/* ---- a shard */

static int fab_shard(const objective_term *base, term_shard *s, flow_err *err)
{
    const fab *self = (const fab *)base;
    const own_rows *rows = &self->base.rows;
    (void)err;
    for (size_t r = 0; r < s->n; r++) {
        size_t from = own_rows_pick(rows, s->row + r, self->base.batch, self->base.u);
        memcpy(s->x + r * rows->dim, rows->x + from * rows->dim, rows->dim * sizeof *s->x);
        self->taken[s->row + r] = from;
    }
    flow_pass_log_prob(s->pass, NULL, s->logq, s->z, s->x, s->context, s->n);
    for (size_t r = 0; r < s->n; r++) {
        double c = exp(rows->log_q[self->taken[s->row + r]] - s->logq[r]);
        self->seen[s->row + r] = s->logq[r];
        s->dlogq[r] = -s->weight * fmin(c, MOST);
    }
    flow_pass_density_backward(s->pass, NULL, NULL, s->lane, s->dlogq);
    return 0;
}

/* What the batch has shown of its rows: a row that was taken twice is told twice the same. */
static void fab_after_step(objective_term *base, const term_step *at)
{
    fab *self = (fab *)base;
    own_rows *rows = &self->base.rows;
    for (size_t r = 0; r < at->cut->rows && base->weight > 0; r++) {
        size_t k = self->taken[r];
        if (!isfinite(self->seen[r]))
            continue;
        rows->log_r[k] += rows->log_q[k] - self->seen[r];
        rows->log_q[k] = self->seen[r];
    }
}

/* ---- the term */

static int fab_check(objective_term *self, const flow *student, const target *teacher,
                     flow_err *err)
{
    (void)self, (void)student;
    return teacher->context ? flow_fail(err, FLOW_ECONFIG,
                                        "student.train.objective: fab is for targets without "
                                        "context; use kl")
                            : 0;
}

static int open_passes(fab *self, const term_scene *scene, flow_err *err)
{
    self->threads = flow_pool_threads(scene->pool);
    self->passes = calloc(self->threads, sizeof *self->passes);
    for (size_t k = 0; self->passes && k < self->threads; k++)
        if (!(self->passes[k] = flow_pass_create(scene->student, FLOW_SHARD, FLOW_PASS_TRAIN, err)))
            return FLOW_ENOMEM;
    return self->passes ? 0 : flow_fail(err, FLOW_ENOMEM, "out of memory for chains");
}

static int fab_open(objective_term *base, const term_scene *scene, flow_err *err)
{
    fab *self = (fab *)base;
    size_t n = (size_t)self->options.chains, dim = scene->target->dim;
    self->chains = (chains){.target = scene->target,
                            .pool = scene->pool,
                            .start = start,
                            .arg = self,
                            .stream = {.seed = scene->seed, .stage = STREAM_CHAINS}};
    self->log_w = malloc((n + dim + self->most_rows) * sizeof *self->log_w);
    self->taken = malloc(self->most_rows * sizeof *self->taken);
    if (!self->log_w || !self->taken)
        return flow_fail(err, FLOW_ENOMEM, "out of memory for chains");
    self->widths = self->log_w + n;
    self->seen = self->widths + dim;
    for (size_t i = 0; i < dim; i++)
        self->widths[i] = 1;
    int code = term_weighed_open(base, scene, err);
    code = code ? code : chains_open(&self->chains, n, err);
    self->now.step = self->chains.step;
    return code ? code : open_passes(self, scene, err);
}

static void fab_report(const objective_term *base, distill_state *state)
{
    term_weighed_report((const term_weighed *)base, state);
}

static void fab_pieces(objective_term *base, flow_pieces *pieces)
{
    fab *self = (fab *)base;
    term_weighed_pieces(base, pieces);
    flow_pieces_add(pieces, "chains", &self->now, sizeof self->now);
}

static void fab_free(objective_term *base)
{
    fab *self = (fab *)base;
    for (size_t k = 0; self->passes && k < self->threads; k++)
        flow_pass_free(self->passes[k]);
    free(self->passes);
    chains_close(&self->chains);
    free(self->log_w);
    free(self->taken);
    term_weighed_free(base);
}

static const term_ops term_fab = {
    .name = "fab",
    .doc = "chi-square from the target, on rows annealed from the student",
    .remedy = "use student.train.objective: kl",
    .needs = term_weighed_needs,
    .free = fab_free,
    .open = fab_open,
    .weight = term_weighed_weight,
    .check = fab_check,
    .shard = fab_shard,
    .before_step = fab_before_step,
    .after_step = fab_after_step,
    .report = fab_report,
    .pieces = fab_pieces,
};

/* ---- the kind */

static const flow_key fab_keys[] = {
    {FLOW_KEY(fab_options, chains), .type = FLOW_KEY_WHOLE, .min = 1, .max = 1048576, .def = "1024",
     .unit = "rows", .doc = "Chains that are annealed at a time."},
    {FLOW_KEY(fab_options, betas), .type = FLOW_KEY_WHOLE, .min = 1, .max = 1000, .def = "4",
     .doc = "Steps of the annealing; between them each chain moves once."},
    {FLOW_KEY(fab_options, leaps), .type = FLOW_KEY_WHOLE, .min = 1, .max = 1000, .def = "5",
     .doc = "Leapfrog steps of a move. A target without a gradient is walked at random."},
    {FLOW_KEY(fab_options, buffer), .type = FLOW_KEY_WHOLE, .min = 64, .max = 1048576,
     .def = "8192", .unit = "rows", .doc = "Annealed rows that are kept, the newest."},
    {FLOW_KEY(fab_options, every), .type = FLOW_KEY_WHOLE, .min = 1, .max = 100000, .def = "8",
     .unit = "steps", .doc = "Steps on them before the next are annealed."},
    TERM_PARTS_KEYS(fab_options, "0"),
    {.name = NULL}};

static int fab_terms(objective_terms *out, const objective_plan *plan, flow_err *err)
{
    const fab_options *own = plan->own;
    fab *self = calloc(1, sizeof *self);
    if (!self)
        return flow_fail(err, FLOW_ENOMEM, "out of memory for the fab objective");
    self->base = (term_weighed){
        .base = {.ops = &term_fab}, .buffer = (size_t)own->buffer, .every = (size_t)own->every};
    self->options = *own;
    self->most_rows = plan->most_rows;
    return objective_add_between(out, &self->base.base, plan, own->start, own->polish, err);
}

static const char *fab_conflict(char *why, size_t size, const void *options)
{
    const fab_options *own = options;
    return objective_parts_conflict(why, size, own->start, own->polish);
}

static const char *const fab_unused[] = {"forward", "forward_end",  "widen", "widen_by",
                                         "temper",  "temper_until", NULL};

const objective_kind objective_fab = {
    .kind = {.name = "fab",
             .doc = "chi-square on rows annealed from the student, kept in a prioritised buffer: "
                    "finds modes that the student does not draw, at many evaluations a step",
             .keys = fab_keys,
             .size = sizeof(fab_options),
             .conflict = fab_conflict},
    .example = "{\"kind\": \"fab\"}",
    .unused = fab_unused,
    .terms = fab_terms,
};
