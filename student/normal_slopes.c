#include "student/normal_slopes.h"

#include "student/covariance.h"

#include <string.h>

/* What is known on the way; all (D, D) but the means (D). */
typedef struct squares {
    size_t dim;
    double *c, *d, *p, *x, *slope;
} squares;

size_t normal_slopes_work(size_t dim)
{
    return dim * (3 * dim + 2);
}

static squares cut(double *work, size_t dim)
{
    size_t square = dim * dim;
    return (squares){.dim = dim,
                     .c = work,
                     .d = work + square,
                     .p = work + 2 * square,
                     .x = work + 3 * square,
                     .slope = work + 3 * square + dim};
}

/* d = cov(x, slope) */
static void cross(const squares *s, const double *x, const double *slopes, size_t n)
{
    size_t dim = s->dim;
    memset(s->d, 0, dim * dim * sizeof *s->d);
    for (size_t r = 0; r < n; r++)
        for (size_t i = 0; i < dim; i++)
            for (size_t j = 0; j < dim; j++)
                s->d[i * dim + j] +=
                    (x[r * dim + i] - s->x[i]) * (slopes[r * dim + j] - s->slope[j]) / (double)n;
}

/* d = c^-1 d, c being factorised: column j. */
static void solve(const squares *s, size_t j)
{
    size_t dim = s->dim;
    const double *l = s->c;
    for (size_t i = 0; i < dim; i++) {
        for (size_t k = 0; k < i; k++)
            s->d[i * dim + j] -= l[i * dim + k] * s->d[k * dim + j];
        s->d[i * dim + j] /= l[i * dim + i];
    }
    for (size_t i = dim; i-- > 0;) {
        for (size_t k = i + 1; k < dim; k++)
            s->d[i * dim + j] -= l[k * dim + i] * s->d[k * dim + j];
        s->d[i * dim + j] /= l[i * dim + i];
    }
}

/* c = P^-1, of P's factor in p. */
static void invert(const squares *s)
{
    size_t dim = s->dim;
    covariance_invert(s->p, dim);
    for (size_t i = 0; i < dim; i++)
        for (size_t j = 0; j < dim; j++) {
            double sum = 0;
            for (size_t k = i > j ? i : j; k < dim; k++)
                sum += s->p[k * dim + i] * s->p[k * dim + j];
            s->c[i * dim + j] = sum;
        }
}

static void set(double *mean, double *lower, const squares *s)
{
    size_t dim = s->dim;
    for (size_t i = 0; i < dim; i++) {
        mean[i] = s->x[i];
        for (size_t k = 0; k < dim; k++)
            mean[i] += s->d[i * dim + k] * s->slope[k];
    }
    memset(lower, 0, dim * dim * sizeof *lower);
    for (size_t i = 0; i < dim; i++)
        memcpy(lower + i * dim, s->c + i * dim, (i + 1) * sizeof *lower);
}

int normal_from_slopes(double *mean, double *lower, const double *x, const double *slopes, size_t n,
                       size_t dim, double *work)
{
    squares s = cut(work, dim);
    covariance_mean(s.x, x, n, dim);
    covariance_mean(s.slope, slopes, n, dim);
    covariance_of(s.c, s.x, x, n, dim, 1);
    cross(&s, x, slopes, n);
    if (covariance_factor(s.c, dim))
        return -1;
    for (size_t j = 0; j < dim; j++)
        solve(&s, j);
    memset(s.p, 0, dim * dim * sizeof *s.p);
    for (size_t i = 0; i < dim; i++)
        for (size_t j = 0; j <= i; j++)
            s.p[i * dim + j] = -0.5 * (s.d[i * dim + j] + s.d[j * dim + i]);
    if (covariance_factor(s.p, dim))
        return -1;
    invert(&s);
    memcpy(s.d, s.c, dim * dim * sizeof *s.d);
    if (covariance_factor(s.c, dim))
        return -1;
    set(mean, lower, &s);
    return 0;
}
