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

/* The first layer, but for matrices, which start as the identity, is one. */
static bool find_spline(spline *out, const json_t *description)
{
    const json_t *list = json_object_get(description, "layers"), *tau;
    size_t i = 0;
    while (is_kind(json_array_get(list, i), "kind", "lu_linear"))
        i++;
    tau = json_object_get(json_array_get(list, i), "transformer");
    if (!is_kind(json_array_get(list, i), "kind", "autoregressive") ||
        !is_kind(tau, "kind", "spline") || !is_kind(description, "base", "normal"))
        return false;
    *out = (spline){.layer = i,
                    .bins = (size_t)json_integer_value(json_object_get(tau, "bins")),
                    .bound = json_number_value(json_object_get(tau, "bound")),
                    .min_share = json_number_value(json_object_get(tau, "min_share")),
                    .min_slope = json_number_value(json_object_get(tau, "min_slope"))};
    return out->bins >= LEAST_BINS && out->bins <= MOST_BINS;
}

static double normal_quantile(double p)
{
    double lo = -10, hi = 10;
    for (int i = 0; i < 60; i++) {
        double mid = (lo + hi) / 2;
        *(0.5 * erfc(-mid * sqrt(0.5)) < p ? &lo : &hi) = mid;
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

/* The curve of quantiles, data against N(0, 1). */
enum { POINTS = 256 };
typedef struct curve {
    double x[POINTS], y[POINTS];
} curve;

/* At even distances in the noise, as far out as there are a few rows. */
static void trace(curve *out, const double *sorted, size_t n)
{
    double far = -normal_quantile(fmax(5 / (double)n, 5e-4));
    for (size_t i = 0; i < POINTS; i++) {
        out->y[i] = far * (2 * (double)i / (POINTS - 1) - 1);
        out->x[i] = quantile(sorted, n, 0.5 * erfc(-out->y[i] * sqrt(0.5)));
    }
}

/* way (POINTS) = how far along the curve, no step counting as more than `most`: a gap takes one knot's worth. */
static void measure(double *way, const curve *of, double most)
{
    way[0] = 0;
    for (size_t i = 1; i < POINTS; i++)
        way[i] = way[i - 1] + fmin(most, of->x[i] - of->x[i - 1] + of->y[i] - of->y[i - 1]);
}

/* at (count): points of the curve at even distances along it, on either side of a gap and none within. */
static void choose_knots(size_t *at, size_t count, const curve *of)
{
    double way[POINTS], apart = INFINITY;
    for (int pass = 0; pass < 8; pass++) {
        measure(way, of, apart);
        apart = way[POINTS - 1] / (double)(count - 1);
    }
    for (size_t k = 0, i = 0; k < count; k++) {
        double want = apart * (double)k;
        while (i + 1 < POINTS && way[i + 1] <= want * (1 + 1e-9))
            i++;
        bool nearer = i + 1 < POINTS && way[i + 1] - want < want - way[i];
        at[k] = i + nearer > (k ? at[k - 1] : 0) || k == 0 ? i + nearer : at[k - 1] + 1;
    }
}

/* The two knots around a gap move to its ends. */
static void close_in(size_t *at, size_t count, const curve *of)
{
    double apart = (of->x[POINTS - 1] - of->x[0]) / (double)count;
    for (size_t k = 0, i = 0; k + 1 < count; k++)
        for (i = at[k]; i < at[k + 1]; i++)
            if (of->x[i + 1] - of->x[i] > apart) {
                at[k] = i;
                at[k + 1] = i + 1;
            }
}

/* dy/dx at a point, of its two sides the steeper one: the one that is not a gap. */
static double slope_at(const curve *of, size_t i)
{
    enum { SIDE = 6 };
    size_t lo = i > SIDE ? i - SIDE : 0, hi = i + SIDE < POINTS ? i + SIDE : POINTS - 1;
    double before = i > lo ? (of->y[i] - of->y[lo]) / (of->x[i] - of->x[lo]) : 0;
    double after = hi > i ? (of->y[hi] - of->y[i]) / (of->x[hi] - of->x[i]) : 0;
    return fmax(before, after);
}

/* h (3 bins - 1) = widths, heights, slopes. */
static bool follow_quantiles(double *h, const spline *self, const double *sorted, size_t n,
                             bool from_noise)
{
    double x[MOST_BINS + 1], y[MOST_BINS + 1];
    size_t at[MOST_BINS];
    const size_t last = self->bins;
    const double *from = from_noise ? y : x, *to = from_noise ? x : y;
    curve all;
    trace(&all, sorted, n);
    choose_knots(at, last - 1, &all);
    close_in(at, last - 1, &all);
    if (at[last - 2] >= POINTS)
        return false;
    x[0] = y[0] = -self->bound;
    x[last] = y[last] = self->bound;
    for (size_t k = 1; k < last; k++) {
        double slope = slope_at(&all, at[k - 1]);
        x[k] = all.x[at[k - 1]];
        y[k] = all.y[at[k - 1]];
        h[2 * last + k - 1] = raw_slope(self, from_noise ? 1 / slope : slope);
    }
    return set_extents(h, self, from) && set_extents(h + last, self, to);
}

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

int flow_start_column(flow *self, const double *sorted, size_t n, flow_err *err)
{
    spline first;
    double h[3 * MOST_BINS];
    json_t *description = flow_describe(self);
    if (!description)
        return flow_fail(err, FLOW_ENOMEM, "out of memory for the description of a flow");
    bool found = flow_dim(self) == 1 && flow_context(self) == 0 &&
                 find_spline(&first, description) && n >= ROWS_A_BIN * first.bins;
    json_decref(description);
    size_t at = found ? find_numbers(self, &first) : 0;
    found = found && at < flow_n_tensors(self) &&
            follow_quantiles(h, &first, sorted, n, flow_get_direction(self) == FLOW_NOISE_TO_DATA);
    return found ? flow_tensor_set(self, h, at, err) : 0;
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
