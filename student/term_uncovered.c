/* student/term_uncovered.c -- forward KL where the student has too little density, on rows of its own.
 *
 * What ruins a forward ESS is a handful of rows of 50,000 where q is e^-8 of p, and own rows do not show them: they
 * come once in 10^8. With the noise stretched they do. Every so many steps the student draws a buffer from r, of
 * which most rows are stretched (own_rows.h); with l = log p~ - log Z - log q those with l > SHORT are kept, with the weight
 *
 *     p / r e^(min(l, MOST) / 2),   none above a share LARGEST of all
 *
 * between forward KL and chi-square. The steps that follow pull up log q at some of them, x fixed: -a dlog q/dtheta,
 * where a goes from 0 to 1 as l, measured anew, goes from SHORT - 1/2 to SHORT + 1/2. So what was mended is let go, and where
 * there is nothing the term is 0. No row is drawn from the target. (Defensive proposals: Hesterberg 1995; chi-square
 * for tails: Midgley 2023.) */
#include "student/term_uncovered.h"
#include "student/term_weighed.h"
#include "student/weigh.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static const double SHORT = 1, MOST = 4; /* nats */
static const double LARGEST = 0.02;
static const double USUAL = 0.01; /* the weight */
static const double NEAR = 1e-3;  /* nats; auto leaves alone what is nearer */

enum { BUFFER = 32768, COLUMNS = 16, FEWEST = 2048 }; /* rows; of more columns fewer */
enum { EVERY = 100 };                                 /* steps */
enum { PART = 8 }; /* one row in so many of a batch is pulled up, so many times as hard */

/* A quarter of the rows as they are, and 1.4, 2 and 2.7 times as wide: 3/8, 3/16, 3/16. */
static const own_rows_width WIDTH = {.share = 0.75, .by = 1.4, .levels = 3};

typedef struct uncovered {
    term_weighed base;
    double asked; /* NaN: auto */
    int warm;
    int idle;     /* in the step in work */
    double log_z; /* of the target; NaN: what the buffer says */
} uncovered;

static const uncovered *down(const objective_term *self)
{
    return (const uncovered *)self;
}

static double uncovered_weight(const objective_term *self, double share)
{
    const uncovered *t = down(self);
    (void)share;
    return isnan(t->asked) ? (t->warm ? USUAL : 0) : t->asked;
}

/* Where nobody asked for it, it is left out of what it cannot be had of. */
static int uncovered_check(objective_term *base, const flow *student, const target *teacher,
                           flow_err *err)
{
    uncovered *self = (uncovered *)base;
    int able = own_rows_check(&self->base.width, student, NULL) == 0;
    self->log_z = teacher->log_z;
    if (isnan(self->asked) && (!able || term_check_scale(base, teacher, NULL)))
        self->asked = 0;
    if (!(uncovered_weight(base, 0) > 0))
        return 0;
    if (!able)
        return flow_fail(err, FLOW_ECONFIG,
                         "student.train.objective.cover: the student's base cannot be stretched; "
                         "set it to 0");
    return term_check_scale(base, teacher, err);
}

static int uncovered_open(objective_term *base, const term_scene *scene, flow_err *err)
{
    uncovered *self = (uncovered *)base;
    size_t dim = scene->target->dim, rows = BUFFER;
    if (dim > COLUMNS)
        rows = (size_t)BUFFER * COLUMNS / dim;
    self->base.buffer = rows > FEWEST ? rows : FEWEST;
    return uncovered_weight(base, 0) > 0 ? term_weighed_open(base, scene, err) : 0;
}

/* ---- between steps */

/* log of the mean of p~ / r: Z, where it is not known. weight is used. */
static double log_z_of(own_rows *rows)
{
    double top = -INFINITY, sum = 0;
    for (size_t r = 0; r < rows->n; r++)
        top = fmax(top, rows->log_p[r] - rows->log_r[r]);
    for (size_t r = 0; r < rows->n; r++)
        sum += exp(rows->log_p[r] - rows->log_r[r] - top);
    return top + log(sum / (double)rows->n);
}

/* Log weights of the rows that are short of density; returns how many there are. */
static size_t choose(own_rows *rows, double log_z)
{
    size_t n = 0;
    for (size_t r = 0; r < rows->n; r++) {
        double l = rows->log_p[r] - log_z - rows->log_q[r];
        rows->weight[r] = -INFINITY;
        if (l > SHORT && rows->log_p[r] > -INFINITY) {
            rows->weight[r] = rows->log_p[r] - rows->log_r[r] + fmin(l, MOST) / 2;
            n++;
        }
    }
    return n;
}

