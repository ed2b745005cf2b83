#include "student/tails.h"

#include "flow/sort.h"
#include "student/against_data.h"

#include <math.h>
#include <stdlib.h>

const student_tails student_no_tails = {.off = NAN};

/* ---- two counts */

/* Whether P(X >= a) of a + b trials at these odds is more than chance, which is below a half: from the term of a on, X = a +
 * b - j, terms fall where a is more than the mean. */
static bool is_likely(size_t a, size_t b, double odds, double chance)
{
    if ((double)b * odds >= (double)a)
        return true;
    const double n = (double)(a + b), x = (double)a, y = (double)b;
    double term =
        exp(lgamma(n + 1) - lgamma(x + 1) - lgamma(y + 1) - x * log1p(1 / odds) - y * log1p(odds));
    double sum = term;
    for (double j = y; j > 0 && sum <= chance && term > 1e-3 * chance / n; j--) {
        term *= j / (n - j + 1) * odds;
        sum += term;
    }
    return sum > chance;
}

double student_tail_least(size_t a, size_t n, size_t b, size_t m, double chance)
{
    double lo = -60, hi = 60; /* logarithms of odds */
    if (a == 0)
        return 0;
    for (int k = 0; k < 60; k++) {
        double at = 0.5 * (lo + hi);
        *(is_likely(a, b, exp(at), chance) ? &hi : &lo) = at;
    }
    return exp(hi) * ((double)m / (double)n);
}

/* ---- rows of a column, sorted */

typedef struct rows {
    double *x; /* (n), rising */
    size_t n;
} rows;

static size_t fewer(size_t n)
{
    return n < STUDENT_TAIL_ROWS ? n : STUDENT_TAIL_ROWS;
}

/* unit: NULL or the column's own. */
static int take(rows *out, const data_part *from, size_t column, const flow_units *unit,
                flow_err *err)
{
    for (size_t i = 0; i < out->n; i++) {
        size_t row = from->n / out->n * i + from->n % out->n * i / out->n;
        out->x[i] = data_number(&from->x, row, column);
        if (!isfinite(out->x[i]))
            return flow_fail(err, FLOW_EDIVERGED, "tails: row %zu, column %zu is %g", row, column,
                             out->x[i]);
    }
    if (unit)
        flow_units_to_user(unit, out->x, NULL, out->x, out->n);
    flow_sort_numbers(out->x, out->n);
    return FLOW_OK;
}

/* What was below is above. */
static void mirror(rows *of)
{
    for (size_t i = 0; i < of->n / 2; i++) {
        double last = of->x[of->n - 1 - i];
        of->x[of->n - 1 - i] = of->x[i];
        of->x[i] = last;
    }
    for (size_t i = 0; i < of->n; i++)
        of->x[i] = -of->x[i];
}

/* Rows above `value`, or also those at it. */
static size_t above(const rows *of, double value, bool at)
{
    size_t lo = 0, hi = of->n; /* rows before lo are not, those from hi on are */
    while (lo < hi) {
        size_t i = lo + (hi - lo) / 2;
        if (of->x[i] > value || (at && of->x[i] >= value))
            hi = i;
        else
            lo = i + 1;
    }
    return of->n - lo;
}

/* In two passes. */
static double deviation(const rows *of)
{
    double mean = 0, squares = 0;
    for (size_t i = 0; i < of->n; i++)
        mean += of->x[i] / (double)of->n;
    for (size_t i = 0; i < of->n; i++)
        squares += (of->x[i] - mean) * (of->x[i] - mean) / (double)of->n;
    return sqrt(squares);
}

/* ---- what is beyond, above */

static void look_beyond(student_tail_count *out, double value, const rows *samples,
                        const rows *reference)
{
    out->beyond = value;
    out->samples = above(samples, value, false);
    out->reference = above(reference, value, false);
}

/* Where the reference has k rows beyond: of ties the far end, or, with too few beyond that, the near one. */
static void look_at_share(student_tail_count *out, size_t k, const rows *samples,
                          const rows *reference)
{
    enum { TIED = 3 }; /* times as many rows are another share */
    double value = reference->x[reference->n - 1 - k];
    size_t with = above(reference, value, true);
    if (above(reference, value, false) < STUDENT_TAIL_FEW && with < reference->n)
        value = reference->x[reference->n - 1 - with];
    size_t count = above(reference, value, false);
    if (count >= STUDENT_TAIL_FEW && count <= TIED * k)
        look_beyond(out, value, samples, reference);
}

/* A level that has the threshold of one before it says nothing new. */
static void look_once(student_tail *out, student_tail_level which, size_t k, const rows *samples,
                      const rows *reference)
{
    student_tail_count *at = &out->level[which];
    look_at_share(at, k, samples, reference);
    for (int before = 0; before < (int)which; before++)
        if (out->level[before].beyond == at->beyond)
            at->beyond = NAN;
}

static void look_above(student_tail *out, const rows *samples, const rows *reference, double edge)
{
    const size_t m = reference->n, k = STUDENT_TAIL_FEW;
    for (int i = 0; i < STUDENT_TAIL_LEVELS; i++)
        out->level[i] = (student_tail_count){.beyond = NAN, .off = NAN};
    out->samples = samples->x[samples->n - 1];
    out->reference = reference->x[m - 1];
    if (m / 100 >= k)
        look_once(out, STUDENT_TAIL_HUNDREDTH, m / 100, samples, reference);
    if (m / 1000 >= k)
        look_once(out, STUDENT_TAIL_THOUSANDTH, m / 1000, samples, reference);
    if (m / 20 >= k)
        look_once(out, STUDENT_TAIL_LAST, k, samples, reference);
    look_beyond(&out->level[STUDENT_TAIL_REFERENCE], out->reference + edge, samples, reference);
    look_beyond(&out->level[STUDENT_TAIL_SAMPLES], out->samples + edge, samples, reference);
}

