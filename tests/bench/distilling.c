#include "tests/bench/distilling.h"
#include "flow/lanes.h"
#include "student/distill.h"
#include "tests/bench/common.h"

#include <stdatomic.h>

enum { WARM_STEPS = 2 };

/* A target that looks at the clock when call number `from`, and call number `to`, come in. */
typedef struct marks {
    atomic_size_t calls;
    size_t from, to;
    double start, stop;
} marks;

typedef struct clocked {
    target base;
    const target *inner;
    marks *marks; /* written through a const target: what it holds is not the target's */
} clocked;

static const clocked *down(const target *self)
{
    return (const clocked *)self;
}

static void clocked_free(target *self)
{
    (void)self;
}

static void *clocked_work_create(const target *self, size_t max_rows, flow_err *err)
{
    const target *inner = down(self)->inner;
    return inner->ops->work_create(inner, max_rows, err);
}

static void clocked_work_free(const target *self, void *work)
{
    const target *inner = down(self)->inner;
    inner->ops->work_free(inner, work);
}

static int clocked_log_density(const target *self, double *logp, double *grad,
                               target_status *status, const double *x, const double *context,
                               size_t n, void *work, flow_err *err)
{
    const target *inner = down(self)->inner;
    marks *m = down(self)->marks;
    size_t call = atomic_fetch_add(&m->calls, 1);
    if (call == m->from)
        m->start = seconds();
    if (call == m->to)
        m->stop = seconds();
    return inner->ops->log_density(inner, logp, grad, status, x, context, n, work, err);
}

static const target_ops clocked_ops = {
    .name = "clocked",
    .free = clocked_free,
    .work_create = clocked_work_create,
    .work_free = clocked_work_free,
    .log_density = clocked_log_density,
    .sample = NULL,
};

static void distil(flow *student, const target *teacher, flow_pool *pool, size_t batch,
                   size_t steps)
{
    const distill_contexts none = {0};
    const distill_options options = {.batch = batch,
                                     .steps = steps,
                                     .lr = 1e-4,
                                     .schedule = FLOW_CONSTANT,
                                     .gradient = DISTILL_TOTAL,
                                     .temper = 1,
                                     .late_batch = 1,
                                     .late_from = 2,
                                     .seed = 5};
    flow_err err = FLOW_ERR_INIT;
    distill_state state;
    if (student_distill(student, &state, pool, teacher, &none, &options, NULL, NULL, &err))
        die("%s", err.text);
    if (state.skipped || state.step != steps)
        die("a distillation step was skipped");
}

double distilling_seconds(flow *student, const flow *teacher, flow_pool *pool, size_t batch,
                          size_t steps)
{
    flow_err err = FLOW_ERR_INIT;
    target *inner = target_from_flow(teacher, &err);
    if (!inner)
        die("%s", err.text);
    size_t shards = flow_lanes_cut(batch, 0).shards; /* one call each */
    marks m = {.from = WARM_STEPS * shards, .to = (WARM_STEPS + steps) * shards};
    clocked outer = {.base = {.ops = &clocked_ops, .dim = inner->dim, .flags = inner->flags},
                     .inner = inner,
                     .marks = &m};
    distil(student, &outer.base, pool, batch, WARM_STEPS + steps + 1);
    target_free(inner);
    if (m.calls != (WARM_STEPS + steps + 1) * shards)
        die("distillation called its teacher %zu times, not %zu", (size_t)m.calls,
            (WARM_STEPS + steps + 1) * shards);
    return m.stop - m.start;
}