/* sum 1, and none much above LARGEST. */
static void hold(double *weight, size_t n)
{
    double sum = 0;
    for (size_t r = 0; r < n; r++)
        sum += weight[r] = fmin(weight[r], LARGEST);
    for (size_t r = 0; r < n; r++)
        weight[r] /= sum;
}

/* now.first: how many rows are short; now.second: log Z. */
static int uncovered_weigh(term_weighed *base, flow_err *err)
{
    own_rows *rows = &base->rows;
    const uncovered *self = (const uncovered *)base;
    (void)err;
    base->now.second = isnan(self->log_z) ? log_z_of(rows) : self->log_z;
    size_t n = choose(rows, base->now.second);
    base->now.first = (double)n;
    if (n) {
        weigh_normalise(rows->weight, rows->weight, rows->n);
        hold(rows->weight, rows->n);
    }
    for (size_t r = 0; r < rows->n && !n; r++)
        rows->weight[r] = 1 / (double)rows->n;
    return 0;
}

/* What is as near as this has next to no such rows, and is moved by the noise of a few. */
static int uncovered_before_step(objective_term *base, const term_step *at, flow_err *err)
{
    uncovered *self = (uncovered *)base;
    self->idle = isnan(self->asked) && at->kl < NEAR;
    return self->idle ? 0 : term_weighed_before_step(base, at, err);
}

/* ---- a shard: of the batch's rows 0, PART, 2 PART ... */

static size_t parts(size_t rows)
{
    return (rows + PART - 1) / PART;
}

/* Returns how many rows there are, their x and log p~ - log Z, into logp. */
static size_t take(const term_weighed *self, term_shard *s)
{
    const own_rows *rows = &self->rows;
    size_t first = parts(s->row), n = parts(s->row + s->n) - first;
    for (size_t r = 0; r < n; r++) {
        size_t from = own_rows_pick(rows, first + r, parts(self->batch), self->u);
        for (size_t i = 0; i < rows->dim; i++)
            s->x[r * rows->dim + i] = rows->x[from * rows->dim + i];
        for (size_t i = 0; i < rows->context; i++)
            s->context[r * rows->context + i] = rows->contexts[from * rows->context + i];
        s->logp[r] = rows->log_p[from] - self->now.second;
    }
    return n;
}

static int uncovered_shard(const objective_term *base, term_shard *s, flow_err *err)
{
    const term_weighed *self = &down(base)->base;
    (void)err;
    size_t n = !down(base)->idle && self->now.first > 0 ? take(self, s) : 0;
    if (!n)
        return 0;
    double each = s->weight * (double)self->batch / (double)parts(self->batch);
    flow_pass_log_prob(s->pass, NULL, s->logq, s->z, s->x, s->context, n);
    for (size_t r = 0; r < n; r++) {
        double a = s->logp[r] - s->logq[r] - SHORT + 0.5;
        s->dlogq[r] = -each * fmin(fmax(a, 0), 1);
    }
    flow_pass_density_backward(s->pass, NULL, NULL, s->lane, s->dlogq);
    return 0;
}

/* ---- */

/* It has no figures of its own in a state. */
static void uncovered_report(const objective_term *base, distill_state *state)
{
    (void)base, (void)state;
}

static void uncovered_pieces(objective_term *base, flow_pieces *pieces)
{
    if (uncovered_weight(base, 0) > 0)
        term_weighed_pieces(base, pieces);
}

static const term_ops term_uncovered = {
    .name = "uncovered",
    .doc = "forward KL where the student has too little density, on own rows far out",
    .remedy = "set student.train.objective.cover to 0",
    .needs = term_weighed_needs,
    .weight = uncovered_weight,
    .check = uncovered_check,
    .open = uncovered_open,
    .before_step = uncovered_before_step,
    .shard = uncovered_shard,
    .report = uncovered_report,
    .pieces = uncovered_pieces,
    .free = term_weighed_free,
};

objective_term *term_uncovered_create(const distill_options *options, double weight, flow_err *err)
{
    uncovered *self = calloc(1, sizeof *self);
    if (!self) {
        flow_fail(err, FLOW_ENOMEM, "out of memory for a term");
        return NULL;
    }
    self->base = (term_weighed){.base = {.ops = &term_uncovered, .until = 1},
                                .every = EVERY,
                                .width = WIDTH,
                                .weigh = uncovered_weigh};
    self->asked = weight;
    self->warm = options->warm;
    return &self->base.base;
}
