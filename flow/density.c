/* flow/density.c -- base and layers together: densities, samples, and the gradients that go through
 * them, shard by shard.
 *
 * With z the noise behind x and J of the layers' own direction,
 *
 *   DATA_TO_NOISE  log q(x) = log base(z) + logdet(x)
 *   NOISE_TO_DATA  log q(x) = log base(z) - logdet(z)
 *
 * In the second, a gradient at fixed x goes by the score g = grad_x log q: the parameters move z by
 * -J^-1 df, so that d log q(x) = -(g . df + dlogdet), which is backward with -g on x and -1 on the
 * log-det (mathematics 4). */
#include "flow/backend.h"
#include "flow/base.h"
#include "flow/circle.h"

#include <assert.h>
#include <math.h>

/* ---- the base */

void flow_noise(const flow *self, const void *params, double *z, pcg_stream stream, uint64_t first,
                size_t n)
{
    self->base->ops->sample(self->base, z, base_params(self, params), stream, first, n);
}

void flow_noise_at(const flow *self, double *z, const double *u, size_t n)
{
    const double least = 0x1p-54, most = 1 - 0x1p-53;
    for (size_t i = 0; i < n * self->dim; i++)
        z[i] = u[i] >= 0 && u[i] <= 1 ? fmin(fmax(u[i], least), most) : NAN;
    self->base->ops->at(self->base, z, base_params(self, NULL), z, n);
}

void flow_base_log_prob(const flow *self, const void *params, double *logp, const double *z,
                        size_t n)
{
    for (size_t row = 0; row < n; row += FLOW_SHARD)
        self->base->ops->log_prob(self->base, logp + row, base_params(self, params),
                                  z + row * self->dim, n - row < FLOW_SHARD ? n - row : FLOW_SHARD);
}

int flow_check_path(const flow *self, flow_err *err)
{
    const flow_base *base = self->base;
    if (self->direction == FLOW_DATA_TO_NOISE)
        return flow_fail(err, FLOW_ECONFIG,
                         "a flow that is data_to_noise: no gradient goes through its samples, "
                         "which are made by its inverse");
    if (!base->pathless)
        return 0;
    return flow_fail(err, FLOW_ECONFIG,
                     "base %s: own samples cannot train base.%s, for no sample moves with it; "
                     "take %s, or train on given samples alone",
                     base->ops->kind.name, base->pathless, base->instead);
}

int flow_has_edge(const flow *self)
{
    return self->base->edge;
}

/* ---- forwards */

static void run(flow_pass *pass, const void *params, double *to, double *logdet, const double *from,
                const double *context, size_t n, int forward)
{
    assert(n <= FLOW_SHARD);
    if (forward)
        flow_pass_forward(pass, params, to, logdet, from, context, n);
    else
        flow_pass_inverse(pass, params, to, logdet, from, context, n);
}

/* What leaves the flow on circles, data (0) or noise (1), is within one turn. */
static void close_circles(const flow *f, double *rows, size_t n, size_t side)
{
    for (size_t i = 0; f->circles && i < f->dim; i++)
        for (size_t r = 0; f->circles[side * f->dim + i] && r < n; r++)
            rows[r * f->dim + i] = flow_circle_point(rows[r * f->dim + i]);
}

void flow_pass_log_prob(flow_pass *pass, const void *params, double *logp, double *z,
                        const double *x, const double *context, size_t n)
{
    const flow *f = pass->flow;
    double logdet[FLOW_SHARD];
    run(pass, params, z, logdet, x, context, n, f->direction == FLOW_DATA_TO_NOISE);
    close_circles(f, z, n, 1);
    pass->z = z;
    pass->n = n;
    flow_base_log_prob(f, params, logp, z, n);
    for (size_t r = 0; r < n; r++)
        logp[r] += logdet[r];
}

void flow_pass_transport(flow_pass *pass, const void *params, double *x, double *logp,
                         const double *z, const double *context, size_t n)
{
    const flow *f = pass->flow;
    double logdet[FLOW_SHARD];
    run(pass, params, x, logdet, z, context, n, f->direction == FLOW_NOISE_TO_DATA);
    close_circles(f, x, n, 0);
    pass->z = z;
    pass->n = n;
    flow_base_log_prob(f, params, logp, z, n);
    for (size_t r = 0; r < n; r++)
        logp[r] -= logdet[r];
}

