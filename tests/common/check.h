/* tests/common/check.h -- comparisons of arrays that say where and by how much they fail. */
#ifndef TESTS_COMMON_CHECK_H
#define TESTS_COMMON_CHECK_H

#include <stddef.h>

/* Fails the test unless |got - want| <= atol + rtol |want| for each of count numbers. NaN fails.
 * The text names the case. */
__attribute__((format(printf, 6, 7))) void check_close(const double *got, const double *want,
                                                       size_t count, double rtol, double atol,
                                                       const char *text, ...);

/* Fails the test unless all count numbers have the same bits. */
__attribute__((format(printf, 4, 5))) void check_same(const double *got, const double *want,
                                                      size_t count, const char *text, ...);

/* The largest absolute value of count numbers. */
double largest_of(const double *values, size_t count);

/* Derivatives of several functions in one direction, by central differences: values(arg, out)
 * computes all count functions at the present state; at[k * stride], k < n_at, are moved together.
 */
typedef struct moved {
    void (*values)(void *arg, double *out);
    void *arg;
    double *at;
    size_t n_at, stride;
} moved;

void central_difference(double *out, const moved *m, size_t count, double step);

/* Fails unless |got - numeric| <= tolerance (1 + |numeric|) for each function at one of three
 * steps: a kink of relu or a knot of a spline may lie within one step, a wrong derivative is wrong
 * at all of them. */
__attribute__((format(printf, 5, 6))) void check_derivative(const double *got, const moved *m,
                                                            size_t count, double tolerance,
                                                            const char *text, ...);

#endif
