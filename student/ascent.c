#include "student/ascent.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double TOP = 1e-6;  /* nats that a step promises: less, and it is the top */
static const double RISE = 1e-4; /* of what a step promises, at least */

typedef struct climber {
    const target *target;
    target_asker *asker;
    size_t dim, *evaluations;
    double *x, *h;
    double *slope, *way, *to, *to_slope, *turn, *work; /* (D) */
    double log_p;
} climber;

static double dot(const double *a, const double *b, size_t dim)
{
    double sum = 0;
    for (size_t i = 0; i < dim; i++)
        sum += a[i] * b[i];
    return sum;
}

/* out = h a */
static void apply(double *out, const climber *c, const double *a)
{
    for (size_t i = 0; i < c->dim; i++)
        out[i] = dot(c->h + i * c->dim, a, c->dim);
}

static int ask(const climber *c, double *log_p, double *slope, const double *x, flow_err *err)
{
    target_status status;
    int code = target_ask(c->asker, log_p, slope, &status, x, NULL, 1, err);
    ++*c->evaluations;
    if (!code && status != TARGET_FINITE)
        *log_p = -INFINITY;
    return code;
}

/* h <- (1 - s y^T / sy) h (1 - y s^T / sy) + s s^T / sy, of the step s = to - x and the change y of minus the slope. */
static void learn(climber *c)
{
    size_t dim = c->dim;
    double *s = c->way, *y = c->turn, *hy = c->work;
    for (size_t i = 0; i < dim; i++) {
        s[i] = c->to[i] - c->x[i];
        y[i] = c->slope[i] - c->to_slope[i];
    }
    double sy = dot(s, y, dim);
    if (!(sy > 1e-12 * sqrt(dot(s, s, dim) * dot(y, y, dim))))
        return; /* it bends the wrong way there */
    apply(hy, c, y);
    double more = (1 + dot(y, hy, dim) / sy) / sy;
    for (size_t i = 0; i < dim; i++)
        for (size_t j = 0; j < dim; j++)
            c->h[i * dim + j] += more * s[i] * s[j] - (hy[i] * s[j] + s[i] * hy[j]) / sy;
}

static void move(climber *c, double log_p)
{
    memcpy(c->x, c->to, c->dim * sizeof *c->x);
    memcpy(c->slope, c->to_slope, c->dim * sizeof *c->slope);
    c->log_p = log_p;
}

/* Along h slope, a step of 1 or shorter that goes up enough. *over: there is none, or nothing is left to gain. */
static int step(climber *c, int *over, flow_err *err)
{
    apply(c->way, c, c->slope);
    double promise = dot(c->way, c->slope, c->dim), log_p, by = 1;
    *over = !(promise > TOP);
    for (int tries = 0; tries < 30 && !*over; tries++, by /= 4) {
        for (size_t i = 0; i < c->dim; i++)
            c->to[i] = c->x[i] + by * c->way[i];
        int code = ask(c, &log_p, c->to_slope, c->to, err);
        if (code)
            return code;
        if (log_p >= c->log_p + RISE * by * promise) {
            learn(c);
            move(c, log_p);
            return 0;
        }
    }
    *over = 1;
    return 0;
}

static int climb(climber *c, flow_err *err)
{
    int over = 0;
    size_t until = *c->evaluations + ASCENT_STEPS;
    int code = ask(c, &c->log_p, c->slope, c->x, err);
    while (!code && !over && c->log_p > -INFINITY && *c->evaluations < until)
        code = step(c, &over, err);
    return code;
}

int ascent_run(double *x, double *h, size_t *evaluations, const target *t, flow_pool *pool,
               flow_err *err)
{
    size_t dim = t->dim;
    climber c = {.target = t, .dim = dim, .evaluations = evaluations, .x = x, .h = h};
    double *all = calloc(6 * dim, sizeof *all);
    if (!all)
        return flow_fail(err, FLOW_ENOMEM, "out of memory for an ascent in %zu dimensions", dim);
    c.slope = all;
    c.way = all + dim;
    c.to = all + 2 * dim;
    c.to_slope = all + 3 * dim;
    c.turn = all + 4 * dim;
    c.work = all + 5 * dim;
    c.asker = target_asker_create(t, pool, err);
    int code = c.asker ? climb(&c, err) : err->code;
    target_asker_free(c.asker);
    free(all);
    return code;
}
