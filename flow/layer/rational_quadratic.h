/* flow/layer/rational_quadratic.h -- the pieces that monotone rational-quadratic splines are made of: what
 * spline.c, on an interval of the line, and circular_spline.c have in common (Durkan, Bekasov, Murray,
 * Papamakarios 2019, "Neural Spline Flows", equations 4-8; Gregory & Delbourgo 1982).
 *
 * K bins tile [-B, B] on both axes. The parameters h are K widths, K heights (softmax, floored) and slopes
 * (softplus, floored, 1 at h = 0), as raw numbers. In a bin of width w, height v, slope s = v / w, end slopes d0,
 * d1, with t = (x - x_k) / w, q = t (1 - t):
 *
 *   den = s + (d0 + d1 - 2 s) q,   num = s t^2 + d0 q,   y = y_k + v num / den
 *   N   = d1 t^2 + 2 s q + d0 (1 - t)^2,   dy/dx = s^2 N / den^2
 *
 * The inverse solves the quadratic by the root that does not cancel, its discriminant clamped at 0.
 * Samples are taken FLOW_PAD at a time: one such block is the unit of every loop.
 *
 * `closed` is a constant where these are called. 0: there are K - 1 slopes, between the bins, and the slope at both
 * ends is 1. 1: there are K, slope k where bin k begins; the last bin ends with the first one's. */
#ifndef FLOW_LAYER_RATIONAL_QUADRATIC_H
#define FLOW_LAYER_RATIONAL_QUADRATIC_H

#include "flow/layer/real.h"
#include "flow/layer/vmath.h"

#include <math.h>

enum { T = FLOW_PAD };

/* The numbers of a spline, in the precision of the network. */
typedef struct shape {
    size_t bins;
    real bound, count, min_share, min_slope, slope_shift; /* count: bins */
} shape;

/* softplus(slope_shift) = 1 - min_slope */
static inline double slope_shift(double min_slope)
{
    return log(exp(1 - min_slope) - 1);
}

typedef real lane[T];

/* What one block needs of its T splines, gathered at the bin of each sample. */
typedef struct gathered {
    lane xk, yk, w, v; /* lower corner, width, height */
    lane u0, u1;       /* raw inner slopes at the ends */
    lane edge0, edge1; /* 1 where that end is one of [-B, B] and not closed: its slope is 1 */
    lane bin;          /* its index */
} gathered;

/* For shares, which are what they are once they are there: around a network that is rounded, some 1e-6 will do. */
FLOW_INLINE real share_exp(real x)
{
#if FLOW_ROUNDS
    return vm_exp_rough(x);
#else
    return vm_exp(x);
#endif
}

/* h (bins, ld) of one block becomes its softmax over the bins. */
static void softmax(real *h, size_t bins, size_t ld)
{
    lane top, sum = {0};
    for (size_t j = 0; j < T; j++)
        top[j] = h[j];
    for (size_t k = 1; k < bins; k++)
        for (size_t j = 0; j < T; j++)
            top[j] = h[k * ld + j] > top[j] ? h[k * ld + j] : top[j];
    for (size_t k = 0; k < bins; k++)
        for (size_t j = 0; j < T; j++) {
            real e = share_exp(h[k * ld + j] - top[j]);
            h[k * ld + j] = e;
            sum[j] += e;
        }
    for (size_t j = 0; j < T; j++)
        sum[j] = (real)1 / sum[j];
    for (size_t k = 0; k < bins; k++)
        for (size_t j = 0; j < T; j++)
            h[k * ld + j] *= sum[j];
}

/* Widths and heights become shares of [-B, B]; slopes stay raw, since two of them are enough. */
FLOW_INLINE void prepare(real *h, shape spec, size_t ld)
{
    for (size_t j = 0; j < ld; j += T) {
        softmax(h + j, spec.bins, ld);
        softmax(h + spec.bins * ld + j, spec.bins, ld);
    }
}

/* The length on an axis of a bin of share p. */
FLOW_INLINE real extent(real p, shape spec)
{
    return 2 * spec.bound * (spec.min_share + (1 - spec.min_share * spec.count) * p);
}

