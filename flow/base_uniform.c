/* flow/base_uniform.c -- uniform on the box [low, high]^D, for layers that keep to one: splines whose
 * bound is its half width.
 * Description: {"kind": "uniform", "low": 0, "high": 1}. No parameters.
 *
 * Outside of the box log p is -inf and its score 0, so no gradient brings back a row that a fit has
 * outside. */
#include "flow/base.h"

#include <math.h>

typedef struct uniform {
    flow_base base;
    double low, high;
} uniform;

static const uniform *of(const flow_base *self)
{
    return (const uniform *)self;
}

static flow_base *uniform_create(const json_t *description, size_t dim, flow_err *err)
{
    const char *kind;
    double low = 0, high = 1;
    json_error_t why;
    if (json_unpack_ex((json_t *)(uintptr_t)description, &why, JSON_STRICT, "{s:s, s?F, s?F}",
                       "kind", &kind, "low", &low, "high", &high)) {
        flow_fail(err, FLOW_ECONFIG, "uniform: %s", why.text);
        return NULL;
    }
    if (!(low < high && isfinite(high - low))) {
        flow_fail(err, FLOW_ECONFIG, "uniform: low must be below high, both finite");
        return NULL;
    }
    uniform *self = base_new(sizeof *self, &base_uniform, dim, err);
    if (!self)
        return NULL;
    self->low = low;
    self->high = high;
    return &self->base;
}

static json_t *uniform_describe(const flow_base *self)
{
    return json_pack("{s:s, s:f, s:f}", "kind", self->ops->name, "low", of(self)->low, "high",
                     of(self)->high);
}

/* Rounding may carry a draw to `high`, not beyond it. */
static void uniform_sample(const flow_base *self, double *z, base_view theta, pcg_stream stream,
                           uint64_t first, size_t n)
{
    const double low = of(self)->low, high = of(self)->high;
    (void)theta;
    pcg_uniforms(z, stream, first, n, self->dim);
    for (size_t i = 0; i < n * self->dim; i++)
        z[i] = fmin(low + (high - low) * z[i], high);
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

const flow_base_ops base_uniform = {
    .name = "uniform",
    .doc = "uniform on a box",
    .edge = 1,
    .create = uniform_create,
    .describe = uniform_describe,
    .sample = uniform_sample,
    .log_prob = uniform_log_prob,
    .score = uniform_score,
};
