/* flow/layer/spline.c -- monotone rational-quadratic splines (Durkan, Bekasov, Murray, Papamakarios
 * 2019, "Neural Spline Flows", equations 4-8; Gregory & Delbourgo 1982).
 *
 * K bins tile [-B, B] on both axes; outside the map is the identity, with slope 1 at both ends. The
 * parameters h are K widths, K heights (softmax, floored) and K - 1 inner slopes (softplus,
 * floored, 1 at h = 0). In a bin of width w, height v, slope s = v / w, end slopes d0, d1, with t =
 * (x - x_k) / w, q = t (1 - t):
 *
 *   den = s + (d0 + d1 - 2 s) q,   num = s t^2 + d0 q,   y = y_k + v num / den
 *   N   = d1 t^2 + 2 s q + d0 (1 - t)^2,   dy/dx = s^2 N / den^2
 *
 * The inverse solves the quadratic by the root that does not cancel, its discriminant clamped at 0.
 * Samples are taken FLOW_PAD at a time: one such block is the unit of every loop. */
#include "flow/layer/transformer.h"
#include "flow/layer/vmath.h"

#include <math.h>

enum { T = FLOW_PAD };

typedef struct spline {
    size_t bins;      /* K */
    double bound;     /* B */
    double min_share; /* of a bin in the width or height of [-B, B] */
    double min_slope;
    double slope_shift; /* softplus(slope_shift) = 1 - min_slope */
} spline;

static void derive(void *options)
{
    spline *self = options;
    self->slope_shift = log(exp(1 - self->min_slope) - 1);
}

/* The same in the precision of the network. */
typedef struct shape {
    size_t bins;
    real bound, count, min_share, min_slope, slope_shift; /* count: bins */
} shape;

FLOW_INLINE shape shape_of(const void *options)
{
    const spline *self = options;
    return (shape){.bins = self->bins,
                   .bound = (real)self->bound,
                   .count = (real)self->bins,
                   .min_share = (real)self->min_share,
                   .min_slope = (real)self->min_slope,
                   .slope_shift = (real)self->slope_shift};
}

typedef real lane[T];

/* What one block needs of its T splines, gathered at the bin of each sample. */
typedef struct gathered {
    lane xk, yk, w, v; /* lower corner, width, height */
    lane u0, u1;       /* raw inner slopes at the ends */
    lane edge0, edge1; /* 1 where that end is an end of [-B, B], whose slope is fixed at 1 */
    lane bin;          /* its index */
} gathered;

