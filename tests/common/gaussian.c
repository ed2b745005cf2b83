#include "tests/common/gaussian.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

const double lower2[] = {0.8, 0, 0.5, 1.2}, mean2[] = {0.7, -0.4};
const double lower3[] = {1.3, 0, 0, 0.7, 0.6, 0, -0.4, 0.5, 0.9}, mean3[] = {0.3, -0.2, 0.1};

typedef struct scratch {
    size_t max_rows;
    int in_use; /* by a thread */
} scratch;

static double center(const gaussian *g, const double *context, size_t r, size_t i)
{
    return g->mean[i] + (g->base.context ? g->gain * context[r * g->base.context] : 0);
}

/* u = lower^-1 (x - center) */
static void whiten(const gaussian *g, double *u, const double *x, const double *context, size_t r)
{
    size_t dim = g->base.dim;
    for (size_t i = 0; i < dim; i++) {
        u[i] = x[r * dim + i] - center(g, context, r, i);
        for (size_t j = 0; j < i; j++)
            u[i] -= g->lower[i * dim + j] * u[j];
        u[i] /= g->lower[i * dim + i];
    }
}

static double log_det(const gaussian *g)
{
    double sum = 0;
    for (size_t i = 0; i < g->base.dim; i++)
        sum += log(g->lower[i * g->base.dim + i]);
    return sum;
}

double gaussian_entropy(const gaussian *self)
{
    return log_det(self) + 0.5 * (double)self->base.dim * (1 + log(2 * acos(-1)));
}

void gaussian_log_density(const gaussian *self, double *logp, const double *x,
                          const double *context, size_t n)
{
    size_t dim = self->base.dim;
    for (size_t r = 0; r < n; r++) {
        double u[3], square = 0;
        whiten(self, u, x, context, r);
        for (size_t i = 0; i < dim; i++)
            square += u[i] * u[i];
        logp[r] =
            self->base.log_z - 0.5 * square - log_det(self) - 0.5 * (double)dim * log(2 * acos(-1));
        if (x[r * dim] < self->wall || x[r * dim] > self->no_density_above)
            logp[r] = -INFINITY;
    }
}

void gaussian_sample(const gaussian *self, double *x, const double *z, const double *context,
                     size_t n)
{
    size_t dim = self->base.dim;
    for (size_t r = 0; r < n; r++)
        for (size_t i = 0; i < dim; i++) {
            x[r * dim + i] = center(self, context, r, i);
            for (size_t j = 0; j <= i; j++)
                x[r * dim + i] += self->lower[i * dim + j] * z[r * dim + j];
        }
}

/* ---- as a target. The counters are the only things that change: self is not const in truth. */

static gaussian *writable(const target *self)
{
    return (gaussian *)(uintptr_t)self;
}

static void nothing_to_free(target *self)
{
    (void)self;
}

static void *work_create(const target *self, size_t max_rows, flow_err *err)
{
    scratch *w = calloc(1, sizeof *w);
    (void)err;
    w->max_rows = max_rows;
    atomic_fetch_add(&writable(self)->works, 1);
    return w;
}

static void work_free(const target *self, void *work)
{
    if (work)
        atomic_fetch_sub(&writable(self)->works, 1);
    free(work);
}

/* A solve with the transpose: grad = -lower^-T u. */
static void gradient(const gaussian *g, double *grad, const double *u)
{
    size_t dim = g->base.dim;
    for (size_t i = dim; i-- > 0;) {
        grad[i] = -u[i];
        for (size_t j = i + 1; j < dim; j++)
            grad[i] -= g->lower[j * dim + i] * grad[j];
        grad[i] /= g->lower[i * dim + i];
    }
}

/* How the rows chosen by broken_at come out. */
static void break_rows(const gaussian *g, double *logp, double *grad, const double *x, size_t n)
{
    size_t dim = g->base.dim;
    for (size_t r = 0; r < n; r++) {
        if (!(x[r * dim] > g->broken_above))
            continue;
        if (g->broken_as == BROKEN_GRADIENT && grad)
            grad[r * dim + dim - 1] = NAN;
        if (g->broken_as != BROKEN_GRADIENT)
            logp[r] = g->broken_as == BROKEN_NAN ? NAN : INFINITY;
    }
}

static int fail_as_told(const gaussian *g, flow_err *err)
{
    if (g->silent)
        return g->silent;
    return flow_fail(err, FLOW_EDATA, "the energy broke at call %zu", g->fail_after);
}

static int log_density(const target *self, double *logp, double *grad, target_status *status,
                       const double *x, const double *context, size_t n, void *work, flow_err *err)
{
    (void)status;
    gaussian *g = writable(self);
    scratch *w = work;
    cr_assert(n > 0 && n <= w->max_rows, "%zu rows, scratch for %zu", n, w->max_rows);
    cr_assert_eq(w->in_use++, 0, "scratch is shared");
    if (atomic_fetch_add(&g->calls, 1) >= g->fail_after) {
        w->in_use = 0;
        return fail_as_told(g, err);
    }
    gaussian_log_density(g, logp, x, context, n);
    for (size_t r = 0; r < n && grad; r++) {
        double u[3];
        whiten(g, u, x, context, r);
        gradient(g, grad + r * self->dim, u);
        if (logp[r] == -INFINITY) /* nothing may use it */
            for (size_t i = 0; i < self->dim; i++)
                grad[r * self->dim + i] = NAN;
    }
    break_rows(g, logp, grad, x, n);
    w->in_use = 0;
    return 0;
}

static int sample(const target *self, double *x, double *logp, target_status *status,
                  const double *context, const target_rows *rows, size_t n, void *work,
                  flow_err *err)
{
    const scratch *w = work;
    double z[FLOW_SHARD * 3];
    (void)status, (void)err;
    cr_assert(n > 0 && n <= w->max_rows, "%zu rows, scratch for %zu", n, w->max_rows);
    pcg_normals(z, rows->stream, rows->first, n, self->dim);
    for (size_t i = 0; i < n * self->dim; i++)
        z[i] *= target_is_wide(rows, rows->first + i / self->dim) ? rows->widen_by : 1;
    gaussian_sample((const gaussian *)self, x, z, context, n);
    gaussian_log_density((const gaussian *)self, logp, x, context, n);
    break_rows((const gaussian *)self, logp, NULL, x, n);
    return 0;
}

static const target_ops with_sampler = {
    .name = "gaussian",
    .free = nothing_to_free,
    .work_create = work_create,
    .work_free = work_free,
    .log_density = log_density,
    .sample = sample,
};

static const target_ops without_sampler = {
    .name = "gaussian without a sampler",
    .free = nothing_to_free,
    .work_create = work_create,
    .work_free = work_free,
    .log_density = log_density,
    .sample = NULL,
};

void gaussian_init(gaussian *self, size_t dim, const double *lower, const double *mean)
{
    memset(self, 0, sizeof *self);
    self->base = (target){.ops = &with_sampler,
                          .dim = dim,
                          .flags = TARGET_GRADIENT | TARGET_THREADS | TARGET_WIDENS};
    memcpy(self->lower, lower, dim * dim * sizeof *lower);
    memcpy(self->mean, mean, dim * sizeof *mean);
    self->wall = -INFINITY;
    self->fail_after = SIZE_MAX;
    self->broken_above = self->no_density_above = INFINITY;
}

void gaussian_take_sampler_away(gaussian *self)
{
    self->base.ops = &without_sampler;
}
