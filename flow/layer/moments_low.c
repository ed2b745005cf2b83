#include "flow/layer/moments_low.h"

static double product(const real *a, const real *b, size_t ld)
{
    real part[FLOW_PAD] = {0};
    double sum = 0;
    for (size_t j = 0; j < ld; j += FLOW_PAD)
        for (size_t k = 0; k < FLOW_PAD; k++)
            part[k] += a[j + k] * b[j + k];
    for (size_t k = 0; k < FLOW_PAD; k++)
        sum += (double)part[k];
    return sum;
}

void moments_low_add(double *sums, const real *a, size_t units, size_t row0, size_t row1, size_t ld)
{
    for (size_t i = row0; i < row1; i++)
        for (size_t j = 0; j <= i; j++)
            sums[i * units + j] += product(a + i * ld, a + j * ld, ld);
}

/* Covariances, in levels. */
static void centre(double *s, const real *mean, const real *inverse, size_t units, size_t n,
                   double own)
{
    for (size_t i = 0; i < units; i++)
        for (size_t j = 0; j <= i; j++) {
            double c = s[i * units + j] / (double)n - (double)mean[i] * (double)mean[j];
            s[i * units + j] = c * (double)inverse[i] * (double)inverse[j] + (i == j ? own : 0);
        }
}

/* s = L D L^T: L below the diagonal, D on it. */
static void decompose(double *s, size_t units)
{
    for (size_t i = 0; i < units; i++) {
        double *row = s + i * units;
        for (size_t j = 0; j < i; j++) {
            const double *other = s + j * units;
            for (size_t k = 0; k < j; k++)
                row[j] -= row[k] * other[k]; /* row[k]: L D, until the end */
        }
        for (size_t j = 0; j < i; j++) {
            double l = row[j] / s[j * units + j];
            row[i] -= l * row[j];
            row[j] = l;
        }
    }
}

/* L becomes b = 1 - L^-1, below the diagonal: b_ij = l_ij - sum_{j < k < i} l_ik b_kj. */
static void invert(double *s, size_t units)
{
    for (size_t i = 1; i < units; i++)
        for (size_t j = 0; j < i; j++)
            for (size_t k = j + 1; k < i; k++)
                s[i * units + j] -= s[i * units + k] * s[k * units + j];
}

void moments_low_predict(double *sums, const real *mean, const real *inverse, size_t units,
                         size_t n, double own)
{
    centre(sums, mean, inverse, units, n, own);
    decompose(sums, units);
    invert(sums, units);
}
