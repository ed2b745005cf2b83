/* ---- a row on a grid is its cell, an average over CELL points of it; one of a wrapped column also its image one period
 * further. */

static double log_add(double a, double b)
{
    const double large = a > b ? a : b, small = a > b ? b : a;
    return isinf(large) ? large : large + log1p(exp(small - large));
}

/* u of a wrapped column to its image beyond the nearer cut. */
static double image(const unit *c, double u)
{
    const double middle = (c->cut + 0.5 * c->period - c->shift) / c->scale;
    const double turned = c->period / c->scale;
    return u + (u < middle ? turned : -turned);
}

/* Point `index` of a row. */
static void point_of_row(double *u, double *logdet, const double *x, int index)
{
    const double *place = cell_place + index % CELL * D;
    int images = index / CELL;
    for (int i = 0; i < D; i++) {
        const unit *c = &units[i];
        u[i] = to_flow(c, c->step > 0 ? snap(c, x[i]) + place[i] * c->step : x[i], logdet);
        if (!(c->period > 0) || c->angle)
            continue;
        u[i] = images % 2 ? image(c, u[i]) : u[i];
        images /= 2;
    }
}

static void points_log_prob(double *q, const double *x, const double *inner, int n)
{
    double u[D * W] = {0}, term[W];
    for (int index = 0; index < POINTS; index++) {
        double logdet[W] = {0};
        for (int r = 0; r < n; r++)
            point_of_row(u + r * D, &logdet[r], x + r * D, index);
        flow_log_prob(term, u, inner, n);
        for (int r = 0; r < n; r++) {
            term[r] += logdet[r] + UNITS_LOGDET - log((double)CELL);
            q[r] = index == 0 ? term[r] : log_add(q[r], term[r]);
        }
    }
}
