#include "flow/column_start.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LEAST_BINS = 4, MOST_BINS = 64, ROWS_A_BIN = 20 };

typedef struct spline {
    size_t layer, bins;
    double bound, min_share, min_slope;
} spline;

static bool is_kind(const json_t *object, const char *key, const char *want)
{
    const json_t *value = json_object_get(object, key);
    const char *kind =
        json_string_value(json_is_object(value) ? json_object_get(value, "kind") : value);
    return kind && strcmp(kind, want) == 0;
}

/* What is the identity at the start: a matrix, a permutation of one column. */
static bool does_nothing(const json_t *layer)
{
    return is_kind(layer, "kind", "lu_linear") || is_kind(layer, "kind", "permutation");
}

/* The first layer of the list from `from` on that does something is one. */
static bool find_spline(spline *out, const json_t *list, size_t from)
{
    size_t i = from;
    while (does_nothing(json_array_get(list, i)))
        i++;
    const json_t *tau = json_object_get(json_array_get(list, i), "transformer");
    if (!is_kind(json_array_get(list, i), "kind", "autoregressive") ||
        !is_kind(tau, "kind", "spline"))
        return false;
    *out = (spline){.layer = i,
                    .bins = (size_t)json_integer_value(json_object_get(tau, "bins")),
                    .bound = json_number_value(json_object_get(tau, "bound")),
                    .min_share = json_number_value(json_object_get(tau, "min_share")),
                    .min_slope = json_number_value(json_object_get(tau, "min_slope"))};
    return out->bins >= LEAST_BINS && out->bins <= MOST_BINS;
}

static double normal_share(double z)
{
    return 0.5 * erfc(-z * sqrt(0.5));
}

static double normal_quantile(double p)
{
    double lo = -10, hi = 10;
    for (int i = 0; i < 60; i++) {
        double mid = (lo + hi) / 2;
        *(normal_share(mid) < p ? &lo : &hi) = mid;
    }
    return (lo + hi) / 2;
}

static double quantile(const double *sorted, size_t n, double p)
{
    double at = p * (double)(n - 1);
    size_t i = (size_t)at;
    return sorted[i] + (at - (double)i) * (sorted[i + 1 < n ? i + 1 : i] - sorted[i]);
}

/* The softmax of the raw numbers, floored, is the shares of the pieces between knots (bins + 1). */
static bool set_extents(double *raw, const spline *self, const double *knots)
{
    double floored = 1 - self->min_share * (double)self->bins;
    for (size_t k = 0; k < self->bins; k++) {
        double share = (knots[k + 1] - knots[k]) / (2 * self->bound);
        if (!(share > 2 * self->min_share))
            return false;
        raw[k] = log((share - self->min_share) / floored);
    }
    return true;
}

/* softplus(raw + shift) is the slope above its floor (flow/layer/spline.c). */
static double raw_slope(const spline *self, double slope)
{
    double shift = log(exp(1 - self->min_slope) - 1);
    double above = fmax(1e-6, fmin(slope - self->min_slope, 500));
    return above + log(-expm1(-above)) - shift;
}

/* The curve of quantiles, data x against noise y, and the share of all rows below each point. */
enum { POINTS = 256 };
typedef struct curve {
    double x[POINTS], y[POINTS], share[POINTS];
} curve;

/* At even distances in the noise, as far out as there are a few rows. */
static void trace(curve *out, const double *sorted, size_t n)
{
    double far = -normal_quantile(fmax(5 / (double)n, 5e-4));
    for (size_t i = 0; i < POINTS; i++) {
        out->y[i] = far * (2 * (double)i / (POINTS - 1) - 1);
        out->share[i] = normal_share(out->y[i]);
        out->x[i] = quantile(sorted, n, out->share[i]);
    }
}

/* Of a curve that `count` knots follow: it is further from point i to the next than from knot to knot. */
static bool is_gap(const curve *of, size_t i, size_t count)
{
    return of->x[i + 1] - of->x[i] > (of->x[POINTS - 1] - of->x[0]) / (double)count;
}

/* dy/dx at a point, of its two sides the steeper one: the one that is not a gap. */
static double slope_at(const curve *of, size_t i)
{
    enum { SIDE = 2 };
    size_t lo = i > SIDE ? i - SIDE : 0, hi = i + SIDE < POINTS ? i + SIDE : POINTS - 1;
    double before = i > lo ? (of->y[i] - of->y[lo]) / (of->x[i] - of->x[lo]) : 0;
    double after = hi > i ? (of->y[hi] - of->y[i]) / (of->x[hi] - of->x[i]) : 0;
    return fmax(before, after);
}

