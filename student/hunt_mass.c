#include "student/hunt_mass.h"

#include "flow/circle.h"
#include "student/weigh.h"
#include "teacher/streams.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double GOOD_ESS = 100, /* rows */
    LEAST_ESS = 30,                 /* then three errors are half of the mass */
    MOST_KHAT =
        0.9; /* weights of heavier tails are missing their largest, and the mass is too small */

/* Proposals, what is known at each, and how much of each is whose. */
typedef struct drawn {
    size_t n, dim, groups, regions;
    double *x, *log_p, *log_q, *log_w, *part; /* (n, D), (n) three times, (n, regions) */
    double *work, *of;                        /* (D), (groups) */
    target_status *status;                    /* (n) */
    double *memory;
} drawn;

static int take(drawn *self, flow_err *err)
{
    size_t n = self->n;
    self->memory = malloc((n * (self->dim + self->regions + 3) + self->dim + self->groups) *
                          sizeof *self->memory);
    self->status = malloc(n * sizeof *self->status);
    if (!self->memory || !self->status)
        return flow_fail(err, FLOW_ENOMEM, "out of memory for %zu proposals", n);
    self->x = self->memory;
    self->log_p = self->x + n * self->dim;
    self->log_q = self->log_p + n;
    self->log_w = self->log_q + n;
    self->part = self->log_w + n;
    self->work = self->part + n * self->regions;
    self->of = self->work + self->dim;
    return 0;
}

static int draw(drawn *d, const student_sides *sides, const flow *student,
                const proposal *proposals, flow_err *err)
{
    const pcg_stream stream = {.seed = sides->seed, .stage = STREAM_HUNT};
    int code = proposal_draw(proposals, d->x, stream, 0, d->n, err);
    if (!code)
        code = target_log_density(sides->teacher, sides->pool, d->log_p, NULL, d->status, d->x,
                                  NULL, d->n, err);
    if (!code)
        code = flow_log_prob(student, sides->pool, d->log_q, NULL, d->x, NULL, d->n, err);
    for (size_t r = 0; r < d->n && !code; r++)
        if (isnan(d->log_q[r]))
            code =
                flow_fail(err, FLOW_EDIVERGED,
                          "the student's density is not a number at proposal %zu of the hunt", r);
    return code;
}

/* Proposals are on a line: of a circle they are good for one turn. */
static bool in_one_turn(const target *t, const double *x)
{
    for (size_t i = 0; t->circles && i < t->dim; i++)
        if (target_turns(t, i) && flow_circle_point(x[i]) != x[i])
            return false;
    return true;
}

/* log p~ / g where missed; elsewhere, and where the target breaks or has no density, -inf. */
static void weigh(drawn *d, const target *t, const proposal *proposals, const size_t *region,
                  double limit)
{
    for (size_t r = 0; r < d->n; r++) {
        double *part = d->part + r * d->regions, *x = d->x + r * d->dim;
        double log_g = proposal_log_density(proposals, d->of, x, d->work);
        memset(part, 0, d->regions * sizeof *part);
        for (size_t k = 0; k < d->groups; k++)
            part[region[k]] += d->of[k];
        bool missed =
            d->status[r] == TARGET_FINITE && in_one_turn(t, x) && d->log_p[r] - d->log_q[r] > limit;
        d->log_w[r] = missed ? d->log_p[r] - log_g : -INFINITY;
    }
}

/* ---- sums; relative to e^top */

static double largest(double top, const double *log_w, size_t n)
{
    for (size_t r = 0; r < n; r++)
        top = fmax(top, log_w[r]);
    return top;
}

typedef struct moments {
    double mean, variance; /* of the mean */
} moments;

/* Of exp(log_w - top) part[r stride] up to `limit`, above which it counts as 0. */
static moments mean_of(const double *log_w, size_t n, double top, double limit, const double *part,
                       size_t stride)
{
    double sum = 0, squares = 0;
    for (size_t r = 0; r < n; r++) {
        double w = log_w[r] <= limit ? exp(log_w[r] - top) * (part ? part[r * stride] : 1) : 0;
        sum += w;
        squares += w * w;
    }
    double mean = sum / (double)n;
    return (moments){mean, fmax(0, squares / (double)n - mean * mean) / (double)n};
}

/* a / (whole), whole = missed + rest, of which a is a part of missed; to first order. */
static student_estimate share_of(moments a, moments missed, moments rest)
{
    double whole = missed.mean + rest.mean, others = whole - a.mean;
    double variance = others * others * a.variance + a.mean * a.mean * rest.variance;
    return (student_estimate){a.mean / whole, sqrt(variance) / (whole * whole)};
}

static void add_up(hunt_mass *out, const drawn *d, const student_side *own, double limit)
{
    double top = fmax(largest(-INFINITY, d->log_w, d->n), limit);
    moments missed = mean_of(d->log_w, d->n, top, INFINITY, NULL, 0);
    moments rest = mean_of(own->log_w, own->n_w, top, limit, NULL, 0);
    out->all = share_of(missed, missed, rest);
    for (size_t k = 0; k < d->regions; k++)
        out->of[k] =
            share_of(mean_of(d->log_w, d->n, top, INFINITY, d->part + k, d->regions), missed, rest);
    out->log_z = top + log(missed.mean + rest.mean);
}

/* Systematic, by weights that are truncated; log_w is used up. */
static void draw_next(hunt_mass *out, drawn *d)
{
    size_t k = 0;
    double sum = 0;
    weigh_truncate(d->log_w, d->n);
    weigh_normalise(d->log_w, d->log_w, d->n);
    for (out->n_next = 0; out->n_next < HUNT_NEXT; out->n_next++) {
        double to = ((double)out->n_next + 0.5) / HUNT_NEXT;
        while (k + 1 < d->n && sum + d->log_w[k] <= to)
            sum += d->log_w[k++];
        memcpy(out->next + out->n_next * d->dim, d->x + k * d->dim, d->dim * sizeof *d->x);
    }
}

static void settle(hunt_mass *out, drawn *d, const student_side *own, double limit)
{
    add_up(out, d, own, limit);
    out->evaluations += d->n;
    out->n_next = 0;
    out->ess = 0;
    if (largest(-INFINITY, d->log_w, d->n) == -INFINITY)
        return;
    out->ess = (double)d->n * weigh_ess(d->log_w, 1, d->n);
    draw_next(out, d);
}

int hunt_mass_weigh(hunt_mass *out, const student_sides *sides, const flow *student,
                    const proposal *proposals, double limit, size_t n, flow_err *err)
{
    drawn d = {.n = n, .dim = proposals->dim, .groups = proposals->n, .regions = out->regions};
    psis_fit fit = {.khat = INFINITY};
    int code = take(&d, err);
    if (!code)
        code = draw(&d, sides, student, proposals, err);
    if (!code) {
        weigh(&d, sides->teacher, proposals, out->region, limit);
        code = psis_khat(&fit, d.log_w, n, err);
    }
    out->khat = fit.khat;
    if (!code)
        settle(out, &d, &sides->own, limit);
    free(d.memory);
    free(d.status);
    return code;
}

bool hunt_mass_is_good(const hunt_mass *self, size_t n)
{
    return self->ess >= GOOD_ESS && self->khat < psis_threshold(n);
}

bool hunt_mass_holds(const hunt_mass *self)
{
    return self->ess >= LEAST_ESS && self->khat < MOST_KHAT;
}
