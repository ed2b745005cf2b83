#include "student/chains.h"

#include "flow/block.h"
#include "flow/circle.h"
#include "student/covariance.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double HMC_ACCEPTED = 0.75, WALK_ACCEPTED = 0.3, WIDEST_STEP = 1e3;

/* ---- memory */

static cloud cut_cloud(double **from, size_t n, size_t dim)
{
    cloud out = {.x = flow_cut(from, n * dim)};
    out.slope_0 = flow_cut(from, n * dim);
    out.slope_p = flow_cut(from, n * dim);
    out.log_0 = flow_cut(from, n);
    out.log_p = flow_cut(from, n);
    return out;
}

int chains_open(chains *self, size_t n, flow_err *err)
{
    size_t dim = self->target->dim;
    double *all = calloc(n * (7 * dim + 7) + dim, sizeof *all);
    self->memory = all;
    self->status = malloc(n * sizeof *self->status);
    if (!all || !self->status)
        return flow_fail(err, FLOW_ENOMEM, "out of memory for %zu chains", n);
    self->n = n;
    self->dim = dim;
    self->slopes = (self->target->flags & TARGET_GRADIENT) != 0;
    self->step = 1 / sqrt((double)dim);
    self->at = cut_cloud(&all, n, dim);
    self->next = cut_cloud(&all, n, dim);
    self->momentum = flow_cut(&all, n * dim);
    self->kinetic = flow_cut(&all, n);
    self->uniform = flow_cut(&all, n);
    self->pace = flow_cut(&all, n);
    self->widths = flow_cut(&all, dim);
    self->asker = target_asker_create(self->target, self->pool, err);
    return self->asker ? 0 : err->code;
}

void chains_close(chains *self)
{
    target_asker_free(self->asker);
    free(self->memory);
    free(self->lower);
    free(self->status);
}

void chains_copy(const chains *self, cloud *to, size_t r, const cloud *from, size_t k)
{
    size_t dim = self->dim, bytes = dim * sizeof *to->x;
    memcpy(to->x + r * dim, from->x + k * dim, bytes);
    memcpy(to->slope_0 + r * dim, from->slope_0 + k * dim, bytes);
    memcpy(to->slope_p + r * dim, from->slope_p + k * dim, bytes);
    to->log_0[r] = from->log_0[k];
    to->log_p[r] = from->log_p[k];
}

double chains_uniform(chains *self, uint32_t purpose)
{
    pcg_stream stream = self->stream;
    stream.purpose = purpose;
    double u;
    pcg_uniforms(&u, stream, self->draws++, 1, 1);
    return u;
}

/* ---- densities */

static void settle(chains *self, cloud *at)
{
    for (size_t r = 0; r < self->n; r++) {
        const double *x = at->x + r * self->dim;
        self->no_density += self->status[r] == TARGET_NO_DENSITY;
        if (self->status[r] == TARGET_BROKEN && broken_is_point(x, self->dim))
            broken_note(&self->broken, self->evaluations + r, at->log_p[r], x, self->dim);
        if (self->status[r] != TARGET_FINITE)
            at->log_p[r] = -INFINITY;
    }
    self->evaluations += self->n;
}

int chains_look(chains *self, cloud *at, flow_err *err)
{
    int code = target_ask(self->asker, at->log_p, self->slopes ? at->slope_p : NULL, self->status,
                          at->x, NULL, self->n, err);
    if (code)
        return code;
    settle(self, at);
    return self->start ? self->start(self->arg, self, at, err) : 0;
}

/* With a weight of 0 a density does not matter, not even where it is 0. */
static double log_pi(const cloud *at, size_t r, double a, double c)
{
    return (a != 0 ? a * at->log_0[r] : 0) + (c != 0 ? c * at->log_p[r] : 0);
}

/* ---- moves */

static double square_on_line(const chains *self, size_t i)
{
    size_t n = self->n, dim = self->dim;
    double mean = 0, square = 0;
    for (size_t r = 0; r < n; r++)
        mean += self->at.x[r * dim + i] / (double)n;
    for (size_t r = 0; r < n; r++)
        square += pow(self->at.x[r * dim + i] - mean, 2) / (double)n;
    return square;
}

/* -2 log R of a wrapped normal with the rows' resultant R (Mardia, Jupp 2000, "Directional Statistics", 2.3.1); at most
 * that of rows all round. */
static double square_on_circle(const chains *self, size_t i)
{
    double resultant;
    flow_circle_mean(&resultant, self->at.x + i, self->n, self->dim, 1);
    return fmin(FLOW_PI * FLOW_PI / 3, -2 * log(resultant));
}

void chains_measure(chains *self, const double *otherwise)
{
    for (size_t i = 0; i < self->dim; i++) {
        double square =
            target_turns(self->target, i) ? square_on_circle(self, i) : square_on_line(self, i);
        self->widths[i] = square > 0 ? sqrt(square) : otherwise[i];
    }
}

/* ---- the frame of moves: of rows that hang together */

static int any_turns(const chains *self)
{
    for (size_t i = 0; i < self->dim; i++)
        if (target_turns(self->target, i))
            return 1;
    return 0;
}

/* Of L L^T: the least share of a column's variance that those before it do not tell. */
static double least_left(const double *lower, size_t dim)
{
    double least = 1;
    for (size_t i = 0; i < dim; i++) {
        double all = 0, own = lower[i * dim + i] * lower[i * dim + i];
        for (size_t j = 0; j <= i; j++)
            all += lower[i * dim + j] * lower[i * dim + j];
        least = fmin(least, own / all);
    }
    return least;
}

