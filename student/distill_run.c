/* student/distill_run.c -- a distillation in one go. */
#include "student/distill.h"

static int run(student_distillation *self, const distill_options *o, distill_watch watch, void *arg,
               flow_err *err)
{
    const distill_state *state = student_distillation_at(self);
    while (!student_distillation_over(self)) {
        int probed, code = student_distillation_step(self, &probed, err);
        if (code)
            return code;
        if (o->stop && o->stop())
            return flow_fail(err, FLOW_ESTOPPED, "stopped after step %zu", state->step);
        if (probed && watch && watch(arg, state) && !student_distillation_over(self))
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
    student_distillation *d =
        student_distillation_create(self, pool, teacher, contexts, options, &local);
    int code = d ? run(d, options, watch, arg, &local) : local.code;
    if (d) {
        int late = student_distillation_finish(d, code ? NULL : &local);
        code = code ? code : late;
        *state = *student_distillation_at(d);
    }
    student_distillation_free(d);
    return code ? flow_fail(err, (flow_code)code, "%s", local.text) : 0;
}
