#include "teacher/target_metered.h"

#include "flow/clock.h"

#include <stdlib.h>

typedef struct metered_target {
    target base;
    target_ops ops; /* with the name of what it is, which messages say */
    const target *of;
    target_meter *meter;
} metered_target;

static const metered_target *down(const target *self)
{
    return (const metered_target *)self;
}

static void add(atomic_ullong *to, unsigned long long what)
{
    atomic_fetch_add_explicit(to, what, memory_order_relaxed);
}

static void add_since(target_meter *meter, double start)
{
    add(&meter->nanoseconds, (unsigned long long)(1e9 * (flow_seconds_of_thread() - start)));
}

static void *metered_work_create(const target *self, size_t max_rows, flow_err *err)
{
    const target *of = down(self)->of;
    return of->ops->work_create(of, max_rows, err);
}

static void metered_work_free(const target *self, void *work)
{
    const target *of = down(self)->of;
    of->ops->work_free(of, work);
}

static int metered_log_density(const target *self, double *logp, double *grad,
                               target_status *status, const double *x, const double *context,
                               size_t n, void *work, flow_err *err)
{
    target_meter *meter = down(self)->meter;
    double start = flow_seconds_of_thread();
    int code =
        target_shard_log_density(down(self)->of, logp, grad, status, x, context, n, work, err);
    add_since(meter, start);
    add(&meter->densities, n);
    add(&meter->gradients, grad ? n : 0);
    return code;
}

static int metered_sample(const target *self, double *x, double *logp, target_status *status,
                          const double *context, const target_rows *rows, size_t n, void *work,
                          flow_err *err)
{
    target_meter *meter = down(self)->meter;
    double start = flow_seconds_of_thread();
    int code = target_shard_sample(down(self)->of, x, logp, status, context, rows, n, work, err);
    add_since(meter, start);
    add(&meter->draws, n);
    return code;
}

static void metered_free(target *self)
{
    free(self);
}

target *target_metered(const target *of, target_meter *meter, flow_err *err)
{
    metered_target *self = malloc(sizeof *self);
    if (!self) {
        flow_fail(err, FLOW_ENOMEM, "out of memory for a target");
        return NULL;
    }
    *self = (metered_target){.base = *of, .of = of, .meter = meter};
    self->ops = (target_ops){.name = of->ops->name,
                             .free = metered_free,
                             .work_create = metered_work_create,
                             .work_free = metered_work_free,
                             .log_density = metered_log_density,
                             .sample = of->ops->sample ? metered_sample : NULL};
    self->base.ops = &self->ops;
    self->base.flags |= TARGET_THREADS; /* `of` is locked, where it must be, by its own calls */
    return &self->base;
}