static size_t spline_n_params(const void *options)
{
    return 3 * ((const spline *)options)->bins - 1;
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
            real e = vm_exp(h[k * ld + j] - top[j]);
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
static void spline_prepare(const void *options, real *h, size_t ld)
{
    const shape spec = shape_of(options);
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
static void gather(gathered *g, const real *h, const real *at, shape spec, size_t ld, int by_y)
{
    const real *width = h, *height = h + spec.bins * ld, *slopes = h + 2 * spec.bins * ld;
    const real bound = spec.bound;
    lane x, y;
    for (size_t j = 0; j < T; j++)
        x[j] = y[j] = -bound;
    for (size_t k = 0; k < spec.bins; k++) {
        const real *u0 = slopes + (k == 0 ? 0 : k - 1) * ld;
        const real *u1 = slopes + (k + 1 == spec.bins ? (k == 0 ? 0 : k - 1) : k) * ld;
        const real first = k == 0, last = k + 1 == spec.bins;
        for (size_t j = 0; j < T; j++) {
            real w = extent(width[k * ld + j], spec);
            real v = extent(height[k * ld + j], spec);
            int here = first != 0 || at[j] >= (by_y ? y[j] : x[j]);
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

FLOW_INLINE int inside(real x, real bound)
{
    return x >= -bound && x <= bound;
}

/* log dy/dx at t. */
FLOW_INLINE real log_slope(real t, real s, real d0, real d1)
{
    real q = t * (1 - t), den = s + (d0 + d1 - 2 * s) * q;
    real n = d1 * t * t + 2 * s * q + d0 * (1 - t) * (1 - t), r = s / den;
    return vm_log(r * r * n);
}

static void forward_block(shape spec, real *y, double *logdet, const real *x, const real *h,
                          size_t ld)
{
    gathered g = {0};
    gather(&g, h, x, spec, ld, 0);
    const real bound = spec.bound;
    for (size_t j = 0; j < T; j++) {
        real d0 = end_slope(g.u0[j], g.edge0[j], spec), d1 = end_slope(g.u1[j], g.edge1[j], spec);
        real s = g.v[j] / g.w[j], t = (x[j] - g.xk[j]) / g.w[j], q = t * (1 - t);
        real out = g.yk[j] + g.v[j] * (s * t * t + d0 * q) / (s + (d0 + d1 - 2 * s) * q);
        int in = inside(x[j], bound);
        y[j] = in ? out : x[j];
        logdet[j] += in ? (double)log_slope(t, s, d0, d1) : 0.0;
    }
}

static void inverse_block(shape spec, real *x, double *logdet, const real *y, const real *h,
                          size_t ld)
{
    gathered g = {0};
    gather(&g, h, y, spec, ld, 1);
    const real bound = spec.bound;
    lane d0, d1, root;
    for (size_t j = 0; j < T; j++) {
        d0[j] = end_slope(g.u0[j], g.edge0[j], spec);
        d1[j] = end_slope(g.u1[j], g.edge1[j], spec);
    }
    for (size_t j = 0; j < T; j++) {
        real s = g.v[j] / g.w[j], rise = y[j] - g.yk[j], bend = d0[j] + d1[j] - 2 * s;
        real a = g.v[j] * (s - d0[j]) + rise * bend, b = g.v[j] * d0[j] - rise * bend;
        real c = -s * rise, disc = b * b - 4 * a * c;
        root[j] = 2 * c / (-b - vm_sqrt(disc > 0 ? disc : 0));
    }
    for (size_t j = 0; j < T; j++) {
        real l = log_slope(root[j], g.v[j] / g.w[j], d0[j], d1[j]);
        real from = y[j], at = g.xk[j] + root[j] * g.w[j];
        int in = inside(from, bound);
        x[j] = in ? at : from;
        logdet[j] -= in ? (double)l : 0.0;
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

/* dh of one axis: the corner at bin b moves with every extent before b; then through the softmax.
 */
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

/* Inner slope k ends bin k and begins bin k + 1. */
static void slopes_backward(real *restrict dh, const real *restrict u0, const real *restrict u1,
                            const real *restrict bin, size_t bins, size_t ld)
{
    for (size_t k = 0; k + 1 < bins; k++) {
        const real kk = (real)k, next = (real)(k + 1);
        for (size_t j = 0; j < T; j++)
            dh[k * ld + j] = (bin[j] == kk ? u1[j] : 0) + (bin[j] == next ? u0[j] : 0);
    }
}

static void params_backward(real *dh, const bin_cotangents *c, const gathered *g, const real *h,
                            shape spec, size_t ld)
{
    size_t heights = spec.bins * ld;
    axis_backward(dh, h, c->xk, c->w, g->bin, spec, ld);
    axis_backward(dh + heights, h + heights, c->yk, c->v, g->bin, spec, ld);
    slopes_backward(dh + 2 * heights, c->u0, c->u1, g->bin, spec.bins, ld);
}

static void backward_block(shape spec, real *dx, real *dh, const real *dy, const real *dl,
                           const real *x, const real *h, size_t ld)
{
    gathered g = {0};
    bin_cotangents c;
    gather(&g, h, x, spec, ld, 0);
    for (size_t j = 0; j < T; j++)
        dx[j] = bin_backward(&c, &g, spec, j, x[j], dy[j], dl[j], (real)inside(x[j], spec.bound));
    params_backward(dh, &c, &g, h, spec, ld);
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

static void score_block(shape spec, real *out, real *dh, const real *a, const real *x,
                        const real *h, size_t ld)
{
    gathered g = {0};
    bin_cotangents c;
    gather(&g, h, x, spec, ld, 0);
    for (size_t j = 0; j < T; j++) {
        real in = (real)inside(x[j], spec.bound);
        out[j] = solve_slope(&c, &g, spec, j, x[j], a[j], 1, in);
        bin_backward(&c, &g, spec, j, x[j], out[j], 1, in);
    }
    params_backward(dh, &c, &g, h, spec, ld);
}

static void pull_inverse_block(shape spec, real *dy, real *dh, const real *dx, const real *dm,
                               const real *x, const real *h, size_t ld)
{
    gathered g = {0};
    bin_cotangents c;
    gather(&g, h, x, spec, ld, 0);
    for (size_t j = 0; j < T; j++) {
        real in = (real)inside(x[j], spec.bound);
        dy[j] = solve_slope(&c, &g, spec, j, x[j], dx[j], dm[j], in);
        bin_backward(&c, &g, spec, j, x[j], -dy[j], -dm[j], in);
    }
    params_backward(dh, &c, &g, h, spec, ld);
}

static void spline_forward(const void *options, real *y, double *logdet, const real *x,
                           const real *h, size_t ld)
{
    const shape spec = shape_of(options);
    for (size_t j = 0; j < ld; j += T)
        forward_block(spec, y + j, logdet + j, x + j, h + j, ld);
}

static void spline_inverse(const void *options, real *x, double *logdet, const real *y,
                           const real *h, size_t ld)
{
    const shape spec = shape_of(options);
    for (size_t j = 0; j < ld; j += T)
        inverse_block(spec, x + j, logdet + j, y + j, h + j, ld);
}

static void spline_backward(const void *options, real *dx, real *dh, const real *dy, const real *dl,
                            const real *x, const real *h, size_t ld)
{
    const shape spec = shape_of(options);
    for (size_t j = 0; j < ld; j += T)
        backward_block(spec, dx + j, dh + j, dy + j, dl + j, x + j, h + j, ld);
}

static void spline_score(const void *options, real *g, real *dh, const real *a, const real *x,
                         const real *h, size_t ld)
{
    const shape spec = shape_of(options);
    for (size_t j = 0; j < ld; j += T)
        score_block(spec, g + j, dh + j, a + j, x + j, h + j, ld);
}

static void spline_pull_inverse(const void *options, real *dy, real *dh, const real *dx,
                                const real *dm, const real *x, const real *h, size_t ld)
{
    const shape spec = shape_of(options);
    for (size_t j = 0; j < ld; j += T)
        pull_inverse_block(spec, dy + j, dh + j, dx + j, dm + j, x + j, h + j, ld);
}

static const flow_key spline_keys[] = {
    {FLOW_KEY(spline, bins), .type = FLOW_KEY_WHOLE, .min = 2, .max = 64, .def = "8",
     .doc = "Pieces of the spline."},
    {FLOW_KEY(spline, bound), .type = FLOW_KEY_REAL, .min = 0.1, .max = 1000, .def = "5",
     .unit = "standard deviations of the data",
     .doc = "The spline bends between -bound and bound and is the identity outside."},
    {FLOW_KEY(spline, min_share), .type = FLOW_KEY_REAL, .flags = FLOW_KEY_OPEN_MIN, .min = 0,
     .max = 0.01, .def = "0.001", .unit = "share of the box",
     .doc = "Least width and height of a piece."},
    {FLOW_KEY(spline, min_slope), .type = FLOW_KEY_REAL, .flags = FLOW_KEY_OPEN_MIN, .min = 0,
     .max = 0.5, .def = "0.001", .doc = "Least slope where two pieces meet."},
    {.name = NULL}};

const transformer FLOW_NAME(transformer_spline) = {
    .kind = {.name = "spline",
             .doc = "monotone rational-quadratic spline: sharp edges, several modes",
             .keys = spline_keys,
             .size = sizeof(spline),
             .derive = derive},
    .n_params = spline_n_params,
    .prepare = spline_prepare,
    .forward = spline_forward,
    .inverse = spline_inverse,
    .backward = spline_backward,
    .score = spline_score,
    .pull_inverse = spline_pull_inverse,
};
