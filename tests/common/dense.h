/* tests/common/dense.h -- small dense linear algebra in double, the slow and obvious way: what the
 * fast paths are compared with. Matrices are row-major. */
#ifndef TESTS_COMMON_DENSE_H
#define TESTS_COMMON_DENSE_H

#include <stddef.h>

/* a (n, n) becomes its LU factors with row exchanges; x (n, NULL: none) becomes a^-1 x. Returns
 * log|det a|. */
double dense_solve(double *a, double *x, size_t n);

#endif
