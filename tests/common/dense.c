#include "tests/common/dense.h"

#include <math.h>

static void swap_rows(double *a, double *x, size_t n, size_t i, size_t k)
{
    for (size_t j = 0; j < n; j++) {
        double t = a[i * n + j];
        a[i * n + j] = a[k * n + j];
        a[k * n + j] = t;
    }
    if (x) {
        double t = x[i];
        x[i] = x[k];
        x[k] = t;
    }
}

/* Takes row k out of the rows below it. */
static void eliminate(double *a, double *x, size_t n, size_t k)
{
    for (size_t i = k + 1; i < n; i++) {
        double f = a[i * n + k] / a[k * n + k];
        for (size_t j = k; j < n; j++)
            a[i * n + j] -= f * a[k * n + j];
        if (x)
            x[i] -= f * x[k];
    }
}

double dense_solve(double *a, double *x, size_t n)
{
    double log_det = 0;
    for (size_t k = 0; k < n; k++) {
        size_t pivot = k;
        for (size_t i = k + 1; i < n; i++)
            if (fabs(a[i * n + k]) > fabs(a[pivot * n + k]))
                pivot = i;
        swap_rows(a, x, n, k, pivot);
        eliminate(a, x, n, k);
        log_det += log(fabs(a[k * n + k]));
    }
    for (size_t i = n; x && i-- > 0;) {
        for (size_t j = i + 1; j < n; j++)
            x[i] -= a[i * n + j] * x[j];
        x[i] /= a[i * n + i];
    }
    return log_det;
}
