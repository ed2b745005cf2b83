/* The integral is the trapezoid rule, which for a smooth function that falls to nothing on both sides converges faster
 * than any power of the step (Trefethen, Weideman 2014). */
#include "teacher/target_line.h"

#include <math.h>

/* e^-45 is nothing beside 1. What is linear between points is at most so much below f: h^2 |f''| / 8. */
#define BELOW 45
#define ABOVE 0.02

/* ---- the points */

/* The highest of the points, by climbing. */
static double climb(const target_line *self, double at)
{
    double value = self->f(self->arg, at), next, way = self->step;
    if (!(self->f(self->arg, at + way) > value))
        way = -way;
    for (size_t k = 0; k < 1000000 && (next = self->f(self->arg, at + way)) > value; k++) {
        at += way;
        value = next;
    }
    return at;
}

/* How many points on one side of the top count. */
static size_t reach(const target_line *self, double at, double way)
{
    size_t k = 1, most = TARGET_LINE_ROOM / 2;
    while (k < most && self->f(self->arg, at + (double)k * way) > self->top - BELOW)
        k++;
    return k;
}

/* The integral of e^(a + (b - a) x) over x in [0, 1]. */
static double between(double a, double b)
{
    return exp(a) * (fabs(b - a) < 1e-8 ? 1 + 0.5 * (b - a) : expm1(b - a) / (b - a));
}

static void fill(target_line *self)
{
    double sum = 0, total = 0;
    for (size_t i = 0; i < self->n; i++) {
        self->log_f[i] = self->f(self->arg, self->from + (double)i * self->step) - self->top;
        sum += exp(self->log_f[i]);
        total += i ? between(self->log_f[i - 1], self->log_f[i]) : 0;
        self->share[i] = total;
    }
    for (size_t i = 0; i < self->n; i++)
        self->share[i] /= total;
    self->log_total = self->top + log(sum * self->step);
}

int target_line_init(target_line *self, double *room, double (*f)(const void *arg, double s),
                     const void *arg, double start, double step, flow_err *err)
{
    *self = (target_line){.f = f, .arg = arg, .step = step};
    double at = climb(self, start);
    self->top = f(arg, at);
    size_t left = reach(self, at, -step), right = reach(self, at, step);
    self->n = left + right + 1;
    self->from = at - (double)left * step;
    self->log_f = room;
    self->share = room + TARGET_LINE_ROOM / 2;
    if (!isfinite(self->top) || self->n > TARGET_LINE_ROOM / 2)
        return flow_fail(err, FLOW_EDATA, "an integral over one unknown does not come to an end");
    fill(self);
    return 0;
}

/* ---- draws */

/* The cell, from point i to i + 1, that u falls into. */
static size_t cell_of(const target_line *self, double u)
{
    size_t low = 0, high = self->n - 1;
    while (high - low > 1) {
        size_t middle = (low + high) / 2;
        if (self->share[middle] <= u)
            low = middle;
        else
            high = middle;
    }
    return low;
}

double target_line_draw(const target_line *self, pcg *rng)
{
    double s, line;
    do {
        size_t i = cell_of(self, pcg_uniform(rng));
        double slope = self->log_f[i + 1] - self->log_f[i], v = pcg_uniform(rng);
        double x = fabs(slope) < 1e-8 ? v : log1p(v * expm1(slope)) / slope;
        s = self->from + ((double)i + x) * self->step;
        line = self->log_f[i] + x * slope;
    } while (log(1 - pcg_uniform(rng)) >= self->f(self->arg, s) - self->top - line - ABOVE);
    return s;
}