/* ---- knots: of all ways to choose them among the points, the one whose spline is the nearest to the curve */

/* The curve as the spline reads it. */
typedef struct road {
    double from[POINTS], to[POINTS], slope[POINTS];
    const double *share;
    double least; /* width and height of a piece are more than this */
} road;

static void lay(road *out, const curve *of, const spline *self, bool from_noise)
{
    memcpy(out->from, from_noise ? of->y : of->x, sizeof out->from);
    memcpy(out->to, from_noise ? of->x : of->y, sizeof out->to);
    out->share = of->share;
    out->least = 4 * self->min_share * self->bound;
    for (size_t i = 0; i < POINTS; i++) {
        double slope = slope_at(of, i);
        out->slope[i] = fmax(self->min_slope, from_noise ? 1 / slope : slope);
    }
}

/* The rational quadratic from point i to point j (flow/layer/spline.c). */
static double piece(const road *r, size_t i, size_t j, double at)
{
    double wide = r->from[j] - r->from[i], high = r->to[j] - r->to[i], mean = high / wide;
    double t = (at - r->from[i]) / wide, u = t * (1 - t);
    double below = mean + (r->slope[i] + r->slope[j] - 2 * mean) * u;
    return r->to[i] + high * (mean * t * t + r->slope[i] * u) / below;
}

/* The share of rows below a number that the spline leads to; *k: where the search for it begins, and ends. */
static double share_below(const road *r, double to, size_t *k)
{
    while (*k + 2 < POINTS && r->to[*k + 1] < to)
        ++*k;
    double step = r->to[*k + 1] - r->to[*k];
    double part = step > 0 ? (to - r->to[*k]) / step : 0;
    return r->share[*k] + part * (r->share[*k + 1] - r->share[*k]);
}

/* KL of the rows from i to j against what the piece makes of them. */
static double cost_of(const road *r, size_t i, size_t j)
{
    double sum = 0, before = r->share[i];
    if (!(r->from[j] - r->from[i] > r->least && r->to[j] - r->to[i] > r->least))
        return INFINITY;
    for (size_t k = i, at = i; k < j; k++) {
        double mass = r->share[k + 1] - r->share[k];
        double now = k + 1 < j ? share_below(r, piece(r, i, j, r->from[k + 1]), &at) : r->share[j];
        sum += mass * log(mass / fmax(now - before, 1e-9));
        before = now;
    }
    return sum;
}

/* Of the best way to each point with one knot more, what it costs and the knot before. */
typedef struct best_way {
    double cost[POINTS];
    unsigned char before[MOST_BINS][POINTS];
} best_way;

static void add_knot(best_way *self, const double *costs, size_t k)
{
    double next[POINTS];
    for (size_t j = 0; j < POINTS; j++) {
        next[j] = INFINITY;
        for (size_t i = 0; i < j; i++)
            if (self->cost[i] + costs[i * POINTS + j] < next[j]) {
                next[j] = self->cost[i] + costs[i * POINTS + j];
                self->before[k][j] = (unsigned char)i;
            }
    }
    memcpy(self->cost, next, sizeof next);
}

/* at (count): the first and the last point, and those between (Bellman 1961). */
static bool choose_knots(size_t *at, size_t count, const road *r, double *costs)
{
    best_way way = {.cost = {0}};
    for (size_t i = 0; i < POINTS; i++)
        for (size_t j = i + 1; j < POINTS; j++)
            costs[i * POINTS + j] = cost_of(r, i, j);
    for (size_t i = 1; i < POINTS; i++)
        way.cost[i] = INFINITY;
    for (size_t k = 1; k < count; k++)
        add_knot(&way, costs, k);
    at[count - 1] = POINTS - 1;
    for (size_t k = count - 1; k > 0; k--)
        at[k - 1] = way.before[k][at[k]];
    return isfinite(way.cost[POINTS - 1]);
}

/* h (3 bins - 1) = widths, heights, slopes. */
static bool put_knots(double *h, const spline *self, const road *r, const size_t *at)
{
    double from[MOST_BINS + 1], to[MOST_BINS + 1];
    const size_t last = self->bins;
    from[0] = to[0] = -self->bound;
    from[last] = to[last] = self->bound;
    for (size_t k = 1; k < last; k++) {
        from[k] = r->from[at[k - 1]];
        to[k] = r->to[at[k - 1]];
        h[2 * last + k - 1] = raw_slope(self, r->slope[at[k - 1]]);
    }
    return set_extents(h, self, from) && set_extents(h + last, self, to);
}

