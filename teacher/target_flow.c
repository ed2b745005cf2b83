/* teacher/target_flow.c -- a flow as a target: the gradient of its log-density is one pass
 * with frozen parameters, its sampler the (incremental) inverse. */
#include "teacher/target.h"

#include <assert.h>
#include <stdlib.h>

typedef struct flow_work {
    flow_pass *pass, *sampler; /* sampler keeps nothing for gradients */
    double *z;                 /* (max_rows, D) */
} flow_work;

static const flow *flow_of(const target *self)
{
    return self->flow;
}

static void flow_work_free(const target *self, void *work)
{
    flow_work *w = work;
    (void)self;
    if (!w)
        return;
    flow_pass_free(w->pass);
    flow_pass_free(w->sampler);
    free(w->z);
    free(w);
}

static void *flow_work_create(const target *self, size_t max_rows, flow_err *err)
{
    assert(max_rows <= FLOW_SHARD);
    flow_work *w = calloc(1, sizeof *w);
    if (!w)
        goto fail;
    w->pass = flow_pass_create(flow_of(self), max_rows, FLOW_PASS_TRAIN, err);
    w->sampler = flow_pass_create(flow_of(self), max_rows, 0, err);
    w->z = malloc(max_rows * self->dim * sizeof *w->z);
    if (!w->pass || !w->sampler || !w->z)
        goto fail;
    return w;
fail:
    flow_work_free(self, w);
    flow_fail(err, FLOW_ENOMEM, "out of memory for a shard of the teacher");
    return NULL;
}

static int flow_log_density(const target *self, double *logp, double *grad, target_status *status,
                            const double *x, const double *context, size_t n, void *work,
                            flow_err *err)
{
    flow_work *w = work;
    (void)self, (void)status, (void)err;
    flow_pass_log_prob(w->pass, NULL, logp, w->z, x, context, n);
    if (grad)
        flow_pass_density_score(w->pass, NULL, grad);
    return 0;
}

static void widen_noise(const flow *teacher, double *z, const target_rows *rows, size_t n)
{
    size_t dim = flow_dim(teacher);
    for (size_t r = 0; r < n; r++) {
        if (!target_is_wide(rows, rows->first + r))
            continue;
        for (size_t i = 0; i < dim; i++)
            if (!flow_noise_turns(teacher, i))
                z[r * dim + i] *= rows->widen_by;
    }
}

static int flow_target_sample(const target *self, double *x, double *logp, target_status *status,
                              const double *context, const target_rows *rows, size_t n, void *work,
                              flow_err *err)
{
    flow_work *w = work;
    (void)status, (void)err;
    flow_noise(flow_of(self), NULL, w->z, rows->stream, rows->first, n);
    widen_noise(flow_of(self), w->z, rows, n);
    flow_pass_transport(w->sampler, NULL, x, logp, w->z, context, n);
    return 0;
}

static void flow_target_free(target *self)
{
    free(self);
}

static const target_ops flow_target_ops = {
    .name = "flow",
    .free = flow_target_free,
    .work_create = flow_work_create,
    .work_free = flow_work_free,
    .log_density = flow_log_density,
    .sample = flow_target_sample,
};

target *target_from_flow(const flow *teacher, flow_err *err)
{
    if (flow_require_log_prob(teacher, err) || flow_require_transport(teacher, err))
        return NULL;
    target *self = malloc(sizeof *self);
    if (!self) {
        flow_fail(err, FLOW_ENOMEM, "out of memory for a target");
        return NULL;
    }
    *self = (target){.ops = &flow_target_ops,
                     .dim = flow_dim(teacher),
                     .context = flow_context(teacher),
                     .log_z = 0,
                     .flags = TARGET_GRADIENT | TARGET_THREADS | TARGET_WIDENS,
                     .flow = teacher,
                     .circles = flow_circles(teacher)};
    return self;
}
