#include "teacher/look_column.h"

#include "flow/sort.h"
#include "teacher/look_grid.h"
#include "teacher/look_period.h"
#include "teacher/scale.h"

#include <float.h>
#include <math.h>
#include <string.h>

size_t look_work(const data_plan *plan)
{
    size_t n = data_plan_n(plan);
    return 2 * (n < LOOK_ROWS ? n : LOOK_ROWS);
}

/* ---- all rows */

static void range_and_mean(look_column *out, const look_place *at, size_t n)
{
    bool rising = true, falling = true;
    double last = at->x[0];
    out->min = out->max = last;
    for (size_t i = 0; i < n; i++) {
        double x = at->x[i];
        out->min = fmin(out->min, x);
        out->max = fmax(out->max, x);
        out->mean += x / (double)n;
        rising &= x >= last;
        falling &= x <= last;
        last = x;
    }
    out->monotone = (rising || falling) && out->min < out->max;
}

static void deviation(look_column *out, const look_place *at, size_t n)
{
    double squares = 0;
    for (size_t i = 0; i < n; i++) {
        double off = at->x[i] - out->mean;
        squares += off * off;
    }
    out->sd = sqrt(squares / (double)n);
}

/* Rows far beyond where the thousandth on either side is cut off, lo to hi. */
static void find_wild(look_column *out, const look_place *at, size_t n, double lo, double hi)
{
    double farthest = 10 * out->spread;
    size_t place = 0;
    for (size_t i = 0; i < n; i++) {
        double x = at->x[i], off = fmax(lo - x, x - hi);
        if (off < 10 * out->spread)
            continue;
        out->wild++;
        if (off > farthest || out->wild == 1) {
            farthest = off;
            place = i;
        }
    }
    out->wild_row = data_plan_row(at->plan, place);
    out->wild_value = at->x[place];
}

/* ---- sorted rows */

size_t look_spread_out(size_t i, size_t count, size_t n)
{
    return n / count * i + n % count * i / count;
}

/* The share of a part among all that are looked at; no part that has rows is left out. */
static size_t share_of(size_t part, size_t n)
{
    if (n <= LOOK_ROWS)
        return part;
    size_t share = (size_t)((double)part / (double)n * (LOOK_ROWS - 3));
    return share == 0 && part > 0 ? 1 : share;
}

static size_t take_part(double *into, const look_place *at, size_t first, size_t part, size_t n)
{
    size_t count = share_of(part, n);
    for (size_t i = 0; i < count; i++)
        into[i] = at->x[first + look_spread_out(i, count, part)] + 0.0; /* -0 is 0 */
    flow_sort_numbers(into, count);
    return count;
}

/* The Kolmogorov-Smirnov distance of a (n) and b (m), both sorted; 0 if one is empty. */
static double distance(const double *a, size_t n, const double *b, size_t m)
{
    double most = 0;
    for (size_t i = 0, j = 0; i < n && j < m;) {
        double at = fmin(a[i], b[j]);
        while (i < n && a[i] == at)
            i++;
        while (j < m && b[j] == at)
            j++;
        most = fmax(most, fabs((double)i / (double)n - (double)j / (double)m));
    }
    return most;
}

/* work = the rows that are looked at, sorted; returns how many. */
static size_t sort_parts(look_column *out, const look_place *at, size_t n)
{
    const data_plan *p = at->plan;
    double *train = at->work;
    size_t n_train = take_part(train, at, 0, p->n_train, n);
    double *valid = train + n_train;
    size_t n_valid = take_part(valid, at, p->n_train, p->n_valid, n);
    double *test = valid + n_valid;
    size_t n_test = take_part(test, at, p->n_train + p->n_valid, p->n_test, n);
    out->drift =
        fmax(distance(train, n_train, valid, n_valid), distance(train, n_train, test, n_test));
    flow_sort_numbers(train, n_train + n_valid + n_test);
    return n_train + n_valid + n_test;
}

static double quantile(const double *sorted, size_t n, double share)
{
    double at = share * (double)(n - 1);
    size_t i = (size_t)at;
    double up = sorted[i + 1 < n ? i + 1 : i];
    return sorted[i] + (at - (double)i) * (up - sorted[i]);
}

/* Runs of equal values: how many, the longest, and the gaps between them (distinct - 1). */
static void count_runs(look_column *out, double *gaps, const double *sorted, size_t n)
{
    size_t longest = 0;
    double pairs = 0;
    out->distinct = 0;
    for (size_t i = 0, end; i < n; i = end) {
        for (end = i + 1; end < n && sorted[end] == sorted[i]; end++)
            ;
        pairs += (double)(end - i) * (double)(end - i - 1);
        if (end - i > longest) {
            longest = end - i;
            out->mode = sorted[i];
        }
        if (i > 0) {
            double gap = gaps[out->distinct - 1] = sorted[i] - sorted[i - 1];
            out->gap = out->distinct == 1 ? gap : fmin(out->gap, gap);
        }
        out->distinct++;
    }
    out->mode_share = (double)longest / (double)n;
    out->coincide = n > 1 ? pairs / ((double)n * (double)(n - 1)) : 0;
}

