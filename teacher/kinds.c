#include "teacher/kinds.h"

#include "flow/circle.h"
#include "flow/pcg.h"
#include "flow/sort.h"
#include "flow/units_points.h"
#include "teacher/columns.h"
#include "teacher/streams.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- values */

/* The noise of a row (D), uniform: it goes by its number in the table. */
static void draw_noise(data_points *self, size_t number)
{
    pcg_stream stream = {self->seed, STREAM_DATA, PCG_DEQUANTISE};
    pcg_uniforms(self->noise, stream, number, 1, self->units->dim);
}

/* Noise that only blurs is part of the value. */
static void smear(data_points *self, double *x, const data_pass *at, size_t first, size_t k)
{
    for (size_t i = 0; i < at->n && self->smears; i++) {
        draw_noise(self, at->number[i]);
        for (size_t j = 0; j < k; j++)
            if (self->kinds[first + j].smear)
                x[i * k + j] += self->noise[first + j] * self->kinds[first + j].step;
    }
}

/* That of a grid is added to what is known to be a grid value. A hair of the cell is left at either side:
 * no end of a support is hit. */
static void spread(data_points *self, double *x, const data_pass *at, size_t first, size_t k)
{
    const double hair = 1e-6;
    for (size_t i = 0; i < at->n && self->spreads; i++) {
        draw_noise(self, at->number[i]);
        for (size_t j = 0; j < k; j++) {
            const flow_unit *unit = &self->units->column[first + j];
            double *value = &x[i * k + j];
            if (unit->step > 0)
                *value = flow_unit_snap(unit, *value) +
                         (hair + (1 - 2 * hair) * self->noise[first + j]) * unit->step;
        }
    }
}

/* x (at->n, k): as the table has them, blurred. */
static void take_values(data_points *self, double *x, const data_pass *at, size_t first, size_t k)
{
    data_pass_take(x, at, at->plan->data + first, k);
    smear(self, x, at, first, k);
}

/* ---- ends */

/* What lies on an end of a support, and how near the rest comes. */
typedef struct ends {
    size_t count;
    double end, nearest;
} ends;

static void look_at_end(ends *out, double end, double distance)
{
    if (distance > 0) {
        out->nearest = fmin(out->nearest, distance);
    } else if (distance >= 0) {
        out->count++;
        out->end = end;
    }
}

static void look_at_ends(ends *out, const flow_unit *unit, double x)
{
    if (unit->support != FLOW_BELOW)
        look_at_end(out, unit->lo, x - unit->lo);
    if (unit->support != FLOW_ABOVE)
        look_at_end(out, unit->hi, unit->hi - x);
}

/* A few values on an end are there because they are rounded: they count as half of the smallest distance
 * that there is. Many are a mass, of which there is no density. */
static int set_edge(flow_unit *unit, const ends *found, const data_points *self,
                    const file_table *head, const data_plan *plan, size_t col, flow_err *err)
{
    char label[DATA_LABEL_SIZE];
    size_t n = data_plan_n(plan);
    if (found->count > 1 + n / 100)
        return flow_fail(
            err, FLOW_EDATA,
            "%s: %s: %zu of %zu rows are %.9g, the end of its support, and a density has "
            "no place for so many; give it a step, if values are rounded, or a wider "
            "support, or alpha: 1e-6, if it has two ends",
            self->source, data_column_label(label, head, plan->data[col]), found->count, n,
            found->end);
    unit->edge = isfinite(found->nearest) ? 0.5 * found->nearest : 0;
    return FLOW_OK;
}

static bool has_edge(const flow_unit *unit)
{
    return unit->support != FLOW_LINE && !(unit->step > 0) && !(unit->alpha > 0);
}

/* ---- circles */

enum { BINS = 64 };

/* Where the values of the training rows are on the circle, and how they are written. */
typedef struct circle {
    size_t count[BINS];
    bool positive, balanced; /* all are at least 0; all are within half a period of 0 */
} circle;

/* A hair more, for periods that are rounded. */
static void look_at_turn(circle *out, double turn)
{
    double at = turn - floor(turn);
    if (isnan(at))
        return; /* off a grid: refused later */
    size_t bin = (size_t)(BINS * at);
    out->count[bin < BINS ? bin : 0]++;
    out->positive = out->positive && turn >= 0;
    out->balanced = out->balanced && fabs(turn) <= 0.5 + 1e-6;
}

