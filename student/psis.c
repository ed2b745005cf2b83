#include "student/psis.h"

#include "flow/sort.h"
#include "student/sum.h"

#include <assert.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* mean_i log(1 - theta x_i) */
static double mean_log(double theta, const double *x, size_t n)
{
    student_sum sum = {0, 0};
    for (size_t i = 0; i < n; i++)
        student_sum_add(&sum, log1p(-theta * x[i]));
    return student_sum_get(&sum) / (double)n;
}

static double mean(const double *x, size_t n)
{
    student_sum sum = {0, 0};
    for (size_t i = 0; i < n; i++)
        student_sum_add(&sum, x[i]);
    return student_sum_get(&sum) / (double)n;
}

/* x at the first quartile, 1-based index floor(n/4 + 1/2). Ties with the threshold leave zeros
 * there; the smallest positive excess then sets the scale of the grid. */
static double quartile_or_first_positive(const double *x, size_t n)
{
    size_t i = (size_t)floor((double)n / 4 + 0.5);
    i = i ? i - 1 : 0;
    while (x[i] <= 0)
        i++;
    return x[i];
}

/* The grid of theta = k/sigma in the sign of Zhang and Stephens, j = 1 .. m. All are below 1 / x_n,
 * so that every logarithm is of a positive number. */
static double grid_theta(size_t j, size_t m, double largest, double quartile)
{
    return 1 / largest + (1 - sqrt((double)m / ((double)j - 0.5))) / (3 * quartile);
}

/* Profile log-likelihood of theta: n (log(-theta / k) - k - 1), k = mean log(1 - theta x). */
static double profile(double theta, const double *x, size_t n)
{
    double k = mean_log(theta, x, n);
    double log_rate = k == 0 ? -log(mean(x, n)) : log(-theta / k); /* the limit theta -> 0 */
    return (double)n * (log_rate - k - 1);
}

void psis_pareto_fit(double *k, double *sigma, const double *x, size_t n)
{
    assert(n > 0 && x[n - 1] > 0);
    size_t m = 30 + (size_t)floor(sqrt((double)n));
    double largest = x[n - 1], quartile = quartile_or_first_positive(x, n);
    double best = -INFINITY;
    for (size_t j = 1; j <= m; j++)
        best = fmax(best, profile(grid_theta(j, m, largest, quartile), x, n));
    student_sum weighted = {0, 0}, total = {0, 0};
    for (size_t j = 1; j <= m; j++) {
        double theta = grid_theta(j, m, largest, quartile);
        double weight = exp(profile(theta, x, n) - best);
        student_sum_add(&weighted, weight * theta);
        student_sum_add(&total, weight);
    }
    double theta = student_sum_get(&weighted) / student_sum_get(&total);
    double raw = mean_log(theta, x, n);
    *sigma = raw == 0 ? mean(x, n) : -raw / theta;
    *k = (raw * (double)n + 5) / ((double)n + 10);
}

size_t psis_tail(size_t n)
{
    return n > 225 ? (size_t)floor(3 * sqrt((double)n)) : n / 5;
}

/* Below this share of the largest weight an excess counts as underflowed, so that the grid, which
 * divides by the excess at the quartile, stays finite. A tail that spans 690 nats between its
 * quartile and its end has k in the hundreds. */
#define SMALLEST 1e-300

/* log_w ascending, tail < n and no -inf among the last `tail`; those are overwritten by excesses.
 */
static double khat_of_sorted(double *log_w, size_t n, size_t tail)
{
    double *x = log_w + (n - tail);
    double largest = x[tail - 1], threshold = x[-1];
    if (largest <= threshold)
        return -INFINITY;
    /* exp(l - max) - exp(threshold - max), without cancellation. */
    for (size_t i = 0; i < tail; i++) {
        double excess = exp(x[i] - largest) * -expm1(threshold - x[i]);
        if (excess < SMALLEST && x[i] > threshold && 4 * i >= tail)
            return INFINITY;
        x[i] = excess;
    }
    double k, sigma;
    psis_pareto_fit(&k, &sigma, x, tail);
    return k;
}

double psis_threshold(size_t n)
{
    return n > 1 ? fmin(1 - 1 / log10((double)n), 0.7) : -INFINITY;
}

int psis_khat(psis_fit *fit, const double *log_w, size_t n, flow_err *err)
{
    size_t positive = 0;
    for (size_t i = 0; i < n; i++) {
        if (isnan(log_w[i]) || log_w[i] == INFINITY)
            return flow_fail(err, FLOW_EDIVERGED, "k-hat: log weight of row %zu is %g", i,
                             log_w[i]);
        positive += log_w[i] > -INFINITY;
    }
    *fit = (psis_fit){.khat = NAN, .threshold = psis_threshold(n), .tail = psis_tail(n)};
    if (fit->tail < PSIS_MIN_TAIL)
        return FLOW_OK;
    if (fit->tail > positive)
        fit->tail = positive;
    if (fit->tail < PSIS_MIN_TAIL) {
        fit->khat = INFINITY;
        return FLOW_OK;
    }
    if (n > SIZE_MAX / sizeof *log_w)
        return flow_fail(err, FLOW_ENOMEM, "k-hat: %zu rows are too many", n);
    double *sorted = malloc(n * sizeof *sorted);
    if (!sorted)
        return flow_fail(err, FLOW_ENOMEM, "k-hat: no memory to sort %zu rows", n);
    memcpy(sorted, log_w, n * sizeof *sorted);
    flow_sort_numbers(sorted, n);
    fit->khat = khat_of_sorted(sorted, n, fit->tail);
    free(sorted);
    return FLOW_OK;
}
