/* flow/layer/circular_spline.c -- monotone rational-quadratic splines of the circle onto itself (Rezende,
 * Papamakarios, Racaniere, Albergo, Kanwar, Shanahan & Cranmer 2020, "Normalizing Flows on Tori and Spheres",
 * section 2.1.2 and equation 10), in radians:
 *
 *   y = f(x) + phi,   f a spline of [-pi, pi] (rational_quadratic.h) with the same slope at both ends
 *
 * and phi a rotation, without which -pi would stay where it is. It is the angle of the point (1 + a, b): a network
 * that sees another angle as cosine and sine can turn this one along with it, all the way round, which it could
 * not if phi were one number, for that would have to jump. h is K widths, K heights, K slopes, a and b.
 *
 * A point of the circle is any of the numbers that are whole turns apart. So the map is written for all of
 * them: an x that is k turns away from [-pi, pi] goes k turns away from f there. That is an increasing
 * map of the line with f(x + 2 pi) = f(x) + 2 pi; it has an inverse, differences and log-slopes like any other,
 * and nothing jumps at the seam. */
#include "flow/layer/rational_quadratic.h"
#include "flow/layer/transformer.h"

typedef struct circular_spline {
    size_t bins;      /* K */
    double min_share; /* of a bin in the width or height of the circle */
    double min_slope;
    double slope_shift;
} circular_spline;

static void derive(void *options)
{
    circular_spline *self = options;
    self->slope_shift = slope_shift(self->min_slope);
}

FLOW_INLINE shape shape_of(const void *options)
{
    const circular_spline *self = options;
    return (shape){.bins = self->bins,
                   .bound = VM_PI,
                   .count = (real)self->bins,
                   .min_share = (real)self->min_share,
                   .min_slope = (real)self->min_slope,
                   .slope_shift = (real)self->slope_shift};
}

static size_t circular_spline_n_params(const void *options)
{
    return 3 * ((const circular_spline *)options)->bins + 2;
}

static void circular_spline_prepare(const void *options, real *h, size_t ld)
{
    prepare(h, shape_of(options), ld);
}

/* The rotation of sample j; its parameters are behind the spline's. */
FLOW_INLINE real rotation(const real *h, shape spec, size_t ld, size_t j)
{
    const real *a = h + 3 * spec.bins * ld, *b = a + ld;
    return vm_angle(1 + a[j], b[j]);
}

/* da, db from dphi: that moves along the circle by 1 / radius. The larger of both is taken out of the radius, so
 * that nothing overflows. */
FLOW_INLINE void rotation_backward(real *dh, const real *h, real dphi, shape spec, size_t ld,
                                   size_t j)
{
    const real *a = h + 3 * spec.bins * ld, *b = a + ld;
    real c = 1 + a[j], s = b[j], ac = vm_abs(c), as = vm_abs(s);
    real size = ac > as ? ac : as;
    size = size > 0 ? size : 1;
    c /= size;
    s /= size;
    real square = c * c + s * s, d = dphi / (size * (square > 0 ? square : 1));
    dh[3 * spec.bins * ld + j] = -d * s;
    dh[3 * spec.bins * ld + ld + j] = d * c;
}

/* Within a turn, and the turns. */
FLOW_INLINE void turn(lane at, lane turned, const real *x)
{
    for (size_t j = 0; j < T; j++)
        at[j] = vm_turn(x[j], &turned[j]);
}

static void forward_block(shape spec, real *y, double *logdet, const real *x, const real *h,
                          size_t ld)
{
    gathered g = {0};
    lane at, turned;
    turn(at, turned, x);
    gather(&g, h, at, spec, ld, 0, 1);
    for (size_t j = 0; j < T; j++) {
        real d0 = end_slope(g.u0[j], 0, spec), d1 = end_slope(g.u1[j], 0, spec);
        real s = g.v[j] / g.w[j], t = (at[j] - g.xk[j]) / g.w[j], q = t * (1 - t);
        real out = g.yk[j] + g.v[j] * (s * t * t + d0 * q) / (s + (d0 + d1 - 2 * s) * q);
        y[j] = turned[j] + (out + rotation(h, spec, ld, j));
        logdet[j] += (double)log_slope(t, s, d0, d1);
    }
}

static void inverse_block(shape spec, real *x, double *logdet, const real *y, const real *h,
                          size_t ld)
{
    gathered g = {0};
    lane back, at, turned, l;
    for (size_t j = 0; j < T; j++)
        back[j] = y[j] - rotation(h, spec, ld, j);
    turn(at, turned, back);
    gather(&g, h, at, spec, ld, 1, 1);
    bins_inverse(back, l, &g, at, spec);
    for (size_t j = 0; j < T; j++) {
        x[j] = turned[j] + back[j];
        logdet[j] -= (double)l[j];
    }
}

