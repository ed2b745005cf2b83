/* flow/layer/additive.c -- y = x + h, the transformer of NICE (Dinh, Krueger & Bengio 2014). It keeps
 * volumes: log dy/dx = 0. No options. */
#include "flow/layer/transformer.h"

#include <string.h>

static size_t additive_n_params(const void *options)
{
    (void)options;
    return 1;
}

static void additive_forward(const void *options, real *y, double *logdet, const real *x,
                             const real *h, size_t ld)
{
    (void)options, (void)logdet;
    for (size_t j = 0; j < ld; j++)
        y[j] = x[j] + h[j];
}

static void additive_inverse(const void *options, real *x, double *logdet, const real *y,
                             const real *h, size_t ld)
{
    (void)options, (void)logdet;
    for (size_t j = 0; j < ld; j++)
        x[j] = y[j] - h[j];
}

/* dx = dy, dh = dy */
static void additive_backward(const void *options, real *dx, real *dh, const real *dy,
                              const real *dl, const real *x, const real *h, size_t ld)
{
    (void)options, (void)dl, (void)x, (void)h;
    memcpy(dx, dy, ld * sizeof *dx);
    memcpy(dh, dy, ld * sizeof *dh);
}

/* g = a, dh = g */
static void additive_score(const void *options, real *g, real *dh, const real *a, const real *x,
                           const real *h, size_t ld)
{
    (void)options, (void)x, (void)h;
    memcpy(g, a, ld * sizeof *g);
    memcpy(dh, a, ld * sizeof *dh);
}

/* dy = dx, dh = -dx */
static void additive_pull_inverse(const void *options, real *dy, real *dh, const real *dx,
                                  const real *dm, const real *x, const real *h, size_t ld)
{
    (void)options, (void)dm, (void)x, (void)h;
    memcpy(dy, dx, ld * sizeof *dy);
    for (size_t j = 0; j < ld; j++)
        dh[j] = -dx[j];
}

const transformer FLOW_NAME(transformer_additive) = {
    .kind = {.name = "additive", .doc = "shift alone: keeps volumes, bends least"},
    .n_params = additive_n_params,
    .forward = additive_forward,
    .inverse = additive_inverse,
    .backward = additive_backward,
    .score = additive_score,
    .pull_inverse = additive_pull_inverse,
};
