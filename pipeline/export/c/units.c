static double clamp(double x, double lo, double hi)
{
    return x < lo ? lo : x > hi ? hi : x;
}

static double off_end(const unit *c, double x)
{
    if ((c->support == ABOVE || c->support == BETWEEN) && x <= c->lo && x >= c->lo)
        return x + c->edge;
    return (c->support == BELOW || c->support == BETWEEN) && x <= c->hi && x >= c->hi ? x - c->edge
                                                                                      : x;
}

static double to_unit_interval(const unit *c, double x)
{
    return c->alpha + (1 - 2 * c->alpha) * ((x - c->lo) / (c->hi - c->lo));
}

static double logit(const unit *c, double x, double *logdet)
{
    const double p = to_unit_interval(c, x);
    const double log_p = p > 0 && p < 1 ? log(p) : (double)NAN, log_rest = log1p(-p);
    *logdet -= log_p + log_rest;
    return log_p - log_rest;
}

static double logistic(const unit *c, double t, double *logdet)
{
    const double e = exp(-fabs(t)), p = (t >= 0 ? 1 : e) / (1 + e);
    *logdet -= fabs(t) + 2 * log1p(e);
    return clamp(c->lo + (c->hi - c->lo) * ((p - c->alpha) / (1 - 2 * c->alpha)), c->lo, c->hi);
}

static double softplus(double t)
{
    return fmax(t, 0) + log1p(exp(-fabs(t)));
}

static double from_distance(const unit *c, double d, double *logdet)
{
    if (!(d > 0))
        d = (double)NAN;
    if (!(c->soft > 0)) {
        const double t = log(d);
        *logdet -= t;
        return t;
    }
    const double y = fmax(d / c->soft, DBL_MIN), gap = log(-expm1(-y));
    *logdet -= gap;
    return isnan(d) ? d : y + gap;
}

static double to_distance(const unit *c, double t, double *logdet)
{
    if (!(c->soft > 0)) {
        *logdet += t;
        return clamp(exp(t), (double)FLT_MIN, (double)FLT_MAX);
    }
    *logdet -= softplus(-t);
    return clamp(c->soft * softplus(t), (double)FLT_MIN, (double)FLT_MAX);
}

static double wrap(double x, double start, double period)
{
    const double turned = x - period * floor((x - start) / period);
    return turned >= start && turned < start + period ? turned : isfinite(x) ? start : x;
}

/* 2 atan(k tan(a / 2)) */
static double stretched(double a, double k, double *logdet)
{
    const double s = k * sin(0.5 * a), c = cos(0.5 * a);
    *logdet += log(k) - log(c * c + s * s);
    return 2 * atan2(s, c);
}

static double scaled(const unit *c, double t, double *logdet)
{
    if (c->angle)
        t = wrap(t, c->shift - 0.5 * c->period, c->period);
    const double u = (t - c->shift) / c->scale;
    return c->angle && c->stretch > 0 ? stretched(u, c->stretch, logdet) : u;
}

static double unscaled(const unit *c, double u, double *logdet)
{
    const double pi = 3.14159265358979323846;
    if (c->angle && c->stretch > 0)
        u = stretched(u >= -pi && u < pi ? u : wrap(u, -pi, 2 * pi), 1 / c->stretch, logdet);
    return c->shift + c->scale * u;
}

static double to_flow(const unit *c, double x, double *logdet)
{
    double t = off_end(c, x);
    if (c->support == ABOVE)
        t = from_distance(c, t - c->lo, logdet);
    else if (c->support == BELOW)
        t = -from_distance(c, c->hi - t, logdet);
    else if (c->support == BETWEEN)
        t = logit(c, t, logdet);
    else if (c->period > 0)
        t = wrap(t, c->cut, c->period);
    return scaled(c, t, logdet);
}

static double origin(const unit *c)
{
    return c->support == BELOW ? c->hi : c->lo;
}

/* origin + k step; where 1 / step is a whole number by a division. */
static double grid_value(const unit *c, double k)
{
    const double per_unit = nearbyint(1 / c->step);
    const int divides = per_unit >= 1 && fabs(per_unit * c->step - 1) < 4 * DBL_EPSILON;
    return origin(c) + (divides ? k / per_unit : k * c->step);
}

static double floor_to_grid(const unit *c, double y)
{
    const double last = c->support == BETWEEN ? nearbyint((c->hi - c->lo) / c->step) - 1
                        : c->support == BELOW ? -1
                                              : (double)INFINITY;
    return grid_value(c, clamp(floor((y - origin(c)) / c->step), -(double)INFINITY, last));
}

/* The grid value that x is but for rounding; NaN if it is none. */
static double snap(const unit *c, double x)
{
    const double value = grid_value(c, nearbyint((x - origin(c)) / c->step));
    const double slack = 1e-6 * c->step + 4 * DBL_EPSILON * fabs(x);
    return fabs(x - value) <= slack ? value : (double)NAN;
}

static double to_user(const unit *c, double u, double *logdet)
{
    double x = unscaled(c, u, logdet);
    if (c->support == ABOVE)
        x = c->lo + to_distance(c, x, logdet);
    else if (c->support == BELOW)
        x = c->hi - to_distance(c, -x, logdet);
    else if (c->support == BETWEEN)
        x = logistic(c, x, logdet);
    if (c->step > 0)
        x = floor_to_grid(c, x);
    return c->period > 0 ? wrap(x, c->start, c->period) : x;
}

/* u may be x; logdet (n) += log|det du/dx| but for what is the same in all rows. */
static void rows_to_flow(const unit *columns, double *u, double *logdet, const double *x, int n,
                         int dim)
{
    for (int r = 0; r < n; r++)
        for (int i = 0; i < dim; i++, u++, x++)
            *u = to_flow(&columns[i], *x, &logdet[r]);
}

static void rows_to_user(double *x, double *logdet, int n)
{
    for (int r = 0; r < n; r++)
        for (int i = 0; i < D; i++, x++)
            *x = to_user(&units[i], *x, &logdet[r]);
}

/* Whether a column has a density at x. */
static int holds(const unit *c, double x)
{
    if (c->step > 0)
        x = snap(c, x) + 0.5 * c->step;
    if (c->step > 0 && isnan(x))
        return 0;
    x = off_end(c, x);
    const double p = c->support == BETWEEN ? to_unit_interval(c, x) : 0.5;
    return (c->support != ABOVE || x > c->lo) && (c->support != BELOW || x < c->hi) && p > 0 &&
           p < 1;
}

static int inside(const double *x)
{
    int i = 0;
    while (i < D && holds(&units[i], x[i]))
        i++;
    return i == D;
}