static void backward_block(shape spec, real *dx, real *dh, const real *dy, const real *dl,
                           const real *x, const real *h, size_t ld)
{
    gathered g = {0};
    bin_cotangents c;
    lane at, turned;
    turn(at, turned, x);
    gather(&g, h, at, spec, ld, 0, 1);
    for (size_t j = 0; j < T; j++) {
        dx[j] = bin_backward(&c, &g, spec, j, at[j], dy[j], dl[j], 1);
        rotation_backward(dh, h, dy[j], spec, ld, j);
    }
    params_backward(dh, &c, &g, h, spec, ld, 1);
}

/* out = (a - m dl/dx) / (dy/dx), and the parameters' cotangents for sign * (out on y, m on l). */
FLOW_INLINE void solve_block(shape spec, real *out, real *dh, const real *a, const real *m,
                             real sign, const real *x, const real *h, size_t ld)
{
    gathered g = {0};
    bin_cotangents c;
    lane at, turned;
    turn(at, turned, x);
    gather(&g, h, at, spec, ld, 0, 1);
    for (size_t j = 0; j < T; j++) {
        real weight = m ? m[j] : 1;
        out[j] = solve_slope(&c, &g, spec, j, at[j], a[j], weight, 1);
        rotation_backward(dh, h, sign * out[j], spec, ld, j);
        bin_backward(&c, &g, spec, j, at[j], sign * out[j], sign * weight, 1);
    }
    params_backward(dh, &c, &g, h, spec, ld, 1);
}

static void circular_spline_forward(const void *options, real *y, double *logdet, const real *x,
                                    const real *h, size_t ld)
{
    const shape spec = shape_of(options);
    for (size_t j = 0; j < ld; j += T)
        forward_block(spec, y + j, logdet + j, x + j, h + j, ld);
}

static void circular_spline_inverse(const void *options, real *x, double *logdet, const real *y,
                                    const real *h, size_t ld)
{
    const shape spec = shape_of(options);
    for (size_t j = 0; j < ld; j += T)
        inverse_block(spec, x + j, logdet + j, y + j, h + j, ld);
}

static void circular_spline_backward(const void *options, real *dx, real *dh, const real *dy,
                                     const real *dl, const real *x, const real *h, size_t ld)
{
    const shape spec = shape_of(options);
    for (size_t j = 0; j < ld; j += T)
        backward_block(spec, dx + j, dh + j, dy + j, dl + j, x + j, h + j, ld);
}

static void circular_spline_score(const void *options, real *g, real *dh, const real *a,
                                  const real *x, const real *h, size_t ld)
{
    const shape spec = shape_of(options);
    for (size_t j = 0; j < ld; j += T)
        solve_block(spec, g + j, dh + j, a + j, NULL, 1, x + j, h + j, ld);
}

static void circular_spline_pull_inverse(const void *options, real *dy, real *dh, const real *dx,
                                         const real *dm, const real *x, const real *h, size_t ld)
{
    const shape spec = shape_of(options);
    for (size_t j = 0; j < ld; j += T)
        solve_block(spec, dy + j, dh + j, dx + j, dm + j, -1, x + j, h + j, ld);
}

static const flow_key circular_spline_keys[] = {
    {FLOW_KEY(circular_spline, bins), .type = FLOW_KEY_WHOLE, .min = 2, .max = 64, .def = "8",
     .doc = "Pieces of the spline, once round the circle."},
    {FLOW_KEY(circular_spline, min_share), .type = FLOW_KEY_REAL, .flags = FLOW_KEY_OPEN_MIN,
     .min = 0, .max = 0.01, .def = "0.001", .unit = "share of the circle",
     .doc = "Least width and height of a piece."},
    {FLOW_KEY(circular_spline, min_slope), .type = FLOW_KEY_REAL, .flags = FLOW_KEY_OPEN_MIN,
     .min = 0, .max = 0.5, .def = "0.001", .doc = "Least slope where two pieces meet."},
    {.name = NULL}};

const transformer FLOW_NAME(transformer_circular_spline) = {
    .kind = {.name = "circular_spline",
             .doc = "monotone rational-quadratic spline of the circle onto itself, and a rotation",
             .keys = circular_spline_keys,
             .size = sizeof(circular_spline),
             .derive = derive},
    .circular = 1,
    .n_params = circular_spline_n_params,
    .prepare = circular_spline_prepare,
    .forward = circular_spline_forward,
    .inverse = circular_spline_inverse,
    .backward = circular_spline_backward,
    .score = circular_spline_score,
    .pull_inverse = circular_spline_pull_inverse,
};
