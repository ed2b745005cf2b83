#include "flow/units.h"

#include "flow/circle.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

flow_units *flow_units_create(size_t dim, flow_err *err)
{
    size_t bytes;
    flow_units *self = NULL;
    if (!__builtin_mul_overflow(dim, sizeof(flow_unit), &bytes) &&
        !__builtin_add_overflow(bytes, sizeof *self, &bytes))
        self = calloc(1, bytes);
    if (!self) {
        flow_fail(err, FLOW_ENOMEM, "no memory for the units of %zu columns", dim);
        return NULL;
    }
    self->dim = dim;
    for (size_t col = 0; col < dim; col++)
        self->column[col].scale = 1;
    return self;
}

void flow_units_free(flow_units *self)
{
    free(self);
}

/* ---- the map of one number. What of log|derivative| depends on it is added to *logdet; the rest
 * is the same for all rows: constant_logdet. */

static double to_unit_interval(const flow_unit *unit, double x)
{
    return unit->alpha + (1 - 2 * unit->alpha) * ((x - unit->lo) / (unit->hi - unit->lo));
}

/* x, or, of an x at an end, where it counts. */
static double off_end(const flow_unit *unit, double x)
{
    bool low = unit->support == FLOW_ABOVE || unit->support == FLOW_BETWEEN;
    bool high = unit->support == FLOW_BELOW || unit->support == FLOW_BETWEEN;
    if (low && x <= unit->lo && x >= unit->lo)
        return x + unit->edge;
    return high && x <= unit->hi && x >= unit->hi ? x - unit->edge : x;
}

/* dt/dp = 1 / (p (1 - p)). NaN for p outside (0, 1). */
static double logit(const flow_unit *unit, double x, double *logdet)
{
    double p = to_unit_interval(unit, x);
    bool inside = p > 0 && p < 1;
    double log_p = inside ? log(p) : (double)NAN, log_rest = log1p(-p);
    *logdet -= log_p + log_rest;
    return log_p - log_rest;
}

/* NaN stays NaN. */
static double clamp(double x, double lo, double hi)
{
    return x < lo ? lo : x > hi ? hi : x;
}

/* p = 1 / (1 + exp(-t)), dp/dt = p (1 - p); with e = exp(-|t|) neither overflows. */
static double logistic(const flow_unit *unit, double t, double *logdet)
{
    double e = exp(-fabs(t));
    double p = (t >= 0 ? 1 : e) / (1 + e);
    *logdet -= fabs(t) + 2 * log1p(e);
    double x = unit->lo + (unit->hi - unit->lo) * ((p - unit->alpha) / (1 - 2 * unit->alpha));
    return clamp(x, unit->lo, unit->hi); /* with alpha > 0 p reaches beyond the ends */
}

/* exp(t), which single precision can hold: neither 0 nor infinite. */
static double distance(double t)
{
    return clamp(exp(t), (double)FLT_MIN, (double)FLT_MAX);
}

/* log(e^t + 1) */
static double softplus(double t)
{
    return fmax(t, 0) + log1p(exp(-fabs(t)));
}

/* t of a distance d from the end of a half line; dt/dd = 1 / d, or 1 / (1 - e^-y) / soft with y = d / soft. NaN of a d
 * that is not above 0. */
static double from_distance(const flow_unit *unit, double d, double *logdet)
{
    if (!(d > 0))
        d = (double)NAN;
    if (!(unit->soft > 0)) {
        double t = log(d);
        *logdet -= t;
        return t;
    }
    double y = d / unit->soft;
    y = y < DBL_MIN ? DBL_MIN : y;
    double gap = log(-expm1(-y)); /* log(e^y - 1) - y */
    *logdet -= gap;
    return y + gap;
}

/* Back again; of soft, dd/dt = soft / (1 + e^-t). */
static double to_distance(const flow_unit *unit, double t, double *logdet)
{
    if (!(unit->soft > 0)) {
        *logdet += t;
        return distance(t);
    }
    *logdet -= softplus(-t);
    return clamp(unit->soft * softplus(t), (double)FLT_MIN, (double)FLT_MAX);
}

/* x itself if it is there already, so that nothing is rounded. */
static double wrap(double x, double start, double period)
{
    double turned = x - period * floor((x - start) / period);
    return turned >= start && turned < start + period ? turned : isfinite(x) ? start : x;
}