/* ---- backwards */

static void base_score(const flow_pass *pass, double *score, const void *params)
{
    const flow *f = pass->flow;
    f->base->ops->score(f->base, score, base_params(f, params), pass->z, pass->n);
}

/* Gradients of sum(dlogp * log base(z)) in the base's own parameters. */
static void base_backward(const flow_pass *pass, const void *params, flow_gradient *gradient,
                          const double *dlogp)
{
    const flow *f = pass->flow;
    if (f->base->n_params)
        f->base->ops->backward(f->base, base_part(f, gradient->block), base_params(f, params),
                               dlogp, pass->z, pass->n);
}

/* to (n, D) = factor[r] from, row by row, 0 where factor is 0; to may be from. */
static void scale_rows(double *to, const double *from, const double *factor, size_t n, size_t dim)
{
    for (size_t r = 0; r < n; r++)
        for (size_t i = r * dim; i < (r + 1) * dim; i++)
            to[i] = factor[r] == 0 ? 0 : factor[r] * from[i];
}

/* Without a -0 for a 0. */
static void negate(double *to, const double *from, size_t n)
{
    for (size_t r = 0; r < n; r++)
        to[r] = 0 - from[r];
}

void flow_pass_density_score(flow_pass *pass, const void *params, double *score)
{
    base_score(pass, score, params);
    if (pass->flow->direction == FLOW_NOISE_TO_DATA) {
        flow_pass_score(pass, params, score, score);
        return;
    }
    double ones[FLOW_SHARD];
    for (size_t r = 0; r < pass->n; r++)
        ones[r] = 1;
    flow_pass_backward(pass, params, score, NULL, score, ones);
}

static void backward_to_noise(flow_pass *pass, const void *params, double *dx,
                              flow_gradient *gradient, const double *dlogp)
{
    base_score(pass, pass->dz, params);
    scale_rows(pass->dz, pass->dz, dlogp, pass->n, pass->flow->dim);
    flow_pass_backward(pass, params, dx, gradient, pass->dz, dlogp);
}

static void backward_to_data(flow_pass *pass, const void *params, double *dx,
                             flow_gradient *gradient, const double *dlogp)
{
    double minus[FLOW_SHARD];
    flow_pass_density_score(pass, params, pass->dz);
    if (dx)
        scale_rows(dx, pass->dz, dlogp, pass->n, pass->flow->dim);
    if (!gradient)
        return;
    negate(minus, dlogp, pass->n);
    scale_rows(pass->dz, pass->dz, minus, pass->n, pass->flow->dim);
    flow_pass_backward(pass, params, NULL, gradient, pass->dz, minus);
}

void flow_pass_density_backward(flow_pass *pass, const void *params, double *dx,
                                flow_gradient *gradient, const double *dlogp)
{
    if (pass->flow->direction == FLOW_DATA_TO_NOISE)
        backward_to_noise(pass, params, dx, gradient, dlogp);
    else
        backward_to_data(pass, params, dx, gradient, dlogp);
    if (gradient)
        base_backward(pass, params, gradient, dlogp);
}

/* What reaches the noise, dz, goes on along its path; log q feels the base's parameters directly, too. */
static void sample_backward_of_base(flow_pass *pass, const void *params, flow_gradient *gradient,
                                    const double *dlogq)
{
    const flow *f = pass->flow;
    size_t dim = f->dim;
    if (dlogq) {
        base_score(pass, pass->more, params);
        for (size_t i = 0; i < pass->n * dim; i++)
            pass->dz[i] += dlogq[i / dim] * pass->more[i];
        base_backward(pass, params, gradient, dlogq);
    }
    f->base->ops->pull(f->base, base_part(f, gradient->block), base_params(f, params), pass->dz,
                       pass->z, pass->n);
}

void flow_pass_sample_backward(flow_pass *pass, const void *params, flow_gradient *gradient,
                               const double *dx, const double *dlogq)
{
    const flow *f = pass->flow;
    double minus[FLOW_SHARD];
    assert(f->direction == FLOW_NOISE_TO_DATA);
    if (dlogq)
        negate(minus, dlogq, pass->n);
    double *dz = f->base->n_params ? pass->dz : NULL;
    flow_pass_backward(pass, params, dz, gradient, dx, dlogq ? minus : NULL);
    if (dz)
        sample_backward_of_base(pass, params, gradient, dlogq);
}
