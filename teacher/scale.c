#include "teacher/scale.h"

#include "flow/sort.h"

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
