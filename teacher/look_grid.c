#include "teacher/look_grid.h"

#include "flow/sort.h"

#include <float.h>
#include <math.h>
#include <stdbool.h>

enum { MAX_DECIMALS = 6 };

/* Whether x is a multiple of 1 / scale, as far as single precision can tell: it must tell a tenth. */
static bool is_multiple(double x, double scale)
{
    double at = x * scale, noise = (double)FLT_EPSILON * fabs(at);
    return fabs(at - rint(at)) <= fmin(noise + 1e-9, 0.1) && noise < 0.1;
}

static bool all_multiples(const double *x, size_t n, double scale)
{
    for (size_t i = 0; i < n; i++)
        if (!is_multiple(x[i], scale))
            return false;
    return true;
}

/* 1, 10, ... 10^MAX_DECIMALS: the least of which all are multiples of one part; 0: none. */
static double decimals_of(const double *sorted, size_t n)
{
    double scale = 1;
    for (int k = 0; k <= MAX_DECIMALS; k++, scale *= 10)
        if (all_multiples(sorted, n, scale))
            return scale;
    return 0;
}

/* Multiples of a tenth are also multiples of the smallest gap, where that is .5. */
static double coarsest(const double *sorted, size_t n, double scale, double gap)
{
    double step = rint(gap * scale) / scale;
    for (size_t i = 0; step > 0 && i < n; i++) {
        double at = (sorted[i] - sorted[0]) / step;
        if (fabs(at - rint(at)) > 0.01 + (double)FLT_EPSILON * fabs(sorted[i] / step))
            return 1 / scale;
    }
    return step > 0 ? step : 1 / scale;
}

/* A grid of any step, thirds say: most gaps are a few times one of the smallest, and whole multiples of
 * it. Gaps of numbers that lie anywhere are some hundred times as large as the smallest hundredth. */
static double step_of_gaps(const double *gaps, size_t n)
{
    double unit = gaps[n / 100], steps = 0, length = 0;
    size_t near = 0;
    for (size_t i = 0; i < n && gaps[i] < 10 * unit; i++) {
        double at = gaps[i] / unit;
        if (fabs(at - rint(at)) > 0.1 || at < 0.5)
            return 0;
        near++;
        steps += rint(at);
        length += gaps[i];
    }
    return 2 * near >= n ? length / steps : 0;
}

double look_grid_step(const double *sorted, size_t n, double *gaps, size_t n_gaps, double gap)
{
    if (n_gaps == 0)
        return 0;
    double scale = decimals_of(sorted, n);
    if (scale > 0)
        return coarsest(sorted, n, scale, gap);
    if (2 * n_gaps >= n || n_gaps < 2)
        return 0; /* most values come once: on a grid or not, they are told apart */
    flow_sort_numbers(gaps, n_gaps);
    return step_of_gaps(gaps, n_gaps);
}
