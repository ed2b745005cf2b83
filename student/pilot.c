#include "student/pilot.h"

#include "flow/circle.h"
#include "teacher/kinds.h"
#include "teacher/streams.h"
#include "teacher/target_in_units.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_ROUNDS = 6 };
const pilot_effort pilot_effort_usual = {
    .scouts = 256, .ess = 0.5, .moves = 10, .last_moves = 20, .stage = STREAM_PILOT};
const pilot_effort pilot_effort_sketch = {
    .scouts = 64, .ess = 0.5, .moves = 3, .last_moves = 6, .stage = STREAM_SKETCH};
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

/* What all rounds have in common. */
typedef struct voyage {
    const target *target;
    flow_pool *pool;
    const pilot_effort *effort;
    uint64_t seed;
} voyage;

static int anneal(student_pilot *self, const voyage *v, const double *start, size_t n,
                  flow_err *err)
{
    annealed_options o = annealed_options_default();
    o.rows = n;
    o.ess = v->effort->ess;
    o.moves = v->effort->moves;
    o.last_moves = v->effort->last_moves;
    o.shift = self->shift;
    o.scale = start;
    o.stream = (pcg_stream){.seed = v->seed, .stage = v->effort->stage + (uint32_t)self->rounds++};
    annealed_close(&self->rows);
    int code = annealed_run(&self->rows, v->target, v->pool, &o, err);
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

static int measure(student_pilot *self, const target *t, flow_err *err)
{
    size_t n = self->rows.n, dim = self->rows.dim;
    for (size_t i = 0; i < dim; i++) {
        if (target_turns(t, i))
            measure_circle(self, i);
        else
            measure_line(self, i);
    }
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

static double middle_of(const double *start, size_t dim)
{
    double sum = 0;
    for (size_t i = 0; i < dim; i++)
        sum += log(start[i]) / (double)dim;
    return exp(sum);
}

/* Scouts until they stay within their start, then all rows. */
static int run(student_pilot *self, const voyage *v, double *start, size_t n, flow_err *err)
{
    int code = 0, wider = 1;
    size_t scouts = n < v->effort->scouts ? n : v->effort->scouts;
    for (int round = 0; round < MOST_ROUNDS && wider && !code; round++) {
        code = anneal(self, v, start, scouts, err);
        wider = !code && widen(start, v->target, &self->rows);
    }
    if (!code)
        code = anneal(self, v, start, n, err);
    self->start = middle_of(start, v->target->dim);
    return code ? code : measure(self, v->target, err);
}

/* Room for shift, scale and u of n rows. */
static int take(student_pilot *self, size_t n, size_t dim, flow_err *err)
{
    double *all = calloc((n + 2) * dim, sizeof *all);
    if (!all)
        return flow_fail(err, FLOW_ENOMEM, "out of memory for a pilot");
    free(self->shift);
    self->shift = all;
    self->scale = all + dim;
    self->u = all + 2 * dim;
    return 0;
}

int student_pilot_run(student_pilot *self, const target *t, flow_pool *pool,
                      const pilot_effort *effort, size_t n, uint64_t seed, flow_err *err)
{
    const voyage v = {t, pool, effort, seed};
    size_t dim = t->dim;
    *self = (student_pilot){.rounds = 0};
    if (t->context)
        return flow_fail(err, FLOW_ECONFIG, "a pilot is for targets without context");
    double *start = malloc(dim * sizeof *start);
    int code =
        start ? take(self, n, dim, err) : flow_fail(err, FLOW_ENOMEM, "out of memory for a pilot");
    for (size_t i = 0; i < dim && !code; i++)
        start[i] = 1;
    if (!code)
        code = run(self, &v, start, n, err);
    free(start);
    return code;
}

int student_pilot_replace(student_pilot *self, const target *t, const double *x,
                          const double *log_p, size_t n, flow_err *err)
{
    size_t dim = t->dim;
    double *own = malloc(n * dim * sizeof *own), *own_log_p = malloc(n * sizeof *own);
    int code = own && own_log_p ? take(self, n, dim, err)
                                : flow_fail(err, FLOW_ENOMEM, "out of memory for a pilot");
    if (code) {
        free(own);
        free(own_log_p);
        return code;
    }
    free(self->rows.x);
    free(self->rows.log_p);
    self->rows.x = memcpy(own, x, n * dim * sizeof *own);
    self->rows.log_p = memcpy(own_log_p, log_p, n * sizeof *own);
    self->rows.n = n;
    return measure(self, t, err);
}

void student_pilot_close(student_pilot *self)
{
    annealed_close(&self->rows);
    free(self->shift);
    *self = (student_pilot){.rounds = 0};
}

distill_rows student_pilot_start(const student_pilot *self)
{
    return (distill_rows){self->u, self->rows.n, self->precise};
}
