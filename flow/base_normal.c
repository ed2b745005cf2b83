/* flow/base_normal.c -- independent normals: N(0, I), or with learned shift and scale.
 * Tensors when learned: shift (D), log_scale (D), started at 0. log p = -sum_i (u_i^2/2 + log_scale_i) - D log(2 pi)/2, u_i = (z_i - shift_i)
 * e^-log_scale_i. */
#include "flow/base_place.h"
#include "flow/quantile.h"

typedef struct normal {
    flow_base base;
    bool learn;
} normal;

static int normal_begin(flow_base *self, flow_err *err)
{
    (void)err;
    place_begin(self, ((normal *)self)->learn);
    return 0;
}

static void normal_sample(const flow_base *self, double *z, base_view theta, pcg_stream stream,
                          uint64_t first, size_t n)
{
    pcg_normals(z, stream, first, n, self->dim);
    place_move(self, z, theta, n);
}

static void normal_log_prob(const flow_base *self, double *logp, base_view theta, const double *z,
                            size_t n)
{
    size_t dim = self->dim;
    double log_scales = 0;
    for (size_t r = 0; r < n; r++)
        logp[r] = 0;
    for (size_t i = 0; i < dim; i++) {
        double shift = place_shift(self, theta, i), s = place_log_scale(self, theta, i);
        double over = exp(-s);
        for (size_t r = 0; r < n; r++) {
            double u = (z[r * dim + i] - shift) * over;
            logp[r] += u * u;
        }
        log_scales += s;
    }
    for (size_t r = 0; r < n; r++)
        logp[r] = -0.5 * logp[r] - BASE_HALF_LOG_2PI * (double)dim - log_scales;
}

static inline double normal_slope(const flow_base *self, double u)
{
    (void)self;
    return u;
}

static void normal_score(const flow_base *self, double *score, base_view theta, const double *z,
                         size_t n)
{
    place_score(self, score, theta, z, n, normal_slope);
}

static void normal_backward(const flow_base *self, base_block dtheta, base_view theta,
                            const double *dlogp, const double *z, size_t n)
{
    place_backward(self, dtheta, theta, dlogp, z, n, normal_slope);
}

static void normal_at(const flow_base *self, double *z, base_view theta, const double *u, size_t n)
{
    for (size_t i = 0; i < n * self->dim; i++)
        z[i] = flow_normal_quantile(u[i]);
    place_move(self, z, theta, n);
}

static const flow_key normal_keys[] = {PLACE_KEY(normal), {.name = NULL}};

const flow_base_ops base_normal = {
    .kind = {.name = "normal",
             .doc = "independent normals",
             .keys = normal_keys,
             .size = sizeof(normal)},
    .begin = normal_begin,
    .sample = normal_sample,
    .log_prob = normal_log_prob,
    .score = normal_score,
    .backward = normal_backward,
    .pull = place_pull,
    .at = normal_at,
    .temper = place_temper,
};