/* Different values within `width` of the end of the sorted values. */
static size_t crowd(const double *sorted, size_t n, double width, bool above)
{
    size_t count = 0;
    double end = sorted[above ? n - 1 : 0], last = NAN;
    for (size_t i = 0; i < n; i++) {
        double x = sorted[above ? n - 1 - i : i];
        if (fabs(x - end) > width)
            break;
        count += x != last;
        last = x;
    }
    return count;
}

/* The roundest number between at and at + room (room may be negative), the end of the rows included. */
static double round_near(double at, double room)
{
    for (int digits = (int)ceil(log10(fmax(fabs(at), fabs(room)) + DBL_MIN)); digits > -16;
         digits--) {
        double unit = pow(10, digits),
               near = (room < 0 ? floor(at / unit) : ceil(at / unit)) * unit;
        if (fabs(near - at) <= fabs(room))
            return near == 0 ? 0 : near;
    }
    return at;
}

/* Shares and percentages: all between 0 and `whole`, and nearly as far as either. */
static bool is_share(const look_column *of, double whole)
{
    return of->min >= 0 && of->min < 0.05 * whole && of->max > 0.95 * whole && of->max <= whole;
}

/* Rows end abruptly where a hundredth of the quartiles' distance from the last one holds many: of a normal
 * tail it holds that one row alone. */
static void find_edges(look_column *out, const double *sorted, size_t n)
{
    double width = 0.01 * (out->q3 - out->q1);
    size_t many = n / 500 > 4 ? n / 500 : 4;
    out->edge[0] = out->edge[1] = NAN;
    if (out->step > 0 || !(width > 0))
        return;
    if (crowd(sorted, n, width, false) >= many)
        out->edge[0] = round_near(out->min, -width);
    if (crowd(sorted, n, width, true) >= many)
        out->edge[1] = round_near(out->max, width);
    if (is_share(out, 1) || is_share(out, 100)) {
        out->edge[0] = 0;
        out->edge[1] = out->max > 1 ? 100 : 1;
    }
}

/* ---- the whole */

double look_rounding(const look_column *of)
{
    return fmax(4 * DBL_EPSILON * fmax(fabs(of->min), fabs(of->max)), DBL_MIN);
}

static void robust(look_column *out, const double *sorted, size_t n)
{
    double mean, scale;
    out->q1 = quantile(sorted, n, 0.25);
    out->median = quantile(sorted, n, 0.5);
    out->q3 = quantile(sorted, n, 0.75);
    scale = (out->q3 - out->q1) / 1.349; /* 1 for a standard normal */
    data_scale_trimmed(&mean, &out->spread, sorted, n);
    if (!(scale > 0))
        scale = out->spread > 0 ? out->spread : out->sd;
    out->low = scale > 0 ? (out->median - out->min) / scale : 0;
    out->high = scale > 0 ? (out->max - out->median) / scale : 0;
}

/* Values of single precision, one step of it apart, are one value that was rounded twice. */
static bool is_one_value(const look_column *of, const double *sorted, size_t n)
{
    double range = of->max - of->min, size = fmax(fabs(of->min), fabs(of->max));
    if (range <= look_rounding(of))
        return true;
    bool single = true, whole = true;
    for (size_t i = 0; i < n && (single || whole); i++) {
        single &= (double)(float)sorted[i] == sorted[i];
        whole &= rint(sorted[i]) == sorted[i];
    }
    return single && !whole && range <= 4 * (double)FLT_EPSILON * size;
}

void look_at_column(look_column *out, const look_place *at)
{
    size_t n = data_plan_n(at->plan);
    double *sorted = at->work, *gaps = at->work + look_work(at->plan) / 2;
    range_and_mean(out, at, n);
    deviation(out, at, n);
    size_t m = out->looked_at = sort_parts(out, at, n);
    robust(out, sorted, m);
    count_runs(out, gaps, sorted, m);
    out->fixed = is_one_value(out, sorted, m);
    out->step = out->fixed ? 0 : look_grid_step(sorted, m, gaps, out->distinct - 1, out->gap);
    find_edges(out, sorted, m);
    out->period = look_period(out, at->table->names ? at->table->names[out->col] : "");
    size_t cut = data_scale_cut(m);
    if (!out->fixed && data_scale_is_wild(out->sd, out->spread))
        find_wild(out, at, n, sorted[cut], sorted[m - 1 - cut]);
}
