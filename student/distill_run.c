/* student/distill_run.c -- a distillation in one go. */
#include "student/distill.h"

#include <stdbool.h>

/* What a distillation is of. */
typedef struct subject {
    flow *student;
    flow_pool *pool;
    const target *teacher;
    const distill_contexts *contexts;
    const distill_options *options;
} subject;

static void *create(const void *of, flow_err *err)
{
    const subject *s = of;
    return student_distillation_create(s->student, s->pool, s->teacher, s->contexts, s->options,
                                       err);
}

static int save(void *self, void **block, size_t *size, flow_err *err)
{
    return student_distillation_save(self, block, size, err);
}

static int load(void *self, const void *block, size_t size, flow_err *err)
{
    return student_distillation_load(self, block, size, err);
}

static void release(void *self)
{
    student_distillation_free(self);
}

static const flow_kept distillations = {create, save, load, release};

static int run(student_distillation *self, const distill_options *o, distill_watch watch, void *arg,
               flow_err *err)
{
    const distill_state *state = student_distillation_at(self);
    while (!student_distillation_over(self)) {
        int probed, code = student_distillation_step(self, &probed, err);
        if (code)
            return code;
        bool stop = probed && watch && watch(arg, state) && !student_distillation_over(self);
        stop = stop || (o->stop && o->stop());
        if (flow_keeper_due(o->keeper, stop) &&
            flow_keeper_keep(o->keeper, &distillations, self, err))
            return err->code;
        if (stop)
            return flow_fail(err, FLOW_ESTOPPED, "stopped after step %zu", state->step);
    }
    return 0;
}

int student_distill(flow *self, distill_state *state, flow_pool *pool, const target *teacher,
                    const distill_contexts *contexts, const distill_options *options,
                    distill_watch watch, void *arg, flow_err *err)
{
    flow_err local = FLOW_ERR_INIT;
    *state = (distill_state){.steps = options->steps};
    const subject of = {self, pool, teacher, contexts, options};
    student_distillation *d = flow_keeper_start(options->keeper, &distillations, &of, &local);
    int code = d ? run(d, options, watch, arg, &local) : local.code;
    if (d) {
        int late = student_distillation_finish(d, code ? NULL : &local);
        code = code ? code : late;
        *state = *student_distillation_at(d);
    }
    student_distillation_free(d);
    return code ? flow_fail(err, (flow_code)code, "%s", local.text) : 0;
}