/* Where the values leave the most room: the middle of the emptiest bin, its neighbours counted in. */
static double emptiest(const circle *self, double period)
{
    size_t best = 0, least = SIZE_MAX;
    const size_t *count = self->count;
    for (size_t bin = 0; bin < BINS; bin++) {
        size_t around = count[(bin + BINS - 1) % BINS] + 2 * count[bin] + count[(bin + 1) % BINS];
        if (around < least) {
            least = around;
            best = bin;
        }
    }
    return period * ((double)best + 0.5) / BINS;
}

/* Which of the two usual ways to write an angle these are: [0, period) or [-period/2, period/2). */
static double usual_start(const circle *self, double period)
{
    return self->balanced && !self->positive ? -0.5 * period : 0;
}

static double mean_direction(const double *t, size_t n, double period)
{
    double turn = 2 * FLOW_PI / period;
    return flow_circle_mean(NULL, t, n, 1, turn) / turn;
}

void data_kinds_fit_angle(flow_unit *unit, double *t, size_t n)
{
    const double least = 0.49, most = 1e6; /* radians; of a stretch */
    flow_unit_set_angle(unit, mean_direction(t, n, unit->period));
    for (size_t i = 0; i < n; i++)
        t[i] = fabs(flow_circle_point((t[i] - unit->shift) / unit->scale));
    flow_sort_numbers(t, n);
    unit->stretch = fmin(fmax(tan(0.5 * least) / tan(0.5 * t[n / 2]), 1), most);
}

/* A value between cut and cut + period, cut at `shift` from there. */
static double cut_at(const flow_unit *unit, double t, double shift)
{
    if (t < unit->cut + shift)
        return t + unit->period;
    return t >= unit->cut + unit->period + shift ? t - unit->period : t;
}

static void blur_cuts(const data_points *self, double *t, const data_pass *at, size_t first,
                      size_t k)
{
    const double ramp = 0.25; /* of the period: half of it on either side of the cut */
    pcg_stream stream = {self->seed, STREAM_DATA, PCG_CUT};
    for (size_t j = 0; j < k; j++) {
        const flow_unit *unit = &self->units->column[first + j];
        for (size_t i = 0; unit->wrapped && i < at->n; i++) {
            double draw, *value = &t[i * k + j];
            pcg_uniforms(&draw, stream, at->number[i] * self->units->dim + first + j, 1, 1);
            *value = cut_at(unit, *value, ramp * unit->period * (draw - 0.5));
        }
    }
}

/* ---- the maps */

/* What a look at the rows is for, of each column. */
typedef struct seen {
    ends ends;
    circle circle;
} seen;

static void look_at_block(data_points *self, seen *all, double *x, const data_pass *at)
{
    size_t dim = self->units->dim;
    take_values(self, x, at, 0, dim);
    for (size_t i = 0; i < at->n; i++)
        for (size_t col = 0; col < dim; col++)
            if (has_edge(&self->units->column[col]))
                look_at_ends(&all[col].ends, &self->units->column[col], x[i * dim + col]);
    spread(self, x, at, 0, dim);
    for (size_t i = 0; i < at->n; i++)
        for (size_t col = 0; col < dim && at->place[i] < at->plan->n_train; col++)
            if (self->units->column[col].period > 0)
                look_at_turn(&all[col].circle, x[i * dim + col] / self->units->column[col].period);
}

static int use_what_was_seen(data_points *self, const seen *all, const file_table *head,
                             const data_plan *plan, flow_err *err)
{
    int code = FLOW_OK;
    for (size_t col = 0; !code && col < self->units->dim; col++) {
        flow_unit *unit = &self->units->column[col];
        if (has_edge(unit))
            code = set_edge(unit, &all[col].ends, self, head, plan, col, err);
        if (!(unit->period > 0))
            continue;
        if (unit->wrapped)
            unit->cut = emptiest(&all[col].circle, unit->period);
        if (isinf(self->kinds[col].lo))
            unit->start = usual_start(&all[col].circle, unit->period);
    }
    return code;
}

