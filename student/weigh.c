#include "student/weigh.h"

#include "student/psis.h"

#include <math.h>
#include <stdlib.h>

static double largest(const double *log_w, size_t n)
{
    double top = -INFINITY;
    for (size_t i = 0; i < n; i++)
        top = fmax(top, log_w[i]);
    return top;
}

double weigh_ess(const double *log_w, double b, size_t n)
{
    double top = largest(log_w, n), sum = 0, squares = 0;
    for (size_t i = 0; i < n; i++) {
        double w = log_w[i] > -INFINITY ? exp(b * (log_w[i] - top)) : 0;
        sum += w;
        squares += w * w;
    }
    return sum * sum / ((double)n * squares);
}

double weigh_temper(const double *log_w, double share, size_t n)
{
    double low = 0, high = 1;
    if (weigh_ess(log_w, 1, n) >= share)
        return 1;
    for (int i = 0; i < 50; i++) {
        double middle = 0.5 * (low + high);
        if (weigh_ess(log_w, middle, n) >= share)
            low = middle;
        else
            high = middle;
    }
    return low;
}

size_t weigh_truncate(double *log_w, size_t n)
{
    double top = largest(log_w, n), sum = 0;
    size_t held = 0;
    for (size_t i = 0; i < n; i++)
        sum += exp(log_w[i] - top);
    double most = top + log(sum) - 0.5 * log((double)n);
    for (size_t i = 0; i < n; i++)
        if (log_w[i] > most) {
            log_w[i] = most;
            held++;
        }
    return held;
}

/* ---- smoothing */

typedef struct ranked {
    double value;
    size_t at;
} ranked;

/* Equal ones by their place, so that every sort gives the same. */
static int by_value(const void *a, const void *b)
{
    const ranked *x = a, *y = b;
    if (x->value != y->value)
        return x->value < y->value ? -1 : 1;
    return x->at < y->at ? -1 : 1;
}

/* The quantile at p of a generalised Pareto distribution. */
static double quantile(double p, double k, double sigma)
{
    return fabs(k) < 1e-12 ? -sigma * log1p(-p) : sigma * expm1(-k * log1p(-p)) / k;
}

/* order: ascending, of which the last `tail` are smoothed; x: room for them. */
static double smooth(double *log_w, const ranked *order, size_t n, size_t tail, double *x)
{
    double top = order[n - 1].value, from = exp(order[n - 1 - tail].value - top), k, sigma;
    for (size_t i = 0; i < tail; i++)
        x[i] = fmax(0, exp(order[n - tail + i].value - top) - from);
    if (!(x[tail - 1] > 0) || !(x[tail / 4] > 0))
        return NAN;
    psis_pareto_fit(&k, &sigma, x, tail);
    for (size_t i = 0; i < tail; i++) {
        double p = ((double)i + 0.5) / (double)tail;
        log_w[order[n - tail + i].at] = top + fmin(0, log(from + quantile(p, k, sigma)));
    }
    return k;
}

int weigh_pareto(double *k, double *log_w, size_t n, flow_err *err)
{
    size_t tail = psis_tail(n);
    *k = NAN;
    if (tail < PSIS_MIN_TAIL)
        return 0;
    ranked *order = malloc(n * sizeof *order);
    double *x = malloc(tail * sizeof *x);
    int code = order && x ? 0 : flow_fail(err, FLOW_ENOMEM, "out of memory for %zu weights", n);
    for (size_t i = 0; !code && i < n; i++)
        order[i] = (ranked){log_w[i], i};
    if (!code) {
        qsort(order, n, sizeof *order, by_value);
        *k = smooth(log_w, order, n, tail, x);
    }
    free(order);
    free(x);
    return code;
}

void weigh_normalise(double *weight, const double *log_w, size_t n)
{
    double top = largest(log_w, n), sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += weight[i] = exp(log_w[i] - top);
    for (size_t i = 0; i < n; i++)
        weight[i] /= sum;
}

size_t weigh_pass(size_t *k, double *sum, const double *weight, size_t n, double to)
{
    while (*k + 1 < n && *sum + weight[*k] <= to)
        *sum += weight[(*k)++];
    return *k;
}
