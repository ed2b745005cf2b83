/* flow/layer/affine.c -- y = x e^s + m, the transformer of MAF and IAF (Papamakarios 2017; Kingma
 * 2016). The log-scale is softly bounded, s = u / (1 + |u| / c): a bounded smooth map, 0 with slope
 * 1 at u = 0, so that no output of a network can overflow the exponential. h = (m, u). */
#include "flow/layer/transformer.h"
#include "flow/layer/vmath.h"

typedef struct affine {
    double scale_bound; /* c */
} affine;

static real inverse_bound(const void *options)
{
    return (real)(1 / ((const affine *)options)->scale_bound);
}

static size_t affine_n_params(const void *options)
{
    (void)options;
    return 2;
}

FLOW_INLINE real log_scale(real u, real inv_c)
{
    return u / ((real)1 + vm_abs(u) * inv_c);
}

FLOW_INLINE real log_scale_slope(real u, real inv_c)
{
    real r = (real)1 / ((real)1 + vm_abs(u) * inv_c);
    return r * r;
}

static void affine_forward(const void *options, real *y, double *logdet, const real *x,
                           const real *h, size_t ld)
{
    const real *m = h, *u = h + ld, inv_c = inverse_bound(options);
    for (size_t j = 0; j < ld; j++) {
        real s = log_scale(u[j], inv_c);
        y[j] = x[j] * vm_exp(s) + m[j];
        logdet[j] += (double)s;
    }
}

static void affine_inverse(const void *options, real *x, double *logdet, const real *y,
                           const real *h, size_t ld)
{
    const real *m = h, *u = h + ld, inv_c = inverse_bound(options);
    for (size_t j = 0; j < ld; j++) {
        real s = log_scale(u[j], inv_c);
        x[j] = (y[j] - m[j]) * vm_exp(-s);
        logdet[j] -= (double)s;
    }
}

/* restrict: or the many arrays would have to be told apart at run time, and the loop not vectorise. */
static void affine_backward(const void *options, real *restrict dx, real *restrict dh,
                            const real *restrict dy, const real *restrict dl,
                            const real *restrict x, const real *restrict h, size_t ld)
{
    const real *u = h + ld, inv_c = inverse_bound(options);
    real *dm = dh, *du = dh + ld;
    for (size_t j = 0; j < ld; j++) {
        real scaled = dy[j] * vm_exp(log_scale(u[j], inv_c)); /* dy e^s */
        dx[j] = scaled;
        dm[j] = dy[j];
        du[j] = (scaled * x[j] + dl[j]) * log_scale_slope(u[j], inv_c);
    }
}

static void affine_score(const void *options, real *restrict g, real *restrict dh,
                         const real *restrict a, const real *restrict x, const real *restrict h,
                         size_t ld)
{
    const real *u = h + ld, inv_c = inverse_bound(options);
    real *dm = dh, *du = dh + ld;
    for (size_t j = 0; j < ld; j++) {
        real score = a[j] * vm_exp(-log_scale(u[j], inv_c));
        g[j] = score;
        dm[j] = score;
        du[j] = (a[j] * x[j] + (real)1) * log_scale_slope(u[j], inv_c); /* g x e^s = a x */
    }
}

static void affine_pull_inverse(const void *options, real *restrict dy, real *restrict dh,
                                const real *restrict dx, const real *restrict dm,
                                const real *restrict x, const real *restrict h, size_t ld)
{
    const real *u = h + ld, inv_c = inverse_bound(options);
    real *dshift = dh, *du = dh + ld;
    for (size_t j = 0; j < ld; j++) {
        real back = dx[j] * vm_exp(-log_scale(u[j], inv_c)); /* dx e^-s */
        dy[j] = back;
        dshift[j] = -back;
        du[j] = -(dx[j] * x[j] + dm[j]) * log_scale_slope(u[j], inv_c); /* back x e^s = dx x */
    }
}

static const flow_key affine_keys[] = {
    {FLOW_KEY(affine, scale_bound), .type = FLOW_KEY_REAL, .min = 0.1, .max = 20, .def = "3",
     .unit = "nats",
     .doc = "Soft bound of the log of a layer's scale: it stays between -scale_bound and "
            "scale_bound."},
    {.name = NULL}};

const transformer FLOW_NAME(transformer_affine) = {
    .kind = {.name = "affine",
             .doc = "shift and scale: fast, one bump per layer and coordinate",
             .keys = affine_keys,
             .size = sizeof(affine)},
    .n_params = affine_n_params,
    .forward = affine_forward,
    .inverse = affine_inverse,
    .backward = affine_backward,
    .score = affine_score,
    .pull_inverse = affine_pull_inverse,
};
