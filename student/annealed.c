#include "student/annealed.h"

#include "flow/circle.h"
#include "student/chains.h"
#include "student/weigh.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_STEPS = 2000 };

typedef struct sampler {
    const annealed_options *options;
    annealed *out;
    chains chains;
    double *weight; /* (n) */
    double b;
} sampler;

annealed_options annealed_options_default(void)
{
    return (annealed_options){.rows = 1024, .ess = 0.5, .moves = 10, .last_moves = 20, .leaps = 5};
}

/* ---- the start */

static int start(void *arg, const chains *c, cloud *at, flow_err *err)
{
    const annealed_options *o = arg;
    (void)err;
    for (size_t r = 0; r < c->n; r++) {
        at->log_0[r] = 0;
        for (size_t i = 0; i < c->dim; i++) {
            size_t k = r * c->dim + i;
            double u = target_turns(c->target, i) ? 0 : (at->x[k] - o->shift[i]) / o->scale[i];
            at->slope_0[k] = -u / o->scale[i];
            at->log_0[r] -= target_turns(c->target, i)
                                ? FLOW_LOG_2PI
                                : 0.5 * u * u + log(o->scale[i]) + 0.91893853320467274178;
        }
    }
    return 0;
}

/* A row of the start out of standard normals; of a circle, by their quantiles. */
static void place(const annealed_options *o, const chains *c, double *x)
{
    for (size_t i = 0; i < c->dim; i++)
        x[i] = target_turns(c->target, i)
                   ? flow_circle_point(FLOW_PI * erf(x[i] * 0.70710678118654752440))
                   : o->shift[i] + o->scale[i] * x[i];
}

static int begin(sampler *self, flow_err *err)
{
    const annealed_options *o = self->options;
    chains *c = &self->chains;
    pcg_stream stream = o->stream;
    stream.purpose = PCG_INIT;
    pcg_normals(c->at.x, stream, 0, c->n, c->dim);
    for (size_t r = 0; r < c->n; r++)
        place(o, c, c->at.x + r * c->dim);
    return chains_look(c, &c->at, err);
}

/* ---- the next b */

/* *log_mean of the weights of going from b to `to`; returns their effective share. */
static double effective(const sampler *self, double to, double *log_mean)
{
    const cloud *at = &self->chains.at;
    size_t n = self->chains.n;
    double top = -INFINITY, sum = 0, squares = 0, by = to - self->b;
    for (size_t r = 0; r < n; r++)
        top = fmax(top, by * (at->log_p[r] - at->log_0[r]));
    for (size_t r = 0; r < n && top > -INFINITY; r++) {
        double w = self->weight[r] = exp(by * (at->log_p[r] - at->log_0[r]) - top);
        sum += w;
        squares += w * w;
    }
    *log_mean = top + log(sum / (double)n);
    return sum > 0 ? sum * sum / squares / (double)n : 0;
}

/* Sets b and the weights that lead there. Rows without a density are lost whatever b is: the share is of
 * the others. */
static void raise_b(sampler *self)
{
    double log_mean, low = self->b, high = 1;
    double most = effective(self, self->b + 1e-12 * (1 - self->b), &log_mean);
    double wanted = self->options->ess * fmin(1, most + 1e-9);
    if (effective(self, 1, &log_mean) < wanted) {
        for (int i = 0; i < 60; i++) {
            double middle = 0.5 * (low + high);
            if (effective(self, middle, &log_mean) < wanted)
                high = middle;
            else
                low = middle;
        }
        effective(self, high, &log_mean);
    }
    self->out->log_z += log_mean;
    self->b = high;
}

/* ---- resampling */

/* Systematic: row r is the one where the sum of the weights passes (r + u) / n. */
static void resample(sampler *self)
{
    chains *c = &self->chains;
    double sum = 0, total = 0, u = chains_uniform(c, PCG_SHUFFLE);
    size_t k = 0;
    for (size_t r = 0; r < c->n; r++)
        total += self->weight[r];
    for (size_t r = 0; r < c->n; r++) {
        double to = ((double)r + u) / (double)c->n * total;
        weigh_pass(&k, &sum, self->weight, c->n, to);
        chains_copy(c, &c->next, r, &c->at, k);
    }
    cloud swap = c->at;
    c->at = c->next;
    c->next = swap;
}

/* ---- */

static int anneal_once(sampler *self, flow_err *err)
{
    raise_b(self);
    if (!(self->out->log_z > -INFINITY) || self->out->steps++ >= MOST_STEPS)
        return flow_fail(err, FLOW_EDIVERGED,
                         "annealing towards the target '%s' came to a stop at an inverse "
                         "temperature of %g",
                         self->chains.target->ops->name, self->b);
    resample(self);
    chains_measure(&self->chains, self->options->scale);
    size_t moves = self->b < 1 ? self->options->moves : self->options->last_moves;
    return chains_move(&self->chains, 1 - self->b, self->b, moves, self->options->leaps, err);
}

static int take(sampler *self, flow_err *err)
{
    annealed *out = self->out;
    self->weight = malloc(out->n * sizeof *self->weight);
    out->x = malloc(out->n * out->dim * sizeof *out->x);
    out->log_p = malloc(out->n * sizeof *out->log_p);
    if (!self->weight || !out->x || !out->log_p)
        return flow_fail(err, FLOW_ENOMEM, "out of memory for %zu annealed rows", out->n);
    return chains_open(&self->chains, out->n, err);
}

/* What is left of the chains. */
static void hand_over(annealed *out, const chains *c)
{
    memcpy(out->x, c->at.x, c->n * c->dim * sizeof *out->x);
    memcpy(out->log_p, c->at.log_p, c->n * sizeof *out->log_p);
    out->acceptance = c->acceptance;
    out->step = c->step;
}

int annealed_run(annealed *self, const target *t, flow_pool *pool, const annealed_options *options,
                 flow_err *err)
{
    annealed_options own = *options;
    *self = (annealed){.n = options->rows, .dim = t->dim};
    sampler s = {
        .options = &own,
        .out = self,
        .chains = {
            .target = t, .pool = pool, .start = start, .arg = &own, .stream = options->stream}};
    int code = take(&s, err);
    code = code ? code : begin(&s, err);
    while (!code && s.b < 1)
        code = anneal_once(&s, err);
    if (!code)
        hand_over(self, &s.chains);
    self->evaluations = s.chains.evaluations;
    self->no_density = s.chains.no_density;
    self->broken = s.chains.broken;
    chains_close(&s.chains);
    free(s.weight);
    return code;
}

void annealed_close(annealed *self)
{
    free(self->x);
    free(self->log_p);
    *self = (annealed){.n = 0};
}