/* Walks the bins; `by_y` searches on the y axis (inverse), else on the x axis. */
static void gather(gathered *g, const real *h, const real *at, shape spec, size_t ld, int by_y,
                   int closed)
{
    const real *width = h, *height = h + spec.bins * ld, *slopes = h + 2 * spec.bins * ld;
    const real bound = spec.bound;
    lane x, y;
    for (size_t j = 0; j < T; j++)
        x[j] = y[j] = -bound;
    for (size_t k = 0; k < spec.bins; k++) {
        const int begins = k == 0, ends = k + 1 == spec.bins;
        const size_t before = begins ? 0 : k - 1,
                     after = ends ? before : k; /* a harmless one at an end */
        const real *u0 = slopes + (closed ? k : before) * ld;
        const real *u1 = slopes + (closed ? (ends ? 0 : k + 1) : after) * ld;
        const real first = begins && !closed, last = ends && !closed;
        for (size_t j = 0; j < T; j++) {
            real w = extent(width[k * ld + j], spec);
            real v = extent(height[k * ld + j], spec);
            int here = begins || at[j] >= (by_y ? y[j] : x[j]);
            g->xk[j] = here ? x[j] : g->xk[j];
            g->yk[j] = here ? y[j] : g->yk[j];
            g->w[j] = here ? w : g->w[j];
            g->v[j] = here ? v : g->v[j];
            g->u0[j] = here ? u0[j] : g->u0[j];
            g->u1[j] = here ? u1[j] : g->u1[j];
            g->edge0[j] = here ? first : g->edge0[j];
            g->edge1[j] = here ? last : g->edge1[j];
            g->bin[j] = here ? (real)k : g->bin[j];
            x[j] += w;
            y[j] += v;
        }
    }
}

FLOW_INLINE real end_slope(real raw, real edge, shape spec)
{
    return edge != 0 ? (real)1 : spec.min_slope + vm_softplus(raw + spec.slope_shift);
}

/* log dy/dx at t. */
FLOW_INLINE real log_slope(real t, real s, real d0, real d1)
{
    real q = t * (1 - t), den = s + (d0 + d1 - 2 * s) * q;
    real n = d1 * t * t + 2 * s * q + d0 * (1 - t) * (1 - t), r = s / den;
    return vm_log(r * r * n);
}

/* x (T) with these y, and the log-slopes there. */
FLOW_INLINE void bins_inverse(lane x, lane l, const gathered *g, const real *y, shape spec)
{
    lane d0, d1, root;
    for (size_t j = 0; j < T; j++) {
        d0[j] = end_slope(g->u0[j], g->edge0[j], spec);
        d1[j] = end_slope(g->u1[j], g->edge1[j], spec);
    }
    for (size_t j = 0; j < T; j++) {
        real s = g->v[j] / g->w[j], rise = y[j] - g->yk[j], bend = d0[j] + d1[j] - 2 * s;
        real a = g->v[j] * (s - d0[j]) + rise * bend, b = g->v[j] * d0[j] - rise * bend;
        real c = -s * rise, disc = b * b - 4 * a * c;
        root[j] = 2 * c / (-b - vm_sqrt(disc > 0 ? disc : 0));
    }
    for (size_t j = 0; j < T; j++) {
        l[j] = log_slope(root[j], g->v[j] / g->w[j], d0[j], d1[j]);
        x[j] = g->xk[j] + root[j] * g->w[j];
    }
}

/* Cotangents of what a bin is made of. */
typedef struct bin_cotangents {
    lane xk, yk, w, v, u0, u1;
} bin_cotangents;