static int follow_curve(double *h, bool *done, const spline *self, const curve *of, bool from_noise,
                        flow_err *err)
{
    size_t at[MOST_BINS];
    road r;
    double *costs = malloc((size_t)POINTS * POINTS * sizeof *costs);
    if (!costs)
        return flow_fail(err, FLOW_ENOMEM, "out of memory for the knots of a spline");
    lay(&r, of, self, from_noise);
    *done = choose_knots(at, self->bins - 1, &r, costs) && put_knots(h, self, &r, at);
    free(costs);
    return 0;
}

/* ---- numbers of a flow */

/* The tensor that a spline that sees nothing has all of its numbers in; that of all of them: there is none. */
static size_t find_numbers(const flow *fitted, const spline *self)
{
    char prefix[32];
    flow_tensor_info info;
    int len = snprintf(prefix, sizeof prefix, "layers.%zu.", self->layer);
    size_t i = 0;
    for (; i < flow_n_tensors(fitted); i++) {
        flow_tensor(fitted, &info, i);
        if (strncmp(info.name, prefix, (size_t)len) == 0 && strstr(info.name, ".bias") &&
            info.rows == 3 * self->bins - 1)
            break;
    }
    return i;
}

/* A flow of one column whose first spline is to be set, and the one after it. */
typedef struct starting {
    flow *flow;
    flow_pool *pool;
    spline first, second; /* in the order of the layers */
    size_t at_first, at_second;
    bool from_noise, two;
    const double *sorted; /* (n) */
    size_t n;
} starting;

static void find_second(starting *self, const json_t *list)
{
    self->two = find_spline(&self->second, list, self->first.layer + 1);
    self->at_second = self->two ? find_numbers(self->flow, &self->second) : 0;
    self->two = self->two && self->at_second < flow_n_tensors(self->flow);
}

static int find(starting *self, bool *found, flow_err *err)
{
    json_t *description = flow_describe(self->flow);
    if (!description)
        return flow_fail(err, FLOW_ENOMEM, "out of memory for the description of a flow");
    const json_t *list = json_object_get(description, "layers");
    *found = flow_dim(self->flow) == 1 && flow_context(self->flow) == 0 &&
             is_kind(description, "base", "normal") && find_spline(&self->first, list, 0) &&
             self->n >= ROWS_A_BIN * self->first.bins;
    self->at_first = *found ? find_numbers(self->flow, &self->first) : 0;
    *found = *found && self->at_first < flow_n_tensors(self->flow);
    if (*found)
        find_second(self, list);
    json_decref(description);
    return 0;
}

/* ---- gaps: no piece of a spline is narrower than min_share, so that one spline alone leaves what is about e^-7 of the
 * density in a gap. Two do with the product of their shares: the one next to the noise opens it a little, and where it is
 * steep the one next to the data opens the rest. */

static const double OPENED = 1.5; /* of the noise, by all gaps together */
enum { MOST_GAPS = 3 };

/* Where in the noise the data are half way across. */
static double middle_of(const curve *of, size_t i, const starting *self)
{
    double lo = of->y[i], hi = of->y[i + 1], half = (of->x[i] + of->x[i + 1]) / 2;
    for (int k = 0; k < 40; k++) {
        double mid = (lo + hi) / 2;
        *(quantile(self->sorted, self->n, normal_share(mid)) < half ? &lo : &hi) = mid;
    }
    return (lo + hi) / 2;
}

/* out = N(0, 1), pulled apart about the middle of each gap of the curve; returns how many there are. */
static size_t open_gaps(curve *out, const curve *of, const starting *self)
{
    size_t gaps = 0, before = 0, count = self->first.bins - 1;
    *out = *of;
    for (size_t i = 0; i + 1 < POINTS; i++) {
        double wide = of->y[i + 1] - of->y[i];
        if (!is_gap(of, i, count))
            continue;
        out->y[i] = middle_of(of, i, self) - wide / 2;
        out->y[i + 1] = out->y[i] + wide;
        gaps++;
    }
    for (size_t i = 0; i < POINTS; i++) {
        out->x[i] = out->y[i] + OPENED * ((double)before / (double)(gaps ? gaps : 1) - 0.5);
        before += i + 1 < POINTS && is_gap(of, i, count);
    }
    return gaps;
}