static int look_at_rows(data_points *self, file_stream *rows, const data_plan *plan, flow_err *err)
{
    size_t dim = self->units->dim;
    seen *all = calloc(dim, sizeof *all);
    double *x = malloc(DATA_PASS_ROWS * dim * sizeof *x);
    data_pass at = {.code = FLOW_OK};
    for (size_t col = 0; all && col < dim; col++)
        all[col] = (seen){{.nearest = (double)INFINITY}, {.positive = true, .balanced = true}};
    if (!all || !x)
        at.code = flow_fail(err, FLOW_ENOMEM, "no memory for %zu columns", dim);
    else
        for (data_pass_begin(&at, rows, plan); data_pass_next(&at, err);)
            look_at_block(self, all, x, &at);
    if (!at.code)
        at.code = use_what_was_seen(self, all, file_stream_head(rows), plan, err);
    free(all);
    free(x);
    return at.code;
}

static bool wants_a_look(const flow_units *units)
{
    size_t col = 0;
    while (col < units->dim && !has_edge(&units->column[col]) && !(units->column[col].period > 0))
        col++;
    return col < units->dim;
}

static int set_units(data_points *self, const file_table *head, const data_plan *plan,
                     flow_err *err)
{
    for (size_t col = 0; col < self->units->dim; col++) {
        const data_kind *kind = &self->kinds[col];
        char why[DATA_KIND_WHY], label[DATA_LABEL_SIZE];
        if (data_kind_fault(why, kind))
            return flow_fail(err, FLOW_ECONFIG, "%s: %s: %s", self->source,
                             data_column_label(label, head, plan->data[col]), why);
        self->units->column[col] = data_kind_unit(kind);
        self->units->column[col].soft = 0; /* until the rows have been seen: link.h */
        self->units->column[col].wrapped = self->wrap && kind->period > 0;
        self->smears |= kind->step > 0 && kind->smear;
        self->spreads |= kind->step > 0 && !kind->smear;
    }
    return flow_units_check_periods(self->units, err);
}

int data_points_init(data_points *self, file_stream *rows, const data_plan *plan,
                     const data_kind *kinds, bool wrap, uint64_t seed, const char *source,
                     flow_err *err)
{
    *self = (data_points){.source = source, .kinds = kinds, .wrap = wrap, .seed = seed};
    self->units = flow_units_create(plan->dim, err);
    self->some = self->units ? flow_units_create(plan->dim, err) : NULL;
    if (!self->some)
        return FLOW_ENOMEM;
    self->noise = malloc(plan->dim * sizeof *self->noise);
    if (!self->noise)
        return flow_fail(err, FLOW_ENOMEM, "no memory for the noise of a row");
    int code = set_units(self, file_stream_head(rows), plan, err);
    return code || !wants_a_look(self->units) ? code : look_at_rows(self, rows, plan, err);
}

void data_points_release(data_points *self)
{
    flow_units_free(self->units);
    flow_units_free(self->some);
    free(self->noise);
    *self = (data_points){.source = NULL};
}

/* ---- points */

static int fail_outside(const data_points *self, const data_pass *at, size_t i, size_t col,
                        flow_err *err)
{
    size_t of_table = at->plan->data[col];
    char label[DATA_LABEL_SIZE], wants[FLOW_UNIT_TEXT];
    return flow_fail(err, FLOW_EDATA, "%s: row %zu, %s: %.9g is not %s", self->source,
                     at->number[i], data_column_label(label, file_stream_head(at->rows), of_table),
                     at->row[i][of_table], flow_unit_wants(wants, &self->units->column[col]));
}

int data_points_take(data_points *self, double *t, const data_pass *at, size_t first, size_t k,
                     flow_err *err)
{
    flow_units *some = self->some;
    some->dim = k;
    memcpy(some->column, self->units->column + first, k * sizeof *some->column);
    take_values(self, t, at, first, k);
    for (size_t i = 0; i < at->n; i++) {
        size_t col = flow_units_first_outside(some, t + i * k);
        if (col < k)
            return fail_outside(self, at, i, first + col, err);
    }
    spread(self, t, at, first, k);
    flow_units_to_flow(some, t, NULL, t, at->n);
    blur_cuts(self, t, at, first, k);
    return FLOW_OK;
}
