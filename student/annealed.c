#include "student/annealed.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_STEPS = 2000 };
static const double HMC_ACCEPTED = 0.75, WALK_ACCEPTED = 0.3;

/* Rows with what is known at each. */
typedef struct cloud {
    double *x, *grad, *log_p, *log_0; /* (n, D), (n, D), (n), (n) */
} cloud;

typedef struct sampler {
    const target *target;
    flow_pool *pool;
    const annealed_options *options;
    annealed *out;
    size_t n, dim;
    int slopes;
    cloud at, next;
    double *p;                /* (n, D): momenta */
    double *kinetic, *weight; /* (n) */
    double *widths;           /* (D): of the rows */
    target_status *status;    /* (n) */
    double *memory;
    double b, step; /* step: in widths */
    uint64_t draws; /* rows of the streams that are used up */
} sampler;

annealed_options annealed_options_default(void)
{
    return (annealed_options){.rows = 1024, .ess = 0.5, .moves = 10, .last_moves = 20, .leaps = 5};
}

/* ---- memory */

static double *cut(double **from, size_t n)
{
    double *out = *from;
    *from += n;
    return out;
}

static cloud cut_cloud(double **from, size_t n, size_t dim)
{
    return (cloud){cut(from, n * dim), cut(from, n * dim), cut(from, n), cut(from, n)};
}

static int take(sampler *self, flow_err *err)
{
    size_t n = self->n, dim = self->dim;
    double *all = self->memory = calloc(n * (5 * dim + 6) + dim, sizeof *all);
    self->status = malloc(n * sizeof *self->status);
    annealed *out = self->out;
    out->x = malloc(n * dim * sizeof *out->x);
    out->log_p = malloc(n * sizeof *out->log_p);
    if (!all || !self->status || !out->x || !out->log_p)
        return flow_fail(err, FLOW_ENOMEM, "out of memory for %zu annealed rows", n);
    self->at = cut_cloud(&all, n, dim);
    self->next = cut_cloud(&all, n, dim);
    self->p = cut(&all, n * dim);
    self->kinetic = cut(&all, n);
    self->weight = cut(&all, n);
    self->widths = cut(&all, dim);
    return 0;
}

/* ---- densities */

static double log_start(const annealed_options *o, const double *x, size_t dim)
{
    double sum = 0;
    for (size_t i = 0; i < dim; i++) {
        double u = (x[i] - o->shift[i]) / o->scale[i];
        sum -= 0.5 * u * u + log(o->scale[i]) + 0.91893853320467274178;
    }
    return sum;
}

/* A row where the target broke has no density here; it is counted. */
static void settle(sampler *self, cloud *c)
{
    annealed *out = self->out;
    for (size_t r = 0; r < self->n; r++) {
        const double *x = c->x + r * self->dim;
        out->no_density += self->status[r] == TARGET_NO_DENSITY;
        if (self->status[r] == TARGET_BROKEN && broken_is_point(x, self->dim))
            broken_note(&out->broken, out->evaluations + r, c->log_p[r], x, self->dim);
        if (self->status[r] != TARGET_FINITE)
            c->log_p[r] = -INFINITY;
        c->log_0[r] = log_start(self->options, x, self->dim);
    }
    out->evaluations += self->n;
}

static int evaluate(sampler *self, cloud *c, flow_err *err)
{
    int code = target_log_density(self->target, self->pool, c->log_p, self->slopes ? c->grad : NULL,
                                  self->status, c->x, NULL, self->n, err);
    if (!code)
        settle(self, c);
    return code;
}

static double log_pi(const sampler *self, const cloud *c, size_t r)
{
    return (1 - self->b) * c->log_0[r] + (self->b > 0 ? self->b * c->log_p[r] : 0);
}

/* ---- the next b */

