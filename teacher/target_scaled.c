#include "teacher/target_scaled.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct scaled {
    target base;
    const target *of;
    target_ops ops; /* with a sampler where `of` has one */
    target_modes modes;
    double volume;         /* sum log scale */
    double *shift, *scale; /* (D) */
} scaled;

typedef struct scaled_work {
    void *of;
    double *x; /* (max_rows, D) */
} scaled_work;

static const scaled *down(const target *self)
{
    return (const scaled *)self;
}

/* ---- units */

static void to_user(const scaled *self, double *x, const double *u, size_t n)
{
    size_t dim = self->base.dim;
    for (size_t r = 0; r < n; r++)
        for (size_t i = 0; i < dim; i++)
            x[r * dim + i] = self->shift[i] + self->scale[i] * u[r * dim + i];
}

static void from_user(const scaled *self, double *x, size_t n)
{
    size_t dim = self->base.dim;
    for (size_t r = 0; r < n; r++)
        for (size_t i = 0; i < dim; i++)
            x[r * dim + i] = (x[r * dim + i] - self->shift[i]) / self->scale[i];
}

static void in_units(const scaled *self, double *logp, double *grad, size_t n)
{
    size_t dim = self->base.dim;
    for (size_t r = 0; r < n; r++) {
        logp[r] += self->volume;
        for (size_t i = 0; grad && i < dim; i++)
            grad[r * dim + i] *= self->scale[i];
    }
}

/* ---- operations */

static void *scaled_work_create(const target *base, size_t max_rows, flow_err *err)
{
    const target *of = down(base)->of;
    scaled_work *work = calloc(1, sizeof *work);
    double *x = malloc(max_rows * base->dim * sizeof *x);
    void *inner = work && x ? of->ops->work_create(of, max_rows, err) : NULL;
    if (inner) {
        *work = (scaled_work){inner, x};
        return work;
    }
    flow_fail(err, FLOW_ENOMEM, "out of memory for a shard of a target in other units");
    free(x);
    free(work);
    return NULL;
}

static void scaled_work_free(const target *base, void *work)
{
    scaled_work *w = work;
    if (!w)
        return;
    down(base)->of->ops->work_free(down(base)->of, w->of);
    free(w->x);
    free(w);
}

static int scaled_log_density(const target *base, double *logp, double *grad, target_status *status,
                              const double *u, const double *context, size_t n, void *work,
                              flow_err *err)
{
    const scaled *self = down(base);
    scaled_work *w = work;
    to_user(self, w->x, u, n);
    int code =
        self->of->ops->log_density(self->of, logp, grad, status, w->x, context, n, w->of, err);
    if (!code)
        in_units(self, logp, grad, n);
    return code;
}

static int scaled_sample(const target *base, double *x, double *logp, target_status *status,
                         const double *context, const target_rows *rows, size_t n, void *work,
                         flow_err *err)
{
    const scaled *self = down(base);
    scaled_work *w = work;
    int code = self->of->ops->sample(self->of, x, logp, status, context, rows, n, w->of, err);
    if (!code) {
        from_user(self, x, n);
        in_units(self, logp, NULL, n);
    }
    return code;
}

static size_t mode_of(void *arg, const double *u)
{
    const scaled *self = arg;
    const target_modes *modes = self->of->modes;
    double *x = malloc(self->base.dim * sizeof *x);
    size_t out = SIZE_MAX;
    if (x) {
        to_user(self, x, u, 1);
        out = modes->mode_of(modes->arg, x);
    }
    free(x);
    return out;
}

static void scaled_free(target *base)
{
    free(base);
}

/* ---- making one */

target *target_in_units(const target *of, const double *shift, const double *scale, flow_err *err)
{
    size_t dim = of->dim, bytes = dim * sizeof(double);
    scaled *self = malloc(sizeof *self + 2 * bytes);
    if (!self) {
        flow_fail(err, FLOW_ENOMEM, "out of memory for a target in other units");
        return NULL;
    }
    double *numbers = (double *)(self + 1);
    *self = (scaled){.base = *of, .of = of, .shift = numbers, .scale = numbers + dim};
    memcpy(self->shift, shift, bytes);
    memcpy(self->scale, scale, bytes);
    for (size_t i = 0; i < dim; i++)
        self->volume += log(scale[i]);
    self->ops = (target_ops){.name = of->ops->name,
                             .free = scaled_free,
                             .work_create = scaled_work_create,
                             .work_free = scaled_work_free,
                             .log_density = scaled_log_density,
                             .sample = of->ops->sample ? scaled_sample : NULL};
    self->base.ops = &self->ops;
    if (of->modes)
        self->modes = (target_modes){of->modes->n, of->modes->weights, mode_of, self};
    self->base.modes = of->modes ? &self->modes : NULL;
    return &self->base;
}
