#include "student/pilot.h"

#include "flow/circle.h"
#include "teacher/kinds.h"
#include "teacher/streams.h"
#include "teacher/target_in_units.h"

#include <math.h>
#include <stdlib.h>

enum { SCOUTS = 256, MOST_ROUNDS = 6 };
static const double WIDER = 3; /* than the rows: the start */

/* Mean square of column i about 0. */
static double size_of(const annealed *a, size_t i)
{
    double sum = 0;
    for (size_t r = 0; r < a->n; r++)
        sum += a->x[r * a->dim + i] * a->x[r * a->dim + i];
    return sqrt(sum / (double)a->n);
}

/* Widens the start where rows came out too far; returns whether it did. */
static int widen(double *start, const target *t, const annealed *a)
{
    int wider = 0;
    for (size_t i = 0; i < a->dim; i++) {
        if (target_turns(t, i))
            continue; /* it has all there is */
        double wanted = WIDER * size_of(a, i);
        if (wanted > 1.2 * start[i]) /* not for a trifle */
            wider = 1;
        start[i] = fmax(start[i], wanted);
    }
    return wider;
}

static int anneal(student_pilot *self, const target *t, flow_pool *pool, const double *start,
                  size_t n, uint64_t seed, flow_err *err)
{
    annealed_options o = annealed_options_default();
    o.rows = n;
    o.shift = self->shift;
    o.scale = start;
    o.stream = (pcg_stream){.seed = seed, .stage = STREAM_PILOT + (uint32_t)self->rounds++};
    annealed_close(&self->rows);
    int code = annealed_run(&self->rows, t, pool, &o, err);
    self->evaluations += self->rows.evaluations;
    return code;
}

static void measure_line(student_pilot *self, size_t i)
{
    size_t n = self->rows.n, dim = self->rows.dim;
    double mean = 0, square = 0;
    for (size_t r = 0; r < n; r++)
        mean += self->rows.x[r * dim + i] / (double)n;
    for (size_t r = 0; r < n; r++)
        square += pow(self->rows.x[r * dim + i] - mean, 2) / (double)n;
    self->shift[i] = mean;
    self->scale[i] = square > 0 ? sqrt(square) : 1;
}

/* u is room for the column. */
static void measure_circle(student_pilot *self, size_t i)
{
    size_t n = self->rows.n, dim = self->rows.dim;
    flow_unit turn = {.period = 2 * FLOW_PI};
    for (size_t r = 0; r < n; r++)
        self->u[r] = self->rows.x[r * dim + i];
    data_kinds_fit_angle(&turn, self->u, n);
    self->shift[i] = turn.shift;
    self->scale[i] = 1 / turn.stretch;
}

static int measure(student_pilot *self, const target *t, const double *start, flow_err *err)
{
    size_t n = self->rows.n, dim = self->rows.dim;
    for (size_t i = 0; i < dim; i++) {
        if (target_turns(t, i))
            measure_circle(self, i);
        else
            measure_line(self, i);
        self->start += log(start[i]) / (double)dim;
    }
    self->start = exp(self->start);
    return student_pilot_scale(self, t, 0, n, err);
}

int student_pilot_scale(student_pilot *self, const target *t, size_t first, size_t n, flow_err *err)
{
    size_t dim = self->rows.dim;
    flow_units *units = target_placed_units(t, self->shift, self->scale, err);
    if (!units)
        return err->code;
    for (size_t k = first * dim; k < (first + n) * dim; k++)
        self->u[k] = flow_unit_placed(&units->column[k % dim], self->rows.x[k]);
    flow_units_free(units);
    return 0;
}

/* Scouts until they stay within their start, then all rows. */
static int run(student_pilot *self, const target *t, flow_pool *pool, double *start, size_t n,
               uint64_t seed, flow_err *err)
{
    int code = 0, wider = 1;
    size_t scouts = n < SCOUTS ? n : SCOUTS;
    for (int round = 0; round < MOST_ROUNDS && wider && !code; round++) {
        code = anneal(self, t, pool, start, scouts, seed, err);
        wider = !code && widen(start, t, &self->rows);
    }
    if (!code)
        code = anneal(self, t, pool, start, n, seed, err);
    return code ? code : measure(self, t, start, err);
}

int student_pilot_run(student_pilot *self, const target *t, flow_pool *pool, size_t n,
                      uint64_t seed, flow_err *err)
{
    size_t dim = t->dim;
    *self = (student_pilot){.rounds = 0};
    if (t->context)
        return flow_fail(err, FLOW_ECONFIG, "a pilot is for targets without context");
    double *all = calloc((n + 2) * dim, sizeof *all), *start = malloc(dim * sizeof *start);
    self->shift = all;
    int code = all && start ? 0 : flow_fail(err, FLOW_ENOMEM, "out of memory for a pilot");
    if (!code) {
        self->scale = all + dim;
        self->u = all + 2 * dim;
        for (size_t i = 0; i < dim; i++)
            start[i] = 1;
        code = run(self, t, pool, start, n, seed, err);
    }
    free(start);
    return code;
}

void student_pilot_close(student_pilot *self)
{
    annealed_close(&self->rows);
    free(self->shift);
    *self = (student_pilot){.rounds = 0};
}

distill_rows student_pilot_start(const student_pilot *self)
{
    return (distill_rows){self->u, self->rows.n};
}
