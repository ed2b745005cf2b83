/* flow/layer/triangle.h -- products with a triangle of ones on its diagonal, and solutions, where no library may say in
 * which order numbers are added: every element is one chain, the same on every processor. */
#ifndef FLOW_LAYER_TRIANGLE_H
#define FLOW_LAYER_TRIANGLE_H

#include "flow/layer/real.h"

/* Row i of x (d, ld) += sign * the part of the matrix (d, d) left (k < i) or right (k > i) of the diagonal, times x; with
 * `across` of its transpose. */
FLOW_INLINE void triangle_row(real *x, const real *matrix, size_t d, size_t i, int left, int across,
                              real sign, size_t ld)
{
    size_t from = left ? 0 : i + 1, to = left ? i : d;
    real *xi = x + i * ld;
    for (size_t k = from; k < to; k++) {
        const real t = sign * (across ? matrix[k * d + i] : matrix[i * d + k]), *xk = x + k * ld;
        for (size_t j = 0; j < ld; j++)
            xi[j] += t * xk[j];
    }
}

/* x <- T x, T the lower triangle of the matrix or the upper one, or its transpose. */
static inline void triangle_multiply(real *x, const real *matrix, size_t d, int lower, int across,
                                     size_t ld)
{
    int left = lower != across; /* then later rows first, which are seen by none that comes after */
    for (size_t i = 0; i < d; i++)
        triangle_row(x, matrix, d, left ? d - 1 - i : i, left, across, 1, ld);
}

/* matrix (d, d) = a b^T, a and b (d, ld) */
static inline void triangle_outer(real *matrix, const real *a, const real *b, size_t d, size_t ld)
{
    for (size_t i = 0; i < d; i++)
        for (size_t k = 0; k < d; k++) {
            real sum = 0;
            for (size_t j = 0; j < ld; j++)
                sum += a[i * ld + j] * b[k * ld + j];
            matrix[i * d + k] = sum;
        }
}

/* x <- T^-1 x */
static inline void triangle_solve(real *x, const real *matrix, size_t d, int lower, int across,
                                  size_t ld)
{
    int left = lower != across;
    for (size_t i = 0; i < d; i++)
        triangle_row(x, matrix, d, left ? i : d - 1 - i, left, across, -1, ld);
}

#endif
