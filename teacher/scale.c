#include "teacher/scale.h"

#include "flow/sort.h"
#include "teacher/weights.h"

#include <math.h>
#include <stdlib.h>

size_t data_scale_cut(size_t n)
{
    return n < 5 ? 0 : n < 1000 ? 1 : n / 1000;
}

bool data_scale_is_wild(double sd, double trimmed_sd)
{
    return trimmed_sd > 0 && sd > 3 * trimmed_sd;
}

/* Two passes. */
static void mean_and_sd(double *mean, double *sd, const double *x, size_t n, size_t stride)
{
    double squares = 0;
    *mean = 0;
    for (size_t i = 0; i < n; i++)
        *mean += x[i * stride] / (double)n;
    for (size_t i = 0; i < n; i++)
        squares += (x[i * stride] - *mean) * (x[i * stride] - *mean);
    *sd = sqrt(squares / (double)n);
}

void data_scale_trimmed(double *mean, double *sd, const double *sorted, size_t n)
{
    size_t cut = data_scale_cut(n);
    mean_and_sd(mean, sd, sorted + cut, n - 2 * cut, 1);
}

/* Few values can hold most of the variance only if the kurtosis is large: a share s of it in k of n values
 * makes it s^2 n / k at least. Only then is it worth sorting them. */
static bool may_be_wild(const data_scale *of, const double *x, size_t n, size_t stride)
{
    double fourth = 0, bound = (double)n / (double)(4 * data_scale_cut(n) + 1);
    for (size_t i = 0; i < n; i++) {
        double z = (x[i * stride] - of->mean) / of->sd;
        fourth += z * z * z * z / (double)n;
    }
    return data_scale_cut(n) > 0 && fourth > bound;
}

static int trim(data_scale *out, const double *x, size_t n, size_t stride, flow_err *err)
{
    double mean, sd, *sorted = malloc(n * sizeof *sorted);
    if (!sorted)
        return flow_fail(err, FLOW_ENOMEM, "no memory for %zu numbers", n);
    for (size_t i = 0; i < n; i++)
        sorted[i] = x[i * stride];
    flow_sort_numbers(sorted, n);
    data_scale_trimmed(&mean, &sd, sorted, n);
    free(sorted);
    out->trimmed = data_scale_is_wild(out->sd, sd);
    if (out->trimmed) {
        out->mean = mean;
        out->sd = sd;
    }
    return FLOW_OK;
}

int data_scale_measure(data_scale *out, const double *x, size_t n, size_t stride, flow_err *err)
{
    *out = (data_scale){.constant = true};
    for (size_t i = 0; i < n; i++)
        out->constant &= x[i * stride] == x[0];
    mean_and_sd(&out->mean, &out->sd, x, n, stride);
    if (out->constant || !isfinite(out->sd) || !may_be_wild(out, x, n, stride))
        return FLOW_OK;
    return trim(out, x, n, stride, err);
}

/* ---- of rows that are weighed */

typedef struct weighed {
    double x, weight;
} weighed;

static int by_value(const void *a, const void *b)
{
    const weighed *p = a, *q = b;
    return (p->x > q->x) - (p->x < q->x);
}

/* Two passes. */
static void moments(double *mean, double *sd, const weighed *of, size_t n)
{
    double total = 0, squares = 0;
    *mean = 0;
    for (size_t i = 0; i < n; i++)
        total += of[i].weight;
    for (size_t i = 0; i < n; i++)
        *mean += of[i].x * (of[i].weight / total);
    for (size_t i = 0; i < n; i++)
        squares += (of[i].x - *mean) * (of[i].x - *mean) * (of[i].weight / total);
    *sd = sqrt(squares);
}

/* Values at one end, in the direction of step, that hold at most this weight; one at least. */
static size_t cut_off(const weighed *end, int step, size_t n, double most)
{
    size_t count = 0;
    for (double sum = end->weight; count < n && (count == 0 || sum <= most); count++)
        sum += end[step * (ptrdiff_t)(count + 1 < n ? count + 1 : count)].weight;
    return count;
}

/* sorted (n): mean and sd without the farthest, where those make the sd. */
static void trim_weighed(data_scale *out, const weighed *sorted, size_t n, double worth)
{
    double total = 0, mean, sd, share = (double)data_scale_cut((size_t)worth) / worth;
    for (size_t i = 0; i < n; i++)
        total += sorted[i].weight;
    size_t below = cut_off(sorted, 1, n, share * total);
    size_t above = cut_off(sorted + n - 1, -1, n, share * total);
    if (below + above + 3 > n)
        return;
    moments(&mean, &sd, sorted + below, n - below - above);
    out->trimmed = data_scale_is_wild(out->sd, sd);
    if (out->trimmed) {
        out->mean = mean;
        out->sd = sd;
    }
}

static size_t collect(weighed *to, const double *x, const double *weight, size_t n, size_t stride)
{
    size_t count = 0;
    for (size_t i = 0; i < n; i++)
        if (weight[i] > 0)
            to[count++] = (weighed){x[i * stride], weight[i]};
    qsort(to, count, sizeof *to, by_value);
    return count;
}

int data_scale_weighted(data_scale *out, const double *x, const double *weight, size_t n,
                        size_t stride, flow_err *err)
{
    double worth = data_weights_worth(weight, n);
    if (worth < 5)
        return data_scale_measure(out, x, n, stride, err);
    weighed *all = malloc(n * sizeof *all);
    if (!all)
        return flow_fail(err, FLOW_ENOMEM, "no memory for %zu numbers", n);
    size_t count = collect(all, x, weight, n, stride);
    *out = (data_scale){.constant = all[0].x == all[count - 1].x};
    moments(&out->mean, &out->sd, all, count);
    if (!out->constant && isfinite(out->sd))
        trim_weighed(out, all, count, worth);
    free(all);
    return FLOW_OK;
}