/* 2 atan(k tan(a / 2)), whose slope is k / (cos^2 + k^2 sin^2) of a / 2. */
static double stretch(double a, double k, double *logdet)
{
    double s = k * sin(0.5 * a), c = cos(0.5 * a);
    *logdet += log(k) - log(c * c + s * s);
    return 2 * atan2(s, c);
}

/* u from t; log|du/dt| but for the scale. */
static double scaled(const flow_unit *unit, double t, double *logdet)
{
    if (flow_unit_is_angle(unit))
        t = wrap(t, unit->shift - 0.5 * unit->period, unit->period);
    double u = (t - unit->shift) / unit->scale;
    return flow_unit_is_angle(unit) && unit->stretch > 0 ? stretch(u, unit->stretch, logdet) : u;
}

/* Back again. */
static double unscaled(const flow_unit *unit, double u, double *logdet)
{
    if (flow_unit_is_angle(unit) && unit->stretch > 0)
        u = stretch(flow_circle_point(u), 1 / unit->stretch, logdet);
    return unit->shift + unit->scale * u;
}

static double to_flow(const flow_unit *unit, double x, double *logdet)
{
    x = off_end(unit, x);
    double t = x;
    switch (unit->support) {
    case FLOW_LINE:
        t = unit->period > 0 ? wrap(x, unit->cut, unit->period) : x;
        break;
    case FLOW_ABOVE:
        t = from_distance(unit, x - unit->lo, logdet);
        break;
    case FLOW_BELOW:
        t = -from_distance(unit, unit->hi - x, logdet);
        break;
    case FLOW_BETWEEN:
        t = logit(unit, x, logdet);
        break;
    }
    return scaled(unit, t, logdet);
}

static double to_line(const flow_unit *unit, double t, double *logdet)
{
    switch (unit->support) {
    case FLOW_LINE:
        break;
    case FLOW_ABOVE:
        return unit->lo + to_distance(unit, t, logdet);
    case FLOW_BELOW:
        return unit->hi - to_distance(unit, -t, logdet);
    case FLOW_BETWEEN:
        return logistic(unit, t, logdet);
    }
    return t;
}

/* ---- grids */

static double origin(const flow_unit *unit)
{
    return unit->support == FLOW_BELOW ? unit->hi : unit->lo; /* 0 of FLOW_LINE */
}

/* origin + k step; where 1 / step is a whole number by a division, for 0.3 and not 3 * 0.1. */
static double grid_value(const flow_unit *unit, double k)
{
    double per_unit = nearbyint(1 / unit->step);
    bool whole = per_unit >= 1 && fabs(per_unit * unit->step - 1) < 4 * DBL_EPSILON;
    return origin(unit) + (whole ? k / per_unit : k * unit->step);
}

/* The value whose cell y is in: of a y at the very end of the support, the last one. */
static double floor_to_grid(const flow_unit *unit, double y)
{
    double k = floor((y - origin(unit)) / unit->step);
    double last = unit->support == FLOW_BETWEEN ? nearbyint((unit->hi - unit->lo) / unit->step) - 1
                  : unit->support == FLOW_BELOW ? -1
                                                : (double)INFINITY;
    return grid_value(unit, clamp(k, -(double)INFINITY, last));
}

void flow_unit_set_angle(flow_unit *self, double middle)
{
    self->shift = middle;
    self->cut = middle - 0.5 * self->period;
    self->scale = self->period / (2 * FLOW_PI);
}

void flow_unit_place(flow_unit *self, double shift, double scale)
{
    self->shift = shift;
    self->scale = scale;
    if (!flow_unit_is_angle(self))
        return;
    flow_unit_set_angle(self, shift * self->period / (2 * FLOW_PI));
    self->stretch = 1 / scale;
}

double flow_unit_placed(const flow_unit *self, double t)
{
    return flow_unit_scaled(self, flow_unit_is_angle(self) ? t * self->scale : t);
}

double flow_unit_wind(const flow_unit *self, double x)
{
    return self->period > 0 ? wrap(x, self->start, self->period) : x;
}

double flow_unit_scaled(const flow_unit *self, double t)
{
    double ignored = 0;
    return scaled(self, t, &ignored);
}