/* From the cotangents dy of y and dl of l at one sample: those of x and of the bin. */
FLOW_INLINE real bin_backward(bin_cotangents *c, const gathered *g, shape spec, size_t j, real x,
                              real dy, real dl, real in)
{
    real r0 = g->u0[j] + spec.slope_shift, r1 = g->u1[j] + spec.slope_shift;
    real d0 = end_slope(g->u0[j], g->edge0[j], spec), d1 = end_slope(g->u1[j], g->edge1[j], spec);
    real inv_w = 1 / g->w[j], v = g->v[j], s = v * inv_w, t = (x - g->xk[j]) * inv_w;
    t = in != 0 ? t : (real)0.5; /* a harmless place; the result is not used */
    real p = 1 - t, q = t * p, bend = d0 + d1 - 2 * s, turn = 1 - 2 * t;
    real inv_den = 1 / (s + bend * q), num = s * t * t + d0 * q;
    real inv_n = 1 / (d1 * t * t + 2 * s * q + d0 * p * p);
    real dnum = dy * v * inv_den;                 /* dL/dnum */
    real dden = -(dnum * num + 2 * dl) * inv_den; /* dL/dden */
    real dn = dl * inv_n;                         /* dL/dN */
    real ds = dnum * t * t + dden * (1 - 2 * q) + dn * 2 * q + 2 * dl / s;
    real dt =
        dnum * (2 * s * t + d0 * turn) + dden * bend * turn + dn * 2 * (d1 * t + s * turn - d0 * p);
    real dd0 = dnum * q + dden * q + dn * p * p, dd1 = dden * q + dn * t * t;
    real dx = dt * inv_w;
    c->xk[j] = -dx * in;
    c->yk[j] = dy * in;
    c->w[j] = -(dt * t + ds * s) * inv_w * in;
    c->v[j] = (dy * num * inv_den + ds * inv_w) * in;
    c->u0[j] = g->edge0[j] != 0 ? 0 : dd0 * vm_sigmoid(r0) * in;
    c->u1[j] = g->edge1[j] != 0 ? 0 : dd1 * vm_sigmoid(r1) * in;
    return in != 0 ? dx : dy;
}

/* dh of one axis: the corner at bin b moves with every extent before b; then through the softmax. */
static void axis_backward(real *restrict dh, const real *restrict p, const real *restrict corner,
                          const real *restrict ext, const real *restrict bin, shape spec, size_t ld)
{
    const real gain = 2 * spec.bound * (1 - spec.min_share * spec.count);
    lane mean = {0};
    for (size_t k = 0; k < spec.bins; k++)
        for (size_t j = 0; j < T; j++) {
            real kk = (real)k;
            real d = gain * (kk < bin[j] ? corner[j] : (kk == bin[j] ? ext[j] : 0));
            dh[k * ld + j] = d;
            mean[j] += p[k * ld + j] * d;
        }
    for (size_t k = 0; k < spec.bins; k++)
        for (size_t j = 0; j < T; j++)
            dh[k * ld + j] = p[k * ld + j] * (dh[k * ld + j] - mean[j]);
}

/* Slope k ends a bin and begins the next one: bins k and k + 1, or, closed, k - 1 and k. */
static void slopes_backward(real *restrict dh, const real *restrict u0, const real *restrict u1,
                            const real *restrict bin, size_t bins, size_t ld, int closed)
{
    for (size_t k = 0; k + !closed < bins; k++) {
        const real ended = (real)(!closed ? k : k == 0 ? bins - 1 : k - 1);
        const real begun = (real)(closed ? k : k + 1);
        for (size_t j = 0; j < T; j++)
            dh[k * ld + j] = (bin[j] == ended ? u1[j] : 0) + (bin[j] == begun ? u0[j] : 0);
    }
}

/* dh of all shares and slopes from what the bins are owed. */
static void params_backward(real *dh, const bin_cotangents *c, const gathered *g, const real *h,
                            shape spec, size_t ld, int closed)
{
    size_t heights = spec.bins * ld;
    axis_backward(dh, h, c->xk, c->w, g->bin, spec, ld);
    axis_backward(dh + heights, h + heights, c->yk, c->v, g->bin, spec, ld);
    slopes_backward(dh + 2 * heights, c->u0, c->u1, g->bin, spec.bins, ld, closed);
}

/* (a - m dl/dx) / (dy/dx) at one sample. */
FLOW_INLINE real solve_slope(bin_cotangents *c, const gathered *g, shape spec, size_t j, real x,
                             real a, real m, real in)
{
    real d0 = end_slope(g->u0[j], g->edge0[j], spec), d1 = end_slope(g->u1[j], g->edge1[j], spec);
    real s = g->v[j] / g->w[j], t = (x - g->xk[j]) / g->w[j];
    real dl_dx = bin_backward(c, g, spec, j, x, 0, 1, in);
    real slope = in != 0 ? vm_exp(log_slope(t, s, d0, d1)) : 1;
    return in != 0 ? (a - m * dl_dx) / slope : a;
}

#endif