static void mirror_back(student_tail *of)
{
    of->samples = -of->samples;
    of->reference = -of->reference;
    for (int i = 0; i < STUDENT_TAIL_LEVELS; i++)
        of->level[i].beyond = -of->level[i].beyond;
}

/* ---- all columns */

typedef struct job {
    student_tails *out;
    const data_part *samples, *reference;
    const flow_units *units;
    flow_units *one; /* of the column at work; NULL without units */
    rows own, other;
} job;

static bool is_circle(const job *self, size_t column)
{
    return self->units && self->units->column[column].period > 0;
}

static void look_at_neither(student_tail side[2])
{
    for (int s = 0; s < 2; s++) {
        side[s] = (student_tail){.samples = NAN, .reference = NAN};
        for (int i = 0; i < STUDENT_TAIL_LEVELS; i++)
            side[s].level[i] = (student_tail_count){.beyond = NAN, .off = NAN};
    }
}

static int look_at_column(job *self, size_t column, flow_err *err)
{
    student_tail *side = self->out->side[column];
    if (is_circle(self, column)) {
        look_at_neither(side);
        return FLOW_OK;
    }
    if (self->one)
        self->one->column[0] = self->units->column[column];
    int code = take(&self->own, self->samples, column, self->one, err);
    if (!code)
        code = take(&self->other, self->reference, column, self->one, err);
    if (code)
        return code;
    double edge = STUDENT_EDGE * deviation(&self->other);
    look_above(&side[1], &self->own, &self->other, edge);
    mirror(&self->own);
    mirror(&self->other);
    look_above(&side[0], &self->own, &self->other, edge);
    mirror_back(&side[0]);
    return FLOW_OK;
}

/* ---- what the counts say */

/* Shares can be too many or too few, and beyond an end there are none of one side. */
static size_t comparisons(const student_tails *of)
{
    size_t n = 0;
    for (size_t i = 0; i < 2 * of->dim; i++)
        for (int k = 0; k < STUDENT_TAIL_LEVELS; k++)
            if (!isnan(of->side[i / 2][i % 2].level[k].beyond))
                n += k < STUDENT_TAIL_REFERENCE ? 2 : 1;
    return n;
}

/* By what factor the first share is above the other at least. */
static double factor(size_t a, size_t n, size_t b, size_t m, double chance)
{
    bool alike = is_likely(a, b, (double)n / (double)m, chance);
    return alike ? 1 : student_tail_least(a, n, b, m, chance);
}

static void judge_level(student_tails *self, size_t column, int side, int level, double chance)
{
    student_tail_count *c = &self->side[column][side].level[level];
    if (isnan(c->beyond))
        return;
    const size_t a = c->samples, n = self->samples, b = c->reference, m = self->reference;
    const double more = factor(a, n, b, m, chance), less = factor(b, m, a, n, chance),
                 far = fmax(more, less);
    c->off = more > 1 ? more : 1 / less;
    if (far <= self->off) /* NaN is not */
        return;
    self->off = far;
    self->column = column;
    self->above = side == 1;
    self->level = (student_tail_level)level;
}

static void judge(student_tails *self)
{
    double chance = STUDENT_TAIL_CHANCE / (double)comparisons(self);
    for (size_t j = 0; j < self->dim; j++)
        for (int side = 0; side < 2; side++)
            for (int level = 0; level < STUDENT_TAIL_LEVELS; level++)
                judge_level(self, j, side, level, chance);
}

/* ---- the whole */

static int reserve(job *self, flow_err *err)
{
    const size_t n = self->own.n = fewer(self->samples->n),
                 m = self->other.n = fewer(self->reference->n), dim = self->samples->x.width;
    *self->out = student_no_tails;
    self->out->side = calloc(dim + 1, sizeof *self->out->side);
    self->own.x = malloc((n + m + 1) * sizeof *self->own.x);
    self->one = self->units ? flow_units_create(1, err) : NULL;
    if (!self->out->side || !self->own.x || (self->units && !self->one))
        return flow_fail(err, FLOW_ENOMEM, "out of memory for the tails of %zu columns", dim);
    self->other.x = self->own.x + n;
    self->out->dim = dim;
    self->out->samples = n;
    self->out->reference = m;
    return FLOW_OK;
}

int student_tails_measure(student_tails *out, const data_part *samples, const data_part *reference,
                          const flow_units *units, flow_err *err)
{
    job self = {.out = out, .samples = samples, .reference = reference, .units = units};
    *out = student_no_tails;
    if (samples->n == 0 || reference->n == 0)
        return FLOW_OK;
    int code = reserve(&self, err);
    for (size_t j = 0; !code && j < out->dim; j++)
        code = look_at_column(&self, j, err);
    if (!code)
        judge(out);
    free(self.own.x);
    flow_units_free(self.one);
    return code;
}

void student_tails_release(student_tails *self)
{
    free(self->side);
    *self = student_no_tails;
}
