#include "teacher/kinds.h"

#include "flow/circle.h"
#include "flow/pcg.h"
#include "flow/sort.h"
#include "flow/units_points.h"
#include "teacher/columns.h"
#include "teacher/streams.h"

#include <math.h>
#include <stdlib.h>

/* ---- the maps */

static int set_units(flow_units *units, const data_kind *kinds, const data_rows *from,
                     flow_err *err)
{
    for (size_t col = 0; col < units->dim; col++) {
        char why[DATA_KIND_WHY], label[DATA_LABEL_SIZE];
        if (data_kind_fault(why, &kinds[col]))
            return flow_fail(err, FLOW_ECONFIG, "%s: %s: %s", from->source,
                             data_column_label(label, from->table, from->cols[col]), why);
        units->column[col] = data_kind_unit(&kinds[col]);
        units->column[col].wrapped = from->wrap && kinds[col].period > 0;
    }
    return flow_units_check_periods(units, err);
}

/* ---- values */

/* The noise of row i (D), uniform: it goes by the row's place in the table. */
static void draw_noise(double *noise, const data_rows *from, size_t i, size_t dim)
{
    pcg_stream stream = {from->seed, STREAM_DATA, PCG_DEQUANTISE};
    pcg_uniforms(noise, stream, from->rows[i], 1, dim);
}

/* Whether some column has a step that only blurs, or one of a grid. */
static bool has_steps(const data_kind *kinds, size_t dim, bool smear)
{
    size_t col = 0;
    while (col < dim && !(kinds[col].step > 0 && kinds[col].smear == smear))
        col++;
    return col < dim;
}

/* Noise that only blurs is part of the value. */
static void smear(double *x, const data_kind *kinds, double *noise, const data_rows *from,
                  size_t dim)
{
    for (size_t i = 0; i < from->n; i++) {
        draw_noise(noise, from, i, dim);
        for (size_t col = 0; col < dim; col++)
            if (kinds[col].smear)
                x[i * dim + col] += noise[col] * kinds[col].step;
    }
}

/* That of a grid is added to what is known to be a grid value. A hair of the cell is left at either side:
 * no end of a support is hit. */
static void spread(double *x, const flow_units *units, double *noise, const data_rows *from)
{
    const double hair = 1e-6;
    for (size_t i = 0; i < from->n; i++) {
        double *row = x + i * units->dim;
        draw_noise(noise, from, i, units->dim);
        for (size_t col = 0; col < units->dim; col++) {
            const flow_unit *unit = &units->column[col];
            if (unit->step > 0)
                row[col] = flow_unit_snap(unit, row[col]) +
                           (hair + (1 - 2 * hair) * noise[col]) * unit->step;
        }
    }
}

/* ---- values that cannot be */

static int fail_outside(const flow_unit *unit, const data_rows *from, size_t i, size_t col,
                        flow_err *err)
{
    size_t row = from->rows[i], of_table = from->cols[col];
    char label[DATA_LABEL_SIZE], wants[FLOW_UNIT_TEXT];
    return flow_fail(err, FLOW_EDATA, "%s: row %zu, %s: %.9g is not %s", from->source, row,
                     data_column_label(label, from->table, of_table),
                     from->table->values[row * from->table->cols + of_table],
                     flow_unit_wants(wants, unit));
}