/* *log_mean of the weights of going from b to `to`; returns their effective share. */
static double effective(const sampler *self, double to, double *log_mean)
{
    const cloud *c = &self->at;
    double top = -INFINITY, sum = 0, squares = 0, by = to - self->b;
    for (size_t r = 0; r < self->n; r++)
        top = fmax(top, by * (c->log_p[r] - c->log_0[r]));
    for (size_t r = 0; r < self->n && top > -INFINITY; r++) {
        double w = self->weight[r] = exp(by * (c->log_p[r] - c->log_0[r]) - top);
        sum += w;
        squares += w * w;
    }
    *log_mean = top + log(sum / (double)self->n);
    return sum > 0 ? sum * sum / squares / (double)self->n : 0;
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

static void copy_row(const sampler *self, cloud *to, size_t r, const cloud *from, size_t k)
{
    size_t dim = self->dim;
    memcpy(to->x + r * dim, from->x + k * dim, dim * sizeof *to->x);
    memcpy(to->grad + r * dim, from->grad + k * dim, dim * sizeof *to->grad);
    to->log_p[r] = from->log_p[k];
    to->log_0[r] = from->log_0[k];
}

static double uniform(sampler *self, uint32_t purpose)
{
    pcg_stream stream = self->options->stream;
    stream.purpose = purpose;
    double u;
    pcg_uniforms(&u, stream, self->draws++, 1, 1);
    return u;
}

/* Systematic: row r is the one where the sum of the weights passes (r + u) / n. */
static void resample(sampler *self)
{
    double sum = 0, total = 0, u = uniform(self, PCG_SHUFFLE);
    size_t k = 0;
    for (size_t r = 0; r < self->n; r++)
        total += self->weight[r];
    for (size_t r = 0; r < self->n; r++) {
        double to = ((double)r + u) / (double)self->n * total;
        while (k + 1 < self->n && sum + self->weight[k] <= to)
            sum += self->weight[k++];
        copy_row(self, &self->next, r, &self->at, k);
    }
    cloud swap = self->at;
    self->at = self->next;
    self->next = swap;
}

/* ---- moves that keep pi_b */

/* Standard deviation of the rows in each column; where they are all the same, that of the start. */
static void measure(sampler *self)
{
    size_t n = self->n, dim = self->dim;
    for (size_t i = 0; i < dim; i++) {
        double mean = 0, square = 0;
        for (size_t r = 0; r < n; r++)
            mean += self->at.x[r * dim + i] / (double)n;
        for (size_t r = 0; r < n; r++)
            square += pow(self->at.x[r * dim + i] - mean, 2) / (double)n;
        self->widths[i] = square > 0 ? sqrt(square) : self->options->scale[i];
    }
}

/* p += by * width * grad log pi_b */
static void kick(sampler *self, const cloud *c, double by)
{
    const annealed_options *o = self->options;
    for (size_t r = 0; r < self->n; r++)
        for (size_t i = 0; i < self->dim; i++) {
            size_t k = r * self->dim + i;
            double back = (o->shift[i] - c->x[k]) / (o->scale[i] * o->scale[i]);
            self->p[k] += by * self->widths[i] * ((1 - self->b) * back + self->b * c->grad[k]);
        }
}

/* x += by * width * p */
static void drift(sampler *self, const cloud *from, cloud *to, double by)
{
    for (size_t r = 0; r < self->n; r++)
        for (size_t i = 0; i < self->dim; i++) {
            size_t k = r * self->dim + i;
            to->x[k] = from->x[k] + by * self->widths[i] * self->p[k];
        }
}

static void measure_kinetic(sampler *self, double sign)
{
    for (size_t r = 0; r < self->n; r++) {
        double sum = 0;
        for (size_t k = r * self->dim; k < (r + 1) * self->dim; k++)
            sum += 0.5 * self->p[k] * self->p[k];
        self->kinetic[r] += sign * sum;
    }
}

/* Leapfrog from `at` to `next`; kinetic: what the momenta have lost. */
static int leap(sampler *self, double step, flow_err *err)
{
    size_t leaps = self->options->leaps;
    int code = 0;
    measure_kinetic(self, 1);
    kick(self, &self->at, 0.5 * step);
    for (size_t i = 0; i < leaps && !code; i++) {
        drift(self, i ? &self->next : &self->at, &self->next, step);
        code = evaluate(self, &self->next, err);
        if (!code)
            kick(self, &self->next, i + 1 < leaps ? step : 0.5 * step);
    }
    measure_kinetic(self, -1);
    return code;
}

static int walk(sampler *self, double step, flow_err *err)
{
    drift(self, &self->at, &self->next, step);
    return evaluate(self, &self->next, err);
}

/* Metropolis; returns the share that was accepted. */
static double accept(sampler *self)
{
    pcg_stream stream = self->options->stream;
    stream.purpose = PCG_ESTIMATE;
    double *u = self->weight, accepted = 0;
    pcg_uniforms(u, stream, self->draws, self->n, 1);
    for (size_t r = 0; r < self->n; r++) {
        double gain = log_pi(self, &self->next, r) - log_pi(self, &self->at, r) + self->kinetic[r];
        if (!(log(u[r]) < gain))
            continue;
        copy_row(self, &self->at, r, &self->next, r);
        accepted++;
    }
    self->draws += self->n;
    return accepted / (double)self->n;
}

static int move(sampler *self, flow_err *err)
{
    pcg_stream stream = self->options->stream;
    stream.purpose = PCG_BASE;
    double step = self->step * (0.8 + 0.4 * uniform(self, PCG_PERMUTE));
    pcg_normals(self->p, stream, self->draws, self->n, self->dim);
    memset(self->kinetic, 0, self->n * sizeof *self->kinetic);
    int code = self->slopes ? leap(self, step, err) : walk(self, step, err);
    if (code)
        return code;
    self->out->acceptance = accept(self);
    double surplus = self->out->acceptance - (self->slopes ? HMC_ACCEPTED : WALK_ACCEPTED);
    self->step = fmin(1e3, self->step * exp(0.7 * surplus));
    return 0;
}

/* ---- */

static int begin(sampler *self, flow_err *err)
{
    const annealed_options *o = self->options;
    pcg_stream stream = o->stream;
    stream.purpose = PCG_INIT;
    pcg_normals(self->at.x, stream, 0, self->n, self->dim);
    for (size_t r = 0; r < self->n; r++)
        for (size_t i = 0; i < self->dim; i++) {
            double *x = &self->at.x[r * self->dim + i];
            *x = o->shift[i] + o->scale[i] * *x;
        }
    return evaluate(self, &self->at, err);
}

static int anneal_once(sampler *self, flow_err *err)
{
    raise_b(self);
    if (!(self->out->log_z > -INFINITY) || self->out->steps++ >= MOST_STEPS)
        return flow_fail(err, FLOW_EDIVERGED,
                         "annealing towards the target '%s' came to a stop at an inverse "
                         "temperature of %g",
                         self->target->ops->name, self->b);
    resample(self);
    measure(self);
    size_t moves = self->b < 1 ? self->options->moves : self->options->last_moves;
    int code = 0;
    for (size_t i = 0; i < moves && !code; i++)
        code = move(self, err);
    return code;
}

int annealed_run(annealed *self, const target *t, flow_pool *pool, const annealed_options *options,
                 flow_err *err)
{
    *self = (annealed){.n = options->rows, .dim = t->dim};
    sampler s = {.target = t,
                 .pool = pool,
                 .options = options,
                 .out = self,
                 .n = options->rows,
                 .dim = t->dim,
                 .slopes = (t->flags & TARGET_GRADIENT) != 0,
                 .step = 1 / sqrt((double)t->dim)};
    int code = take(&s, err);
    code = code ? code : begin(&s, err);
    while (!code && s.b < 1)
        code = anneal_once(&s, err);
    if (!code) {
        memcpy(self->x, s.at.x, s.n * s.dim * sizeof *self->x);
        memcpy(self->log_p, s.at.log_p, s.n * sizeof *self->log_p);
    }
    free(s.memory);
    free(s.status);
    return code;
}

void annealed_close(annealed *self)
{
    free(self->x);
    free(self->log_p);
    *self = (annealed){.n = 0};
}
