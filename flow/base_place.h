/* flow/base_place.h -- where a base lies and how wide it is, for kinds that are made of independent
 * numbers of one symmetric density: z_i = shift_i + e^log_scale_i u_i, both learned, or 0.
 *
 * Tensors shift (D), log_scale (D). With k(u) = -d log p(u)/du, `slope`, and log p(z) = sum_i
 * log p(u_i) - log_scale_i, everything but log p(u) itself is the same for all of them. slope is a
 * function of the including file, and melts into the loops here. */
#ifndef FLOW_BASE_PLACE_H
#define FLOW_BASE_PLACE_H

#include "flow/base.h"

#include <math.h>

#define PLACE_INLINE static inline __attribute__((always_inline))

typedef double place_slope(const flow_base *self, double u);

/* The key of kinds whose struct OPTIONS has a bool learn; begin then calls this with it. */
#define PLACE_KEY(OPTIONS)                                                                         \
    {                                                                                              \
        FLOW_KEY(OPTIONS, learn), .type = FLOW_KEY_BOOL, .def = "false",                           \
                                  .doc = "Whether the base's shift and scale, one of each a "      \
                                         "column, are learned. Otherwise they are 0 and 1."        \
    }

PLACE_INLINE void place_begin(flow_base *self, bool learn)
{
    if (!learn)
        return;
    base_add_tensor(self, "shift", self->dim, 0);
    base_add_tensor(self, "log_scale", self->dim, 0);
}

PLACE_INLINE int place_learned(const flow_base *self)
{
    return self->n_tensors > 0;
}

PLACE_INLINE double place_shift(const flow_base *self, base_view theta, size_t i)
{
    return place_learned(self) ? base_get(theta, i) : 0;
}

PLACE_INLINE double place_log_scale(const flow_base *self, base_view theta, size_t i)
{
    return place_learned(self) ? base_get(theta, self->dim + i) : 0;
}

/* z (n, D) holds u and becomes shift + e^log_scale u. */
PLACE_INLINE void place_move(const flow_base *self, double *z, base_view theta, size_t n)
{
    size_t dim = self->dim;
    for (size_t i = 0; i < dim && place_learned(self); i++) {
        double shift = place_shift(self, theta, i), scale = exp(place_log_scale(self, theta, i));
        for (size_t r = 0; r < n; r++)
            z[r * dim + i] = shift + scale * z[r * dim + i];
    }
}

/* score_i = -k e^-log_scale_i */
PLACE_INLINE void place_score(const flow_base *self, double *score, base_view theta,
                              const double *z, size_t n, place_slope *slope)
{
    size_t dim = self->dim;
    for (size_t i = 0; i < dim; i++) {
        double shift = place_shift(self, theta, i), over = exp(-place_log_scale(self, theta, i));
        for (size_t r = 0; r < n; r++)
            score[r * dim + i] = -slope(self, (z[r * dim + i] - shift) * over) * over;
    }
}

/* d log p/dshift_i = k e^-log_scale_i, d log p/dlog_scale_i = k u - 1 */
PLACE_INLINE void place_backward(const flow_base *self, base_block dtheta, base_view theta,
                                 const double *dlogp, const double *z, size_t n, place_slope *slope)
{
    size_t dim = self->dim;
    for (size_t i = 0; i < dim && place_learned(self); i++) {
        double shift = place_shift(self, theta, i), over = exp(-place_log_scale(self, theta, i));
        double d_shift = 0, d_log_scale = 0;
        for (size_t r = 0; r < n; r++) {
            double u = (z[r * dim + i] - shift) * over, k = slope(self, u);
            d_shift += dlogp[r] * k * over;
            d_log_scale += dlogp[r] * (k * u - 1);
        }
        base_add(dtheta, i, d_shift);
        base_add(dtheta, dim + i, d_log_scale);
    }
}

/* dz_i/dshift_i = 1, dz_i/dlog_scale_i = e^log_scale_i u_i = z_i - shift_i */
PLACE_INLINE void place_pull(const flow_base *self, base_block dtheta, base_view theta,
                             const double *dz, const double *z, size_t n)
{
    size_t dim = self->dim;
    for (size_t i = 0; i < dim && place_learned(self); i++) {
        double shift = place_shift(self, theta, i), d_shift = 0, d_log_scale = 0;
        for (size_t r = 0; r < n; r++) {
            d_shift += dz[r * dim + i];
            d_log_scale += dz[r * dim + i] * (z[r * dim + i] - shift);
        }
        base_add(dtheta, i, d_shift);
        base_add(dtheta, dim + i, d_log_scale);
    }
}

/* The middle is where it lies. */
PLACE_INLINE void place_temper(const flow_base *self, double *z, base_view theta,
                               double temperature, size_t n)
{
    size_t dim = self->dim;
    for (size_t i = 0; i < dim; i++) {
        double shift = place_shift(self, theta, i);
        for (size_t r = 0; r < n; r++)
            z[r * dim + i] = shift + temperature * (z[r * dim + i] - shift);
    }
}

#endif
