#include "teacher/kinds.h"

#include "flow/pcg.h"
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
    }
    return flow_units_check_periods(units, err);
}

/* ---- values */

static bool is_end(const flow_unit *unit, double x)
{
    bool low = unit->support == FLOW_ABOVE || unit->support == FLOW_BETWEEN;
    bool high = unit->support == FLOW_BELOW || unit->support == FLOW_BETWEEN;
    return !(unit->step > 0) &&
           ((low && x <= unit->lo && x >= unit->lo) || (high && x <= unit->hi && x >= unit->hi));
}

static int fail_outside(const flow_unit *unit, const data_rows *from, size_t i, size_t col,
                        flow_err *err)
{
    size_t row = from->rows[i], of_table = from->cols[col];
    double x = from->table->values[row * from->table->cols + of_table];
    char label[DATA_LABEL_SIZE], wants[FLOW_UNIT_TEXT];
    return flow_fail(err, FLOW_EDATA, "%s: row %zu, %s: %.9g is not %s%s", from->source, row,
                     data_column_label(label, from->table, of_table), x,
                     flow_unit_wants(wants, unit),
                     is_end(unit, x) ? "; values at the very end need a step, if they are rounded, "
                                       "or a wider support, or alpha: 1e-6, if it has two ends"
                                     : "");
}

/* Noise that only blurs is part of the value; that of a grid is added once the value is known to be one.
 * A hair of the cell is left at either side: no end of a support is hit. */
static void smear(double *x, const data_kind *kinds, const double *noise, size_t dim)
{
    for (size_t col = 0; col < dim; col++)
        if (kinds[col].smear)
            x[col] += noise[col] * kinds[col].step;
}

static void spread(double *x, const flow_units *units, const double *noise)
{
    const double hair = 1e-6;
    for (size_t col = 0; col < units->dim; col++) {
        const flow_unit *unit = &units->column[col];
        if (unit->step > 0)
            x[col] =
                flow_unit_snap(unit, x[col]) + (hair + (1 - 2 * hair) * noise[col]) * unit->step;
    }
}

static bool has_steps(const data_kind *kinds, size_t dim)
{
    size_t col = 0;
    while (col < dim && !(kinds[col].step > 0))
        col++;
    return col < dim;
}

static int prepare_rows(const flow_units *units, double *x, const data_kind *kinds,
                        const data_rows *from, double *noise, flow_err *err)
{
    pcg_stream stream = {from->seed, STREAM_DATA, PCG_DEQUANTISE};
    size_t dim = units->dim;
    bool noisy = has_steps(kinds, dim);
    for (size_t i = 0; i < from->n; i++) {
        double *row = x + i * dim;
        if (noisy) {
            pcg_uniforms(noise, stream, from->rows[i], 1, dim);
            smear(row, kinds, noise, dim);
        }
        size_t col = flow_units_first_outside(units, row);
        if (col < dim)
            return fail_outside(&units->column[col], from, i, col, err);
        spread(row, units, noise);
    }
    return FLOW_OK;
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
    code = prepare_rows(units, x, kinds, from, noise, err);
    free(noise);
    if (!code)
        cut_circles(units, x, from->n_train);
    return code;
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
        for (size_t i = 0; unit->period > 0 && i < from->n; i++) {
            double draw, *at = t + i * units->dim + col;
            pcg_uniforms(&draw, stream, from->rows[i] * units->dim + col, 1, 1);
            *at = cut_at(unit, *at, ramp * unit->period * (draw - 0.5));
        }
    }
}
