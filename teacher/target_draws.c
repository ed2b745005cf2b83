/* teacher/target_draws.c -- a target whose sampler is a table of stored draws. */
#include "teacher/target.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

typedef struct draws_target {
    target base;
    const target *of;
    const double *x; /* (base.draws, D) */
} draws_target;

static const draws_target *down(const target *self)
{
    return (const draws_target *)self;
}

static void *draws_work_create(const target *self, size_t max_rows, flow_err *err)
{
    const target *of = down(self)->of;
    return of->ops->work_create(of, max_rows, err);
}

static void draws_work_free(const target *self, void *work)
{
    const target *of = down(self)->of;
    of->ops->work_free(of, work);
}

static int draws_log_density(const target *self, double *logp, double *grad, target_status *status,
                             const double *x, const double *context, size_t n, void *work,
                             flow_err *err)
{
    return target_shard_log_density(down(self)->of, logp, grad, status, x, context, n, work, err);
}

static int draws_sample(const target *self, double *x, double *logp, target_status *status,
                        const double *context, const target_rows *rows, size_t n, void *work,
                        flow_err *err)
{
    const draws_target *d = down(self);
    size_t dim = self->dim;
    for (size_t r = 0; r < n; r++)
        memcpy(x + r * dim, d->x + (rows->first + r) % self->draws * dim, dim * sizeof *x);
    return target_shard_log_density(d->of, logp, NULL, status, x, context, n, work, err);
}

static void draws_free(target *self)
{
    free(self);
}

static const target_ops draws_ops = {
    .name = "stored draws",
    .free = draws_free,
    .work_create = draws_work_create,
    .work_free = draws_work_free,
    .log_density = draws_log_density,
    .sample = draws_sample,
};

target *target_with_draws(const target *of, const double *x, size_t n, flow_err *err)
{
    assert(n > 0);
    draws_target *self = malloc(sizeof *self);
    if (!self) {
        flow_fail(err, FLOW_ENOMEM, "out of memory for a target");
        return NULL;
    }
    *self = (draws_target){.base = *of, .of = of, .x = x};
    self->base.ops = &draws_ops;
    self->base.draws = n;
    self->base.flags |= TARGET_THREADS; /* `of` is locked, where it must be, by its own calls */
    self->base.flags &= ~(unsigned)TARGET_WIDENS;
    if (of->context == 0)
        return &self->base;
    free(self);
    flow_fail(err, FLOW_ECONFIG, "stored draws for a target with %zu columns of context",
              of->context);
    return NULL;
}
