#include "flow/units_gradient.h"

#include <math.h>

/* dd/dt of a distance d from the end of a half line, and *of_log: d log(dd/dt) / dt. With soft, d = soft log(1 + e^t). */
static double slope_of_distance(const flow_unit *unit, double t, double *of_log)
{
    *of_log = 1;
    if (!(unit->soft > 0))
        return exp(t);
    double e = exp(-fabs(t)), small = e / (1 + e), large = 1 / (1 + e);
    *of_log = t >= 0 ? small : large;
    return unit->soft * (t >= 0 ? large : small);
}

/* dx/dt, and *of_log: d log(dx/dt) / dt, where t = shift + scale u. */
static double slope(const flow_unit *unit, double t, double *of_log)
{
    double e, p, out;
    *of_log = 0;
    switch (unit->support) {
    case FLOW_LINE:
        break;
    case FLOW_ABOVE: /* x = lo + d(t) */
        return slope_of_distance(unit, t, of_log);
    case FLOW_BELOW: /* x = hi - d(-t) */
        out = slope_of_distance(unit, -t, of_log);
        *of_log = -*of_log;
        return out;
    case FLOW_BETWEEN: /* x = lo + (hi - lo) (p - alpha) / (1 - 2 alpha), p = 1 / (1 + e^-t) */
        e = exp(-fabs(t));
        p = (t >= 0 ? 1 : e) / (1 + e);
        *of_log = 1 - 2 * p;
        return (unit->hi - unit->lo) / (1 - 2 * unit->alpha) * (e / ((1 + e) * (1 + e)));
    }
    return 1;
}

/* da/du, and *of_log: d log(da/du) / du, where u = 2 atan(k tan(a / 2)). */
static double slope_of_angle(double k, double u, double *of_log)
{
    double c = cos(0.5 * u), s = sin(0.5 * u), square = c * c + s * s / (k * k);
    *of_log = c * s * (1 - 1 / (k * k)) / square;
    return 1 / (k * square);
}

static void pull_angle(double *grad, const flow_unit *unit, double u)
{
    double of_log = 0, by = unit->stretch > 0 ? slope_of_angle(unit->stretch, u, &of_log) : 1;
    *grad = *grad * unit->scale * by + of_log;
}

static void pull_line(double *grad, const flow_unit *unit, double u)
{
    double of_log, by = slope(unit, unit->shift + unit->scale * u, &of_log);
    *grad = unit->scale * (*grad * by + of_log);
}

void flow_units_pull(const flow_units *self, double *grad, const double *u, size_t n)
{
    for (size_t row = 0; row < n; row++)
        for (size_t col = 0, at = row * self->dim; col < self->dim; col++, at++) {
            const flow_unit *unit = &self->column[col];
            (flow_unit_is_angle(unit) ? pull_angle : pull_line)(&grad[at], unit, u[at]);
        }
}
