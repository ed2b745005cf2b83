/* flow/layer/spline.c -- monotone rational-quadratic splines on [-B, B] (rational_quadratic.h has the formulas
 * and their source). Outside the map is the identity, with slope 1 at both ends: h is K widths, K heights and K - 1 inner slopes. */
#include "flow/layer/rational_quadratic.h"
#include "flow/layer/transformer.h"

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
    self->slope_shift = slope_shift(self->min_slope);
}

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

static size_t spline_n_params(const void *options)
{
    return 3 * ((const spline *)options)->bins - 1;
}

static void spline_prepare(const void *options, real *h, size_t ld)
{
    prepare(h, shape_of(options), ld);
}

FLOW_INLINE int inside(real x, real bound)
{
    return x >= -bound && x <= bound;
}

static void forward_block(shape spec, real *y, double *logdet, const real *x, const real *h,
                          size_t ld)
{
    gathered g = {0};
    gather(&g, h, x, spec, ld, 0, 0);
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
    lane at, l;
    gather(&g, h, y, spec, ld, 1, 0);
    bins_inverse(at, l, &g, y, spec);
    for (size_t j = 0; j < T; j++) {
        int in = inside(y[j], spec.bound);
        x[j] = in ? at[j] : y[j];
        logdet[j] -= in ? (double)l[j] : 0.0;
    }
}

static void backward_block(shape spec, real *dx, real *dh, const real *dy, const real *dl,
                           const real *x, const real *h, size_t ld)
{
    gathered g = {0};
    bin_cotangents c;
    gather(&g, h, x, spec, ld, 0, 0);
    for (size_t j = 0; j < T; j++)
        dx[j] = bin_backward(&c, &g, spec, j, x[j], dy[j], dl[j], (real)inside(x[j], spec.bound));
    params_backward(dh, &c, &g, h, spec, ld, 0);
}

static void score_block(shape spec, real *out, real *dh, const real *a, const real *x,
                        const real *h, size_t ld)
{
    gathered g = {0};
    bin_cotangents c;
    gather(&g, h, x, spec, ld, 0, 0);
    for (size_t j = 0; j < T; j++) {
        real in = (real)inside(x[j], spec.bound);
        out[j] = solve_slope(&c, &g, spec, j, x[j], a[j], 1, in);
        bin_backward(&c, &g, spec, j, x[j], out[j], 1, in);
    }
    params_backward(dh, &c, &g, h, spec, ld, 0);
}

static void pull_inverse_block(shape spec, real *dy, real *dh, const real *dx, const real *dm,
                               const real *x, const real *h, size_t ld)
{
    gathered g = {0};
    bin_cotangents c;
    gather(&g, h, x, spec, ld, 0, 0);
    for (size_t j = 0; j < T; j++) {
        real in = (real)inside(x[j], spec.bound);
        dy[j] = solve_slope(&c, &g, spec, j, x[j], dx[j], dm[j], in);
        bin_backward(&c, &g, spec, j, x[j], -dy[j], -dm[j], in);
    }
    params_backward(dh, &c, &g, h, spec, ld, 0);
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