double flow_unit_snap(const flow_unit *self, double x)
{
    double value = grid_value(self, nearbyint((x - origin(self)) / self->step));
    double slack = 1e-6 * self->step + 4 * DBL_EPSILON * fabs(x);
    return fabs(x - value) <= slack ? value : (double)NAN;
}

static double to_user(const flow_unit *unit, double u, double *logdet)
{
    double x = to_line(unit, unscaled(unit, u, logdet), logdet);
    if (unit->step > 0)
        x = floor_to_grid(unit, x);
    return flow_unit_wind(unit, x);
}

/* Sum over columns of log(dp/dx), or log(dy/dx) of y = d / soft, and log(du/dt), and of log(dx/dk) of a grid. */
static double constant_logdet(const flow_units *self)
{
    double sum = 0;
    for (size_t col = 0; col < self->dim; col++) {
        const flow_unit *unit = &self->column[col];
        sum -= log(unit->scale);
        if (unit->support == FLOW_BETWEEN)
            sum += log1p(-2 * unit->alpha) - log(unit->hi - unit->lo);
        if (unit->soft > 0)
            sum -= log(unit->soft);
        if (unit->step > 0)
            sum += log(unit->step);
    }
    return sum;
}

/* ---- batches */

void flow_units_to_flow(const flow_units *self, double *u, double *logdet, const double *x,
                        size_t n)
{
    double constant = constant_logdet(self);
    for (size_t row = 0; row < n; row++) {
        double sum = constant;
        for (size_t col = 0, at = row * self->dim; col < self->dim; col++, at++)
            u[at] = to_flow(&self->column[col], x[at], &sum);
        if (logdet)
            logdet[row] += sum;
    }
}

void flow_units_to_user(const flow_units *self, double *x, double *logdet, const double *u,
                        size_t n)
{
    double constant = -constant_logdet(self);
    for (size_t row = 0; row < n; row++) {
        double sum = constant;
        for (size_t col = 0, at = row * self->dim; col < self->dim; col++, at++)
            x[at] = to_user(&self->column[col], u[at], &sum);
        if (logdet)
            logdet[row] += sum;
    }
}

/* ---- what is outside */

static bool is_inside(const flow_unit *unit, double x)
{
    x = off_end(unit, x);
    switch (unit->support) {
    case FLOW_LINE:
        return true;
    case FLOW_ABOVE:
        return x > unit->lo;
    case FLOW_BELOW:
        return x < unit->hi;
    case FLOW_BETWEEN:
        break;
    }
    double p = to_unit_interval(unit, x);
    return p > 0 && p < 1;
}

/* Of a grid value the middle of its cell is looked at. */
static bool holds(const flow_unit *unit, double x)
{
    if (unit->step > 0)
        x = flow_unit_snap(unit, x) + 0.5 * unit->step;
    return !(unit->step > 0 && isnan(x)) && is_inside(unit, x);
}

size_t flow_units_first_outside(const flow_units *self, const double *x)
{
    size_t col = 0;
    while (col < self->dim && holds(&self->column[col], x[col]))
        col++;
    return col;
}

/* "between 0 and 1": lo and hi as a user would say them; of a grid, hi is the end of the last cell. */
static void print_range(char text[FLOW_UNIT_TEXT], const flow_unit *self)
{
    bool grid = self->step > 0;
    double last = self->hi - self->step;
    switch (self->support) {
    case FLOW_LINE:
        snprintf(text, FLOW_UNIT_TEXT, "a number");
        break;
    case FLOW_ABOVE:
        snprintf(text, FLOW_UNIT_TEXT, "%s %.9g", grid ? "at least" : "above", self->lo);
        break;
    case FLOW_BELOW:
        snprintf(text, FLOW_UNIT_TEXT, "%s %.9g", grid ? "at most" : "below", last);
        break;
    case FLOW_BETWEEN:
        snprintf(text, FLOW_UNIT_TEXT, "between %.9g and %.9g", self->lo, last);
        break;
    }
}

const char *flow_unit_wants(char text[FLOW_UNIT_TEXT], const flow_unit *self)
{
    print_range(text, self);
    size_t used = strlen(text);
    if (self->step > 0)
        snprintf(text + used, FLOW_UNIT_TEXT - used, ", in steps of %.9g from %.9g", self->step,
                 origin(self));
    return text;
}