/* The data against what the spline next to the noise makes of N(0, 1): the rest of the flow is still the identity. */
static int trace_rest(curve *out, const starting *self, const curve *opened, flow_err *err)
{
    double z[POINTS], logp[POINTS], lo = opened->x[0], hi = opened->x[POINTS - 1];
    for (size_t i = 0; i < POINTS; i++)
        out->y[i] = lo + (hi - lo) * (double)i / (POINTS - 1);
    int code = flow_log_prob(self->flow, self->pool, logp, z, out->y, NULL, POINTS, err);
    for (size_t i = 0; i < POINTS && !code; i++) {
        out->share[i] = normal_share(z[i]);
        out->x[i] = quantile(self->sorted, self->n, out->share[i]);
    }
    return code;
}

static int follow_rest(const starting *self, bool *done, const curve *opened, flow_err *err)
{
    double h[3 * MOST_BINS];
    curve rest;
    const spline *last = self->from_noise ? &self->second : &self->first;
    size_t at = self->from_noise ? self->at_second : self->at_first;
    int code = trace_rest(&rest, self, opened, err);
    code = code ? code : follow_curve(h, done, last, &rest, self->from_noise, err);
    return code || !*done ? code : flow_tensor_set(self->flow, h, at, err);
}

/* *done: both are set; else neither is. */
static int set_both(const starting *self, bool *done, const curve *of, flow_err *err)
{
    double h[3 * MOST_BINS], before[3 * MOST_BINS];
    curve opened;
    const spline *next = self->from_noise ? &self->first : &self->second;
    size_t at = self->from_noise ? self->at_first : self->at_second;
    size_t gaps = open_gaps(&opened, of, self);
    *done = false;
    if (!self->two || gaps == 0 || gaps > MOST_GAPS)
        return 0;
    int code = follow_curve(h, done, next, &opened, self->from_noise, err);
    if (code || !*done)
        return code;
    flow_tensor_get(self->flow, before, at);
    *done = false;
    code = flow_tensor_set(self->flow, h, at, err);
    code = code ? code : follow_rest(self, done, &opened, err);
    return code || *done ? code : flow_tensor_set(self->flow, before, at, err);
}

static int set_first(const starting *self, bool *done, const curve *of, flow_err *err)
{
    double h[3 * MOST_BINS];
    int code = follow_curve(h, done, &self->first, of, self->from_noise, err);
    return code || !*done ? code : flow_tensor_set(self->flow, h, self->at_first, err);
}

static int set(starting *self, bool *done, flow_err *err)
{
    curve all;
    self->pool = flow_pool_create(1, err);
    if (!self->pool)
        return err->code;
    trace(&all, self->sorted, self->n);
    int code = set_both(self, done, &all, err);
    flow_pool_free(self->pool);
    return code || *done ? code : set_first(self, done, &all, err);
}

int flow_start_column(flow *self, bool *done, const double *sorted, size_t n, flow_err *err)
{
    starting s = {.flow = self,
                  .from_noise = flow_get_direction(self) == FLOW_NOISE_TO_DATA,
                  .sorted = sorted,
                  .n = n};
    *done = false;
    int code = find(&s, done, err);
    return code || !*done ? code : set(&s, done, err);
}

/* ---- of a flow that is there */

static int is_plain_column(int *yes, const flow *self, flow_err *err)
{
    json_t *description = flow_describe(self);
    if (!description)
        return flow_fail(err, FLOW_ENOMEM, "out of memory for the description of a flow");
    *yes = flow_dim(self) == 1 && flow_context(self) == 0 && is_kind(description, "base", "normal");
    json_decref(description);
    return 0;
}

static int transport(double *x, size_t n, const flow *self, flow_err *err)
{
    double *z = malloc(2 * n * sizeof *z);
    flow_pool *pool = z ? flow_pool_create(1, err) : NULL;
    int code = pool ? 0 : flow_fail(err, FLOW_ENOMEM, "out of memory for %zu quantiles", n);
    for (size_t i = 0; !code && i < n; i++)
        z[i] = normal_quantile(((double)i + 0.5) / (double)n);
    if (!code)
        code = flow_transport(self, pool, x, z + n, z, NULL, n, err);
    flow_pool_free(pool);
    free(z);
    return code;
}

int flow_column_quantiles(double *x, int *known, size_t n, const flow *self, flow_err *err)
{
    int code = is_plain_column(known, self, err);
    return code || !*known ? code : transport(x, n, self, err);
}
