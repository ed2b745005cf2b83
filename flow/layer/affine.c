/* flow/layer/affine.c -- y = x e^s + m, the transformer of MAF and IAF (Papamakarios 2017; Kingma
 * 2016). The log-scale is softly bounded, s = u / (1 + |u| / c): a bounded smooth map, 0 with slope
 * 1 at u = 0, so that no output of a network can overflow the exponential. h = (m, u). */
#include "flow/layer/transformer.h"
#include "flow/layer/vmath.h"

static size_t affine_n_params(const transformer_spec *spec)
{
    (void)spec;
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

static void affine_forward(const transformer_spec *spec, real *y, double *logdet, const real *x,
                           const real *h, size_t ld)
{
    const real *m = h, *u = h + ld, inv_c = (real)(1 / spec->scale_bound);
    for (size_t j = 0; j < ld; j++) {
        real s = log_scale(u[j], inv_c);
        y[j] = x[j] * vm_exp(s) + m[j];
        logdet[j] += (double)s;
    }
}

static void affine_inverse(const transformer_spec *spec, real *x, double *logdet, const real *y,
                           const real *h, size_t ld)
{
    const real *m = h, *u = h + ld, inv_c = (real)(1 / spec->scale_bound);
    for (size_t j = 0; j < ld; j++) {
        real s = log_scale(u[j], inv_c);
        x[j] = (y[j] - m[j]) * vm_exp(-s);
        logdet[j] -= (double)s;
    }
}

/* restrict: or the many arrays would have to be told apart at run time, and the loop not vectorise. */
static void affine_backward(const transformer_spec *spec, real *restrict dx, real *restrict dh,
                            const real *restrict dy, const real *restrict dl,
                            const real *restrict x, const real *restrict h, size_t ld)
{
    const real *u = h + ld, inv_c = (real)(1 / spec->scale_bound);
    real *dm = dh, *du = dh + ld;
    for (size_t j = 0; j < ld; j++) {
        real scaled = dy[j] * vm_exp(log_scale(u[j], inv_c)); /* dy e^s */
        dx[j] = scaled;
        dm[j] = dy[j];
        du[j] = (scaled * x[j] + dl[j]) * log_scale_slope(u[j], inv_c);
    }
}

static void affine_score(const transformer_spec *spec, real *restrict g, real *restrict dh,
                         const real *restrict a, const real *restrict x, const real *restrict h,
                         size_t ld)
{
    const real *u = h + ld, inv_c = (real)(1 / spec->scale_bound);
    real *dm = dh, *du = dh + ld;
    for (size_t j = 0; j < ld; j++) {
        real score = a[j] * vm_exp(-log_scale(u[j], inv_c));
        g[j] = score;
        dm[j] = score;
        du[j] = (a[j] * x[j] + (real)1) * log_scale_slope(u[j], inv_c); /* g x e^s = a x */
    }
}

const transformer transformer_affine = {
    .name = "affine",
    .doc = "y = x e^s + m with |s| < scale_bound",
    .keys = "scale_bound",
    .n_params = affine_n_params,
    .forward = affine_forward,
    .inverse = affine_inverse,
    .backward = affine_backward,
    .score = affine_score,
};