static int check_rows(const flow_units *units, const double *x, const data_rows *from,
                      flow_err *err)
{
    for (size_t i = 0; i < from->n; i++) {
        size_t col = flow_units_first_outside(units, x + i * units->dim);
        if (col < units->dim)
            return fail_outside(&units->column[col], from, i, col, err);
    }
    return FLOW_OK;
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

static ends find_ends(const flow_unit *unit, const double *x, size_t n, size_t stride)
{
    ends out = {.nearest = (double)INFINITY};
    for (size_t i = 0; i < n; i++) {
        if (unit->support != FLOW_BELOW)
            look_at_end(&out, unit->lo, x[i * stride] - unit->lo);
        if (unit->support != FLOW_ABOVE)
            look_at_end(&out, unit->hi, unit->hi - x[i * stride]);
    }
    return out;
}

/* A few values on an end are there because they are rounded: they count as half of the smallest distance
 * that there is. Many are a mass, of which there is no density. */
static int set_edge(flow_unit *unit, const double *x, const data_rows *from, size_t dim, size_t col,
                    flow_err *err)
{
    ends found = find_ends(unit, x, from->n, dim);
    char label[DATA_LABEL_SIZE];
    if (found.count > 1 + from->n / 100)
        return flow_fail(
            err, FLOW_EDATA,
            "%s: %s: %zu of %zu rows are %.9g, the end of its support, and a density has "
            "no place for so many; give it a step, if values are rounded, or a wider "
            "support, or alpha: 1e-6, if it has two ends",
            from->source, data_column_label(label, from->table, from->cols[col]), found.count,
            from->n, found.end);
    unit->edge = isfinite(found.nearest) ? 0.5 * found.nearest : 0;
    return FLOW_OK;
}

static int set_edges(flow_units *units, const double *x, const data_rows *from, flow_err *err)
{
    int code = FLOW_OK;
    for (size_t col = 0; !code && col < units->dim; col++) {
        flow_unit *unit = &units->column[col];
        if (unit->support != FLOW_LINE && !(unit->step > 0) && !(unit->alpha > 0))
            code = set_edge(unit, x + col, from, units->dim, col, err);
    }
    return code;
}

/* ---- circles */

enum { BINS = 64 };

/* Where the values x[0], x[stride], ... (n) leave the most room on the circle: the middle of the emptiest
 * bin, its neighbours counted in. */
static double emptiest(const double *x, size_t n, size_t stride, double period)
{
    size_t count[BINS] = {0}, best = 0, least = SIZE_MAX;
    for (size_t i = 0; i < n; i++) {
        double turn = x[i * stride] / period;
        size_t bin = (size_t)(BINS * (turn - floor(turn)));
        count[bin < BINS ? bin : 0]++;
    }
    for (size_t bin = 0; bin < BINS; bin++) {
        size_t around = count[(bin + BINS - 1) % BINS] + 2 * count[bin] + count[(bin + 1) % BINS];
        if (around < least) {
            least = around;
            best = bin;
        }
    }
    return period * ((double)best + 0.5) / BINS;
}

/* Which of the two usual ways to write an angle these are: [0, period) or [-period/2, period/2). A hair
 * more, for periods that are rounded. */
static double usual_start(const double *x, size_t n, size_t stride, double period)
{
    bool positive = true, balanced = true;
    for (size_t i = 0; i < n; i++) {
        double at = x[i * stride] / period;
        positive = positive && at >= 0;
        balanced = balanced && fabs(at) <= 0.5 + 1e-6;
    }
    return balanced && !positive ? -0.5 * period : 0;
}

static void cut_circles(flow_units *units, const double *x, size_t n_train)
{
    for (size_t col = 0; col < units->dim; col++) {
        flow_unit *unit = &units->column[col];
        if (!(unit->period > 0))
            continue;
        if (unit->wrapped)
            unit->cut = emptiest(x + col, n_train, units->dim, unit->period);
        unit->start = usual_start(x + col, n_train, units->dim, unit->period);
    }
}

int data_kinds_apply(flow_units *units, double *x, const data_kind *kinds, const data_rows *from,
                     flow_err *err)
{
    int code = set_units(units, kinds, from, err);
    if (code)
        return code;
    double *noise = malloc((units->dim + 1) * sizeof *noise);
    if (!noise)
        return flow_fail(err, FLOW_ENOMEM, "no memory for the noise of a row");
    if (has_steps(kinds, units->dim, true))
        smear(x, kinds, noise, from, units->dim);
    code = set_edges(units, x, from, err);
    if (!code)
        code = check_rows(units, x, from, err);
    if (!code && has_steps(kinds, units->dim, false))
        spread(x, units, noise, from);
    free(noise);
    if (!code)
        cut_circles(units, x, from->n_train);
    return code;
}

static double mean_direction(const double *t, size_t n, size_t stride, double period)
{
    double c = 0, s = 0, turn = 2 * FLOW_PI / period;
    for (size_t i = 0; i < n; i++) {
        c += cos(turn * t[i * stride]);
        s += sin(turn * t[i * stride]);
    }
    return atan2(s, c) / turn;
}

int data_kinds_fit_angle(flow_unit *unit, const double *t, size_t n, size_t stride, flow_err *err)
{
    const double least = 0.49, most = 1e6; /* radians; of a stretch */
    double *away = malloc(n * sizeof *away + 1);
    if (!away)
        return flow_fail(err, FLOW_ENOMEM, "no memory for %zu angles", n);
    flow_unit_set_angle(unit, mean_direction(t, n, stride, unit->period));
    for (size_t i = 0; i < n; i++)
        away[i] = fabs(flow_circle_point((t[i * stride] - unit->shift) / unit->scale));
    flow_sort_numbers(away, n);
    unit->stretch = fmin(fmax(tan(0.5 * least) / tan(0.5 * away[n / 2]), 1), most);
    free(away);
    return FLOW_OK;
}

/* A value between cut and cut + period, cut at `shift` from there. */
static double cut_at(const flow_unit *unit, double t, double shift)
{
    if (t < unit->cut + shift)
        return t + unit->period;
    return t >= unit->cut + unit->period + shift ? t - unit->period : t;
}

void data_kinds_blur_cuts(const flow_units *units, double *t, const data_rows *from)
{
    const double ramp = 0.25; /* of the period: half of it on either side of the cut */
    pcg_stream stream = {from->seed, STREAM_DATA, PCG_CUT};
    for (size_t col = 0; col < units->dim; col++) {
        const flow_unit *unit = &units->column[col];
        for (size_t i = 0; unit->wrapped && i < from->n; i++) {
            double draw, *at = t + i * units->dim + col;
            pcg_uniforms(&draw, stream, from->rows[i] * units->dim + col, 1, 1);
            *at = cut_at(unit, *at, ramp * unit->period * (draw - 0.5));
        }
    }
}
