#include "student/acceptance.h"

#include "flow/sort.h"
#include "student/sum.h"

#include <math.h>
#include <stdlib.h>

/* w (n) in rising order, the largest 1. */
static void weights_of(double *w, const double *l, size_t n)
{
    double top = -INFINITY;
    for (size_t i = 0; i < n; i++)
        top = fmax(top, l[i]);
    for (size_t i = 0; i < n; i++)
        w[i] = exp(l[i] - top);
    flow_sort_numbers(w, n);
}

static double total_of(const double *w, size_t n)
{
    student_sum sum = {0, 0};
    for (size_t i = 0; i < n; i++)
        student_sum_add(&sum, w[i]);
    return student_sum_get(&sum);
}

/* low (n): of each weight the mean of min(w, w') over all w', itself included. */
static void lower_means(double *low, const double *w, size_t n)
{
    student_sum below = {0, 0};
    for (size_t i = 0; i < n; i++) {
        student_sum_add(&below, w[i]);
        low[i] = (student_sum_get(&below) + (double)(n - 1 - i) * w[i]) / (double)n;
    }
}

/* To first order: the mean of its influence over the rows (Hoeffding 1948). */
static student_estimate estimate(const double *w, const double *low, size_t n)
{
    double mean = total_of(w, n) / (double)n, lower = total_of(low, n) / (double)n;
    double value = lower / mean;
    student_sum squares = {0, 0};
    for (size_t i = 0; i < n; i++) {
        double f = (2 * (low[i] - lower) - value * (w[i] - mean)) / mean;
        student_sum_add(&squares, f * f);
    }
    return (student_estimate){value,
                              sqrt(student_sum_get(&squares) / ((double)n * (double)(n - 1)))};
}

int student_acceptance(student_estimate *out, const double *l, size_t n, flow_err *err)
{
    *out = (student_estimate){NAN, NAN};
    if (n < 2)
        return 0;
    double *w = malloc(2 * n * sizeof *w);
    if (!w)
        return flow_fail(err, FLOW_ENOMEM, "out of memory for %zu weights", n);
    weights_of(w, l, n);
    if (w[n - 1] > 0) {
        lower_means(w + n, w, n);
        *out = estimate(w, w + n, n);
    }
    free(w);
    return 0;
}
