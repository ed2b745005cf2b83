#include "teacher/link.h"

#include "teacher/look_column.h"

#include <math.h>
#include <stdlib.h>

typedef struct weighed {
    double d, w; /* distance from the end, weight */
} weighed;

/* The rows that are looked at, by distance. */
typedef struct tail {
    weighed *row; /* (n) */
    size_t n;
    double weight, worth; /* of all; how many rows of equal weight they are */
} tail;

/* Of one column of distances from 0, whose t is that of the unit. */
static const flow_units *line_of(flow_units *out, const flow_unit *unit, double soft)
{
    out->column[0] = (flow_unit){.support = unit->support, .soft = soft, .scale = 1};
    return out;
}

static double sign_of(const flow_unit *unit)
{
    return unit->support == FLOW_BELOW ? -1 : 1;
}

/* ---- quantiles */

static int by_distance(const void *a, const void *b)
{
    const weighed *x = a, *y = b;
    if (x->d < y->d || x->d > y->d)
        return x->d < y->d ? -1 : 1;
    return (x->w > y->w) - (x->w < y->w);
}

static void take_rows(tail *out, const flow_unit *unit, const double *t, size_t n,
                      const data_numbers *weight)
{
    double squares = 0;
    for (size_t i = 0; i < out->n; i++) {
        size_t at = look_spread_out(i, out->n, n);
        double w = weight->at ? data_number(weight, at, 0) : 1;
        out->row[i] = (weighed){exp(sign_of(unit) * t[at]), w};
        out->weight += w;
        squares += w * w;
    }
    out->worth = squares > 0 ? out->weight * out->weight / squares : 0;
    qsort(out->row, out->n, sizeof *out->row, by_distance);
}

/* The distance that so large a share of the weight is beyond. */
static double beyond(const tail *of, double share)
{
    double left = share * of->weight;
    size_t i = of->n - 1;
    while (i > 0 && left >= of->row[i].w)
        left -= of->row[i--].w;
    return of->row[i].d;
}

/* ---- the choice */

static double share_beyond(double z)
{
    return 0.5 * erfc(z * 0.70710678118654752);
}

/* The farthest z that the rows show; 0: none of use. */
static double farthest(const tail *of)
{
    double z = 4;
    while (z > 1.5 && share_beyond(z) * of->worth < DATA_LINK_FAR)
        z -= 0.5;
    return z > 1.5 ? z : 0;
}

/* How far off the line is at z. */
static double off(const tail *of, const flow_unit *unit, double soft, double z, flow_units *work)
{
    const flow_units *line = line_of(work, unit, soft);
    double sign = sign_of(unit), middle = beyond(of, 0.5), far = beyond(of, share_beyond(z));
    double x[2] = {sign * middle, sign * beyond(of, share_beyond(1))}, t[2];
    flow_units_to_flow(line, t, NULL, x, 2);
    t[0] += (t[1] - t[0]) * z;
    flow_units_to_user(line, x, NULL, t, 1);
    return fabs(log((sign * x[0] - middle) / (far - middle)));
}

/* What soft is to be. */
static double choose(const tail *of, const flow_unit *unit, data_link said, flow_units *work)
{
    double soft = beyond(of, 0.5), z = farthest(of);
    if (said == DATA_LINK_SOFTPLUS)
        return soft;
    if (said == DATA_LINK_LOG || !(z > 0))
        return 0;
    return off(of, unit, soft, z, work) < off(of, unit, 0, z, work) ? soft : 0;
}

/* ---- the whole */

/* From a logarithm to what the unit has now. */
static void link_again(const flow_unit *unit, double *t, size_t n, flow_units *work)
{
    flow_units_to_user(line_of(work, unit, 0), t, NULL, t, n);
    flow_units_to_flow(line_of(work, unit, unit->soft), t, NULL, t, n);
}

int data_link_fit(flow_unit *unit, data_link said, double *t, size_t n, const data_numbers *weight,
                  flow_err *err)
{
    tail rows = {.n = n < LOOK_ROWS ? n : LOOK_ROWS};
    flow_units *work = flow_units_create(1, err);
    if (work)
        rows.row = malloc((rows.n + 1) * sizeof *rows.row);
    if (work && !rows.row)
        flow_fail(err, FLOW_ENOMEM, "no memory for %zu rows of a column", rows.n);
    if (rows.row) {
        take_rows(&rows, unit, t, n, weight);
        unit->soft = rows.n > 0 ? choose(&rows, unit, said, work) : 0;
        if (unit->soft > 0)
            link_again(unit, t, n, work);
    }
    bool good = rows.row != NULL;
    free(rows.row);
    flow_units_free(work);
    return good ? FLOW_OK : FLOW_ENOMEM;
}