int chains_tie(chains *self, flow_err *err)
{
    size_t dim = self->dim;
    free(self->lower);
    self->lower = NULL;
    if (self->n < CHAINS_PER_COLUMN * dim || any_turns(self))
        return 0;
    double *mean = malloc(dim * sizeof *mean), *lower = malloc(dim * dim * sizeof *lower);
    if (!mean || !lower) {
        free(mean);
        free(lower);
        return flow_fail(err, FLOW_ENOMEM, "out of memory for the frame of %zu chains", self->n);
    }
    covariance_mean(mean, self->at.x, self->n, dim);
    covariance_of(lower, mean, self->at.x, self->n, dim, 1);
    free(mean);
    if (covariance_factor(lower, dim) == 0 && least_left(lower, dim) <= CHAINS_TIED)
        self->lower = lower;
    else
        free(lower);
    return 0;
}

/* far times entry i of L^T slope, or of width times slope. */
static double along(const chains *self, double far, const double *slope_0, const double *slope_p,
                    size_t i, double a, double c)
{
    if (!self->lower)
        return far * self->widths[i] * (a * slope_0[i] + c * slope_p[i]);
    double sum = 0;
    for (size_t j = i; j < self->dim; j++)
        sum += self->lower[j * self->dim + i] * (a * slope_0[j] + c * slope_p[j]);
    return far * sum;
}

/* far times entry i of L momentum, or of width times momentum. */
static double across(const chains *self, double far, const double *momentum, size_t i)
{
    if (!self->lower)
        return far * self->widths[i] * momentum[i];
    double sum = 0;
    for (size_t j = 0; j <= i; j++)
        sum += self->lower[i * self->dim + j] * momentum[j];
    return far * sum;
}

/* momentum += by * L^T slope of log pi, or width times slope */
static void kick(chains *self, const cloud *at, double a, double c, double by)
{
    for (size_t r = 0; r < self->n; r++) {
        size_t k = r * self->dim;
        double far = by * self->pace[r];
        for (size_t i = 0; i < self->dim; i++)
            self->momentum[k + i] += along(self, far, at->slope_0 + k, at->slope_p + k, i, a, c);
    }
}

/* x += by * L momentum, or width times momentum */
static void drift(chains *self, const cloud *from, double by)
{
    for (size_t r = 0; r < self->n; r++) {
        size_t k = r * self->dim;
        double far = by * self->pace[r];
        for (size_t i = 0; i < self->dim; i++) {
            double to = from->x[k + i] + across(self, far, self->momentum + k, i);
            self->next.x[k + i] = target_turns(self->target, i) ? flow_circle_point(to) : to;
        }
    }
}

static void add_kinetic(chains *self, double sign)
{
    for (size_t r = 0; r < self->n; r++) {
        double sum = 0;
        for (size_t k = r * self->dim; k < (r + 1) * self->dim; k++)
            sum += 0.5 * self->momentum[k] * self->momentum[k];
        self->kinetic[r] += sign * sum;
    }
}

/* Leapfrog from `at` to `next`; kinetic: what the momenta have lost. */
static int leap(chains *self, double a, double c, double step, size_t leaps, flow_err *err)
{
    int code = 0;
    add_kinetic(self, 1);
    kick(self, &self->at, a, c, 0.5 * step);
    for (size_t i = 0; i < leaps && !code; i++) {
        drift(self, i ? &self->next : &self->at, step);
        code = chains_look(self, &self->next, err);
        if (!code)
            kick(self, &self->next, a, c, i + 1 < leaps ? step : 0.5 * step);
    }
    add_kinetic(self, -1);
    return code;
}

static int walk(chains *self, double step, flow_err *err)
{
    drift(self, &self->at, step);
    return chains_look(self, &self->next, err);
}

/* Metropolis; returns the share that was accepted. */
static double accept(chains *self, double a, double c)
{
    pcg_stream stream = self->stream;
    double accepted = 0;
    stream.purpose = PCG_ESTIMATE;
    pcg_uniforms(self->uniform, stream, self->draws, self->n, 1);
    self->draws += self->n;
    for (size_t r = 0; r < self->n; r++) {
        double gain = log_pi(&self->next, r, a, c) - log_pi(&self->at, r, a, c) + self->kinetic[r];
        if (!(log(self->uniform[r]) < gain))
            continue;
        chains_copy(self, &self->at, r, &self->next, r);
        accepted++;
    }
    return accepted / (double)self->n;
}

static void set_pace(chains *self)
{
    pcg_stream stream = self->stream;
    stream.purpose = PCG_GENERATE;
    if (self->decades > 0)
        pcg_uniforms(self->pace, stream, self->draws, self->n, 1);
    for (size_t r = 0; r < self->n; r++)
        self->pace[r] = self->decades > 0 ? pow(10, -self->decades * self->pace[r]) : 1;
}

static int move_once(chains *self, double a, double c, size_t leaps, flow_err *err)
{
    pcg_stream stream = self->stream;
    stream.purpose = PCG_BASE;
    double step = self->step * (0.8 + 0.4 * chains_uniform(self, PCG_PERMUTE));
    pcg_normals(self->momentum, stream, self->draws, self->n, self->dim);
    set_pace(self);
    memset(self->kinetic, 0, self->n * sizeof *self->kinetic);
    int code = self->slopes ? leap(self, a, c, step, leaps, err) : walk(self, step, err);
    if (code)
        return code;
    self->acceptance = accept(self, a, c);
    double surplus = self->acceptance - (self->slopes ? HMC_ACCEPTED : WALK_ACCEPTED);
    self->step = fmin(WIDEST_STEP, self->step * exp(0.7 * surplus));
    return 0;
}

int chains_move(chains *self, double a, double c, size_t moves, size_t leaps, flow_err *err)
{
    int code = 0;
    for (size_t i = 0; i < moves && !code; i++)
        code = move_once(self, a, c, leaps, err);
    return code;
}
