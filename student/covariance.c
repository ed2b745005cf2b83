#include "student/covariance.h"

#include <math.h>
#include <string.h>

void covariance_mean(double *mean, const double *x, size_t n, size_t dim)
{
    memset(mean, 0, dim * sizeof *mean);
    for (size_t r = 0; r < n; r++)
        for (size_t i = 0; i < dim; i++)
            mean[i] += x[r * dim + i] / (double)n;
}

void covariance_of(double *a, const double *mean, const double *x, size_t n, size_t dim,
                   double keep)
{
    memset(a, 0, dim * dim * sizeof *a);
    for (size_t r = 0; r < n; r++)
        for (size_t i = 0; i < dim; i++)
            for (size_t j = 0; j <= i; j++)
                a[i * dim + j] += (x[r * dim + i] - mean[i]) * (x[r * dim + j] - mean[j]) *
                                  (i == j ? 1 : keep) / (double)n;
}

int covariance_factor(double *a, size_t dim)
{
    for (size_t i = 0; i < dim; i++)
        for (size_t j = 0; j <= i; j++) {
            double sum = a[i * dim + j];
            for (size_t k = 0; k < j; k++)
                sum -= a[i * dim + k] * a[j * dim + k];
            if (i == j && !(sum > 0))
                return -1;
            a[i * dim + j] = i == j ? sqrt(sum) : sum / a[j * dim + j];
        }
    return 0;
}

/* Column j needs what is right of it as it was. */
void covariance_invert(double *l, size_t dim)
{
    for (size_t j = 0; j < dim; j++) {
        l[j * dim + j] = 1 / l[j * dim + j];
        for (size_t i = j + 1; i < dim; i++) {
            double sum = 0;
            for (size_t k = j; k < i; k++)
                sum += l[i * dim + k] * l[k * dim + j];
            l[i * dim + j] = -sum / l[i * dim + i];
        }
    }
}

double covariance_square(const double *lower, const double *mean, const double *x, size_t dim,
                         double *work)
{
    double square = 0;
    for (size_t i = 0; i < dim; i++) {
        work[i] = x[i] - mean[i];
        for (size_t j = 0; j < i; j++)
            work[i] -= lower[i * dim + j] * work[j];
        work[i] /= lower[i * dim + i];
        square += work[i] * work[i];
    }
    return square;
}
