#include "student/summary.h"

#include "student/sum.h"

#include <math.h>
#include <stdlib.h>

const double summary_levels[SUMMARY_QUANTILES] = {0.025, 0.25, 0.5, 0.75, 0.975};

typedef struct point {
    double x, weight;
} point;

static int by_x(const void *a, const void *b)
{
    const point *p = a, *q = b;
    return (p->x > q->x) - (p->x < q->x);
}

/* ---- moments */

static double mean_of(const point *at, size_t n)
{
    student_sum sum = {0, 0};
    for (size_t i = 0; i < n; i++)
        student_sum_add(&sum, at[i].weight * at[i].x);
    return student_sum_get(&sum);
}

/* Of the mean of (x - mean)^power about `about`. */
static double error_of(const point *at, size_t n, double mean, int power, double about)
{
    student_sum sum = {0, 0};
    for (size_t i = 0; i < n; i++) {
        double off = at[i].weight * (pow(at[i].x - mean, power) - about);
        student_sum_add(&sum, off * off);
    }
    return sqrt(student_sum_get(&sum));
}

static void moments(student_summary *out, const point *at, size_t n)
{
    student_sum square = {0, 0};
    double mean = mean_of(at, n);
    for (size_t i = 0; i < n; i++)
        student_sum_add(&square, at[i].weight * (at[i].x - mean) * (at[i].x - mean));
    double variance = student_sum_get(&square), sd = sqrt(variance);
    out->mean = (student_estimate){mean, error_of(at, n, mean, 1, 0)};
    out->sd = (student_estimate){sd, sd > 0 ? error_of(at, n, mean, 2, variance) / (2 * sd) : 0};
}

/* ---- quantiles of sorted points */

static double quantile_at(const point *at, size_t n, double level)
{
    student_sum sum = {0, 0};
    for (size_t i = 0; i + 1 < n; i++) {
        student_sum_add(&sum, at[i].weight);
        if (student_sum_get(&sum) >= level)
            return at[i].x;
    }
    return at[n - 1].x;
}

static student_estimate quantile(const point *at, size_t n, double level)
{
    student_sum sum = {0, 0};
    double value = quantile_at(at, n, level);
    for (size_t i = 0; i < n; i++) {
        double off = at[i].weight * ((at[i].x <= value) - level);
        student_sum_add(&sum, off * off);
    }
    double se = sqrt(student_sum_get(&sum));
    return (student_estimate){
        value, 0.5 * (quantile_at(at, n, level + se) - quantile_at(at, n, level - se))};
}

int student_summarise(student_summary *out, const double *x, size_t dim, size_t column,
                      const double *weight, size_t n, flow_err *err)
{
    point *at = malloc(n * sizeof *at);
    if (!at)
        return flow_fail(err, FLOW_ENOMEM, "out of memory to sum up %zu rows", n);
    for (size_t i = 0; i < n; i++)
        at[i] = (point){x[i * dim + column], weight[i]};
    qsort(at, n, sizeof *at, by_x);
    moments(out, at, n);
    for (size_t k = 0; k < SUMMARY_QUANTILES; k++)
        out->quantile[k] = quantile(at, n, summary_levels[k]);
    free(at);
    return 0;
}
