/* flow/base_uniform.c -- uniform on the box [low, high]^D, for layers that keep to one: splines whose
 * bound is its half width. No parameters.
 *
 * Outside of the box log p is -inf and its score 0, so no gradient brings back a row that a fit has
 * outside. */
#include "flow/base.h"

#include <math.h>
#include <stdio.h>

typedef struct uniform {
    flow_base base;
    double low, high;
} uniform;

static const uniform *of(const flow_base *self)
{
    return (const uniform *)self;
}

static const char *uniform_conflict(char *why, size_t size, const void *options)
{
    const uniform *u = options;
    snprintf(why, size, "must be below high, and not infinitely far");
    return u->low < u->high && isfinite(u->high - u->low) ? NULL : "low";
}

/* Rounding may carry a point to `high`, not beyond it. */
static void uniform_at(const flow_base *self, double *z, base_view theta, const double *u, size_t n)
{
    const double low = of(self)->low, high = of(self)->high;
    (void)theta;
    for (size_t i = 0; i < n * self->dim; i++)
        z[i] = isnan(u[i]) ? u[i] : fmin(low + (high - low) * u[i], high);
}

static void uniform_sample(const flow_base *self, double *z, base_view theta, pcg_stream stream,
                           uint64_t first, size_t n)
{
    pcg_uniforms(z, stream, first, n, self->dim);
    uniform_at(self, z, theta, z, n);
}

static double log_prob_of_row(const uniform *u, const double *z)
{
    double inside = -(double)u->base.dim * log(u->high - u->low);
    for (size_t i = 0; i < u->base.dim; i++) {
        if (isnan(z[i]))
            return NAN;
        if (z[i] < u->low || z[i] > u->high)
            inside = -INFINITY;
    }
    return inside;
}

static void uniform_log_prob(const flow_base *self, double *logp, base_view theta, const double *z,
                             size_t n)
{
    (void)theta;
    for (size_t r = 0; r < n; r++)
        logp[r] = log_prob_of_row(of(self), z + r * self->dim);
}

static void uniform_score(const flow_base *self, double *score, base_view theta, const double *z,
                          size_t n)
{
    (void)theta;
    for (size_t i = 0; i < n * self->dim; i++)
        score[i] = isnan(z[i]) ? z[i] : 0;
}

static const flow_key uniform_keys[] = {
    {FLOW_KEY(uniform, low), .type = FLOW_KEY_REAL, .min = -INFINITY, .max = INFINITY, .def = "0",
     .doc = "Lower end of the box, in every column."},
    {FLOW_KEY(uniform, high), .type = FLOW_KEY_REAL, .min = -INFINITY, .max = INFINITY, .def = "1",
     .doc = "Upper end of the box, in every column."},
    {.name = NULL}};

const flow_base_ops base_uniform = {
    .kind = {.name = "uniform",
             .doc = "uniform on a box, for layers that keep to one",
             .keys = uniform_keys,
             .size = sizeof(uniform),
             .conflict = uniform_conflict},
    .edge = 1,
    .sample = uniform_sample,
    .log_prob = uniform_log_prob,
    .score = uniform_score,
    .at = uniform_at,
};
