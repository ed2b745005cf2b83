#include "student/tails.h"

#include "flow/sort.h"
#include "student/against_data.h"
#include "teacher/look_column.h"
#include "teacher/scale.h"

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
    for (double j = y; j > 0 && sum <= chance && term > 1e-9 * chance / n; j--) {
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

/* grid: of one, the column's units; NULL: it is none. */
static int take(rows *out, const data_part *from, size_t column, const flow_units *grid,
                flow_err *err)
{
    for (size_t i = 0; i < out->n; i++) {
        size_t row = look_spread_out(i, out->n, from->n);
        out->x[i] = data_number(&from->x, row, column);
        if (!isfinite(out->x[i]))
            return flow_fail(err, FLOW_EDIVERGED, "tails: row %zu, column %zu is %g", row, column,
                             out->x[i]);
    }
    if (grid)
        flow_units_to_user(grid, out->x, NULL, out->x, out->n);
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

/* Of the reference, without its outliers. */
static double displacement(const rows *reference)
{
    double mean, sd;
    data_scale_trimmed(&mean, &sd, reference->x, reference->n);
    return STUDENT_EDGE * sd;
}

/* ---- what is beyond, above */

/* Two samples and what is no matter between them. */
typedef struct pair {
    rows samples, reference;
    double edge;
} pair;

static void look_beyond(student_tail_count *out, double value, const pair *of)
{
    out->beyond = value;
    out->samples = above(&of->samples, value, false);
    out->reference = above(&of->reference, value, false);
    out->farther = above(&of->samples, value + of->edge, false);
    out->nearer = above(&of->samples, value - of->edge, false);
}

/* Where the reference has k rows beyond: of ties the far end, or, with too few beyond that, the near one. */
static void look_at_share(student_tail_count *out, size_t k, const pair *of)
{
    enum { TIED = 3 }; /* times as many rows are another share */
    const rows *reference = &of->reference;
    double value = reference->x[reference->n - 1 - k];
    size_t with = above(reference, value, true);
    if (above(reference, value, false) < STUDENT_TAIL_FEW && with < reference->n)
        value = reference->x[reference->n - 1 - with];
    size_t count = above(reference, value, false);
    if (count >= STUDENT_TAIL_FEW && count <= TIED * k)
        look_beyond(out, value, of);
}

/* A level that has the threshold of one before it says nothing new. */
static void look_once(student_tail *out, student_tail_level which, size_t k, const pair *of)
{
    student_tail_count *at = &out->level[which];
    look_at_share(at, k, of);
    for (int before = 0; before < (int)which; before++)
        if (out->level[before].beyond == at->beyond)
            at->beyond = NAN;
}

static void look_above(student_tail *out, const pair *of)
{
    const size_t m = of->reference.n, k = STUDENT_TAIL_FEW;
    for (int i = 0; i < STUDENT_TAIL_LEVELS; i++)
        out->level[i] = (student_tail_count){.beyond = NAN, .off = NAN};
    out->samples = of->samples.x[of->samples.n - 1];
    out->reference = of->reference.x[m - 1];
    if (m / 100 >= k)
        look_once(out, STUDENT_TAIL_HUNDREDTH, m / 100, of);
    if (m / 1000 >= k)
        look_once(out, STUDENT_TAIL_THOUSANDTH, m / 1000, of);
    if (m / 20 >= k)
        look_once(out, STUDENT_TAIL_LAST, k, of);
    look_beyond(&out->level[STUDENT_TAIL_REFERENCE], out->reference, of);
    look_beyond(&out->level[STUDENT_TAIL_SAMPLES], out->samples + of->edge, of);
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
    pair rows;
} job;

static void look_at_neither(student_tail side[2])
{
    for (int s = 0; s < 2; s++) {
        side[s] = (student_tail){.samples = NAN, .reference = NAN};
        for (int i = 0; i < STUDENT_TAIL_LEVELS; i++)
            side[s].level[i] = (student_tail_count){.beyond = NAN, .off = NAN};
    }
}

/* From the units of the flow. */
static void tell_user(student_tail side[2], const flow_units *one)
{
    for (int s = 0; s < 2; s++) {
        flow_units_to_user(one, &side[s].samples, NULL, &side[s].samples, 1);
        flow_units_to_user(one, &side[s].reference, NULL, &side[s].reference, 1);
        for (int i = 0; i < STUDENT_TAIL_LEVELS; i++) {
            double *value = &side[s].level[i].beyond;
            flow_units_to_user(one, value, NULL, value, isnan(*value) ? 0u : 1u);
        }
    }
}

static void look_at_sides(student_tail side[2], pair *of)
{
    of->edge = displacement(&of->reference);
    look_above(&side[1], of);
    mirror(&of->samples);
    mirror(&of->reference);
    look_above(&side[0], of);
    mirror_back(&side[0]);
}

static int measure_column(job *self, size_t column, flow_err *err)
{
    static const flow_unit plain = {.scale = 1};
    const flow_unit *unit = self->units ? &self->units->column[column] : &plain;
    student_tail *side = self->out->side[column];
    if (unit->period > 0) {
        look_at_neither(side);
        return FLOW_OK;
    }
    self->one->column[0] = *unit;
    const flow_units *grid = unit->step > 0 ? self->one : NULL;
    int code = take(&self->rows.samples, self->samples, column, grid, err);
    if (!code)
        code = take(&self->rows.reference, self->reference, column, grid, err);
    if (code)
        return code;
    look_at_sides(side, &self->rows);
    if (!grid)
        tell_user(side, self->one);
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
    const size_t n = self->samples, m = self->reference;
    const double more = factor(c->farther, n, c->reference, m, chance),
                 less = factor(c->reference, m, c->nearer, n, chance), far = fmax(more, less);
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
    const size_t n = self->rows.samples.n = fewer(self->samples->n),
                 m = self->rows.reference.n = fewer(self->reference->n),
                 dim = self->samples->x.width;
    self->out->side = calloc(dim + 1, sizeof *self->out->side);
    self->rows.samples.x = malloc((n + m + 1) * sizeof(double));
    self->one = flow_units_create(1, err);
    if (!self->out->side || !self->rows.samples.x || !self->one)
        return flow_fail(err, FLOW_ENOMEM, "out of memory for the tails of %zu columns", dim);
    self->rows.reference.x = self->rows.samples.x + n;
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
        code = measure_column(&self, j, err);
    if (!code)
        judge(out);
    free(self.rows.samples.x);
    flow_units_free(self.one);
    return code;
}

void student_tails_release(student_tails *self)
{
    free(self->side);
    *self = student_no_tails;
}
