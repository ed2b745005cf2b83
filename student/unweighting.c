#include "student/unweighting.h"

#include "flow/sort.h"
#include "student/sum.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static double largest(const double *l, size_t n)
{
    double top = -INFINITY;
    for (size_t i = 0; i < n; i++)
        top = fmax(top, l[i]);
    return top;
}

/* Of e^(l - top) over n rows. */
static double sum_of(const double *l, size_t n, double top)
{
    student_sum sum = {0, 0};
    for (size_t i = 0; i < n; i++)
        student_sum_add(&sum, exp(l[i] - top));
    return student_sum_get(&sum);
}

double student_over_weight(const double *l, size_t n, double log_bound)
{
    double top = largest(l, n), bound = exp(log_bound - top);
    student_sum above = {0, 0};
    if (top == -INFINITY)
        return NAN;
    for (size_t i = 0; i < n; i++)
        student_sum_add(&above, fmax(exp(l[i] - top) - bound, 0));
    return student_sum_get(&above) / sum_of(l, n, top);
}

static double of_halves(const double *l, size_t n)
{
    size_t half = n / 2;
    double a = student_over_weight(l, half, largest(l + half, n - half));
    double b = student_over_weight(l + half, n - half, largest(l, half));
    return 0.5 * (a + b);
}

size_t student_bootstrap_rank(size_t k, size_t m)
{
    double rank = ceil((double)k * exp2(-1 / (double)m));
    return rank < 1 ? 1 : (size_t)rank;
}

/* From the n - cut weights that are above 0, sorted. */
static double as_madnis(const double *sorted, size_t n, size_t cut)
{
    size_t k = n - cut;
    double bound = sorted[cut + student_bootstrap_rank(k, n) - 1];
    return sum_of(sorted + cut, k, bound) / (double)k;
}

static size_t count_cut(const double *sorted, size_t n)
{
    size_t cut = 0;
    while (cut < n && sorted[cut] == -INFINITY)
        cut++;
    return cut;
}

int student_unweighting_of(student_unweighting *out, const double *l, size_t n, flow_err *err)
{
    *out = (student_unweighting){NAN, NAN, NAN, NAN};
    double top = largest(l, n);
    if (top == -INFINITY)
        return 0;
    double *sorted = malloc(n * sizeof *sorted);
    if (!sorted)
        return flow_fail(err, FLOW_ENOMEM, "out of memory for %zu weights", n);
    memcpy(sorted, l, n * sizeof *sorted);
    flow_sort_numbers(sorted, n);
    size_t cut = count_cut(sorted, n);
    out->efficiency = sum_of(l, n, top) / (double)n;
    out->madnis = as_madnis(sorted, n, cut);
    out->over_weight = n > 1 ? of_halves(l, n) : NAN;
    out->kept = (double)(n - cut) / (double)n;
    free(sorted);
    return 0;
}
