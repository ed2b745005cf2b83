#include "teacher/scale.h"

#include "flow/sort.h"
#include "teacher/weights.h"

#include <math.h>

size_t data_scale_cut(size_t n)
{
    return n < 5 ? 0 : n < 1000 ? 1 : n / 1000;
}

bool data_scale_is_wild(double sd, double trimmed_sd)
{
    return trimmed_sd > 0 && sd > 3 * trimmed_sd;
}

/* Two passes. */
static void mean_and_sd(double *mean, double *sd, const double *x, size_t n)
{
    double squares = 0;
    *mean = 0;
    for (size_t i = 0; i < n; i++)
        *mean += x[i] / (double)n;
    for (size_t i = 0; i < n; i++)
        squares += (x[i] - *mean) * (x[i] - *mean);
    *sd = sqrt(squares / (double)n);
}

void data_scale_trimmed(double *mean, double *sd, const double *sorted, size_t n)
{
    size_t cut = data_scale_cut(n);
    mean_and_sd(mean, sd, sorted + cut, n - 2 * cut);
}

/* Few values can hold most of the variance only if the kurtosis is large: a share s of it in k of n values
 * makes it s^2 n / k at least. Only then is it worth sorting them. */
static bool may_be_wild(const data_scale *of, const double *x, size_t n)
{
    double fourth = 0, bound = (double)n / (double)(4 * data_scale_cut(n) + 1);
    for (size_t i = 0; i < n; i++) {
        double z = (x[i] - of->mean) / of->sd;
        fourth += z * z * z * z / (double)n;
    }
    return data_scale_cut(n) > 0 && fourth > bound;
}

static void take_trimmed(data_scale *out, double mean, double sd)
{
    out->trimmed = data_scale_is_wild(out->sd, sd);
    if (out->trimmed) {
        out->mean = mean;
        out->sd = sd;
    }
}

void data_scale_measure(data_scale *out, double *x, size_t n)
{
    double mean, sd;
    *out = (data_scale){.constant = true};
    for (size_t i = 0; i < n; i++)
        out->constant &= x[i] == x[0];
    mean_and_sd(&out->mean, &out->sd, x, n);
    if (out->constant || !isfinite(out->sd) || !may_be_wild(out, x, n))
        return;
    flow_sort_numbers(x, n);
    data_scale_trimmed(&mean, &sd, x, n);
    take_trimmed(out, mean, sd);
}

/* ---- of rows that are weighed, which are not sorted: it would take twice their memory */

typedef struct weighed {
    const double *x;
    const data_numbers *weight;
    size_t n;
    double low, high; /* rows from low to high count, if they have weight */
} weighed;

static double weight_of(const weighed *of, size_t i)
{
    bool counts = of->x[i] >= of->low && of->x[i] <= of->high;
    return counts ? data_number(of->weight, i, 0) : 0;
}

/* Of the rows that count. */
typedef struct totals {
    size_t rows;
    double weight, most, min, max; /* most: of one row */
} totals;

static totals add_up(const weighed *of)
{
    totals t = {.min = INFINITY, .max = -INFINITY};
    for (size_t i = 0; i < of->n; i++) {
        double w = weight_of(of, i);
        if (!(w > 0))
            continue;
        t.rows++;
        t.weight += w;
        t.most = fmax(t.most, w);
        t.min = fmin(t.min, of->x[i]);
        t.max = fmax(t.max, of->x[i]);
    }
    return t;
}

/* Two passes. */
static void moments(double *mean, double *sd, const weighed *of, double total)
{
    double squares = 0;
    *mean = 0;
    for (size_t i = 0; i < of->n; i++)
        *mean += of->x[i] * (weight_of(of, i) / total);
    for (size_t i = 0; i < of->n; i++)
        squares += (of->x[i] - *mean) * (of->x[i] - *mean) * (weight_of(of, i) / total);
    *sd = sqrt(squares);
}

/* As may_be_wild: two ends that hold so much of the weight, or a row each. */
static bool may_be_wild_weighed(const data_scale *s, const weighed *of, const totals *t,
                                double share)
{
    double fourth = 0, ends = 2 * share + 2 * t->most / t->weight;
    for (size_t i = 0; i < of->n; i++) {
        double z = (of->x[i] - s->mean) / s->sd, w = weight_of(of, i) / t->weight;
        fourth += w > 0 ? z * z * z * z * w : 0;
    }
    return fourth * ends > 0.75;
}

enum { BINS = 1024 };

/* Narrows lo .. hi to the bin in which the weight beyond it, on the way from `from` to the other end, becomes more than
 * most; *beyond: what is outside of it. Returns whether it got narrower. */
static bool narrow(double *lo, double *hi, double *beyond, const weighed *of, bool above,
                   double most)
{
    double held[BINS] = {0}, wide = (*hi / BINS - *lo / BINS), low = *lo;
    size_t k = 0;
    for (size_t i = 0; i < of->n; i++) {
        double w = weight_of(of, i), x = of->x[i];
        if (!(w > 0) || x < low || x > *hi)
            continue;
        size_t bin = wide > 0 ? (size_t)fmin((x - low) / wide, BINS - 1) : 0;
        held[above ? BINS - 1 - bin : bin] += w;
    }
    while (k + 1 < BINS && *beyond + held[k] <= most)
        *beyond += held[k++];
    double at = low + wide * (double)(above ? BINS - 1 - k : k);
    bool narrower = wide > 0 && (at > *lo || at + wide < *hi);
    *lo = at;
    *hi = fmin(*hi, at + wide);
    return narrower;
}

/* A number beyond which, on one side, at most so much weight is. */
static double end_of(const weighed *of, const totals *t, bool above, double most)
{
    enum { ROUNDS = 8 };
    double lo = t->min, hi = t->max, beyond = 0;
    for (int k = 0; k < ROUNDS && narrow(&lo, &hi, &beyond, of, above, most); k++)
        ;
    return above ? fmin(hi, nextafter(t->max, -INFINITY)) : fmax(lo, nextafter(t->min, INFINITY));
}

/* Mean and sd without the farthest, where those make the sd. */
static void trim_weighed(data_scale *out, const weighed *all, const totals *t, double share)
{
    weighed some = *all;
    double mean, sd;
    some.low = end_of(all, t, false, share * t->weight);
    some.high = end_of(all, t, true, share * t->weight);
    totals left = add_up(&some);
    if (left.rows < 3)
        return;
    moments(&mean, &sd, &some, left.weight);
    take_trimmed(out, mean, sd);
}

void data_scale_weighted(data_scale *out, double *x, const data_numbers *weight, size_t n)
{
    double worth = data_weights_worth(weight, n),
           share = (double)data_scale_cut((size_t)worth) / worth;
    if (worth < 5) {
        data_scale_measure(out, x, n);
        return;
    }
    const weighed all = {x, weight, n, -INFINITY, INFINITY};
    const totals t = add_up(&all);
    *out = (data_scale){.constant = t.min == t.max};
    moments(&out->mean, &out->sd, &all, t.weight);
    if (!out->constant && isfinite(out->sd) && may_be_wild_weighed(out, &all, &t, share))
        trim_weighed(out, &all, &t, share);
}
