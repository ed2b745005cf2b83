/* student/distill_run.c -- a distillation in one go. */
#include "student/distill.h"

#include <stdbool.h>
#include <stdlib.h>

static int keep(student_distillation *self, const flow_keeper *keeper, flow_err *err)
{
    void *block = NULL;
    size_t size;
    int code = student_distillation_save(self, &block, &size, err);
    code = code ? code : keeper->keep(keeper->arg, block, size, err);
    free(block);
    return code;
}

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
        if (o->keeper && (stop || o->keeper->due(o->keeper->arg)) && keep(self, o->keeper, err))
            return err->code;
        if (stop)
            return flow_fail(err, FLOW_ESTOPPED, "stopped after step %zu", state->step);
    }
    return 0;
}

/* What a distillation is of. */
typedef struct subject {
    flow *student;
    flow_pool *pool;
    const target *teacher;
    const distill_contexts *contexts;
    const distill_options *options;
} subject;

static student_distillation *create(const subject *of, flow_err *err)
{
    return student_distillation_create(of->student, of->pool, of->teacher, of->contexts,
                                       of->options, err);
}

/* From where the keeper has it, or, where that is of another program, from the start. */
static student_distillation *start(const subject *of, flow_err *err)
{
    void *block = NULL;
    size_t size;
    const flow_keeper *keeper = of->options->keeper;
    student_distillation *self = create(of, err);
    int code = self && keeper ? keeper->find(keeper->arg, &block, &size, err) : 0;
    bool resumed = block && student_distillation_load(self, block, size, NULL) == 0;
    if (block && !resumed) {
        student_distillation_free(self);
        self = create(of, err);
    }
    free(block);
    if (self && keeper && !code)
        code = keeper->begin(keeper->arg, resumed, err);
    if (!code)
        return self;
    student_distillation_free(self);
    return NULL;
}

int student_distill(flow *self, distill_state *state, flow_pool *pool, const target *teacher,
                    const distill_contexts *contexts, const distill_options *options,
                    distill_watch watch, void *arg, flow_err *err)
{
    flow_err local = FLOW_ERR_INIT;
    *state = (distill_state){.steps = options->steps};
    const subject of = {self, pool, teacher, contexts, options};
    student_distillation *d = start(&of, &local);
    int code = d ? run(d, options, watch, arg, &local) : local.code;
    if (d) {
        int late = student_distillation_finish(d, code ? NULL : &local);
        code = code ? code : late;
        *state = *student_distillation_at(d);
    }
    student_distillation_free(d);
    return code ? flow_fail(err, (flow_code)code, "%s", local.text) : 0;
}
