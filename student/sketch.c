#include "student/sketch.h"

#include "student/normal_fit.h"
#include "student/psis.h"

static const double EVEN = 0.7, /* ESS of the normal's weights, a share */
    MISSED = 5; /* nats: an annealed row that the normal has too little density for */

int student_sketch_suits(const target *t)
{
    return t->flags & TARGET_GRADIENT && t->dim <= SKETCH_DIM && !t->circles && !t->context &&
           !t->flow;
}

static int takes_all(const normal_fit *fit)
{
    return fit->known && fit->ess > EVEN && fit->khat < psis_threshold(fit->n) &&
           fit->worst < MISSED;
}

/* Rows of the normal, by weight, in the place of the annealed ones. */
static int fit(student_sketch *self, const target *t, flow_pool *pool, uint64_t seed, flow_err *err)
{
    normal_fit fit;
    const annealed *rows = &self->pilot.rows;
    int code = normal_fit_run(&fit, t, pool, rows->x, rows->log_p, rows->n, seed, err);
    self->evaluations += fit.evaluations;
    if (!code && takes_all(&fit)) {
        code = student_pilot_replace(&self->pilot, t, fit.x, fit.log_p, fit.n, err);
        self->pilot.rows.log_z = fit.log_z;
        self->holds = self->pilot.precise = !code;
    }
    normal_fit_close(&fit);
    return code;
}

int student_sketch_run(student_sketch *self, const target *t, flow_pool *pool, uint64_t seed,
                       flow_err *err)
{
    flow_err why = FLOW_ERR_INIT;
    *self = (student_sketch){.holds = 0};
    int code =
        student_pilot_run(&self->pilot, t, pool, &pilot_effort_sketch, SKETCH_ROWS, seed, &why);
    self->evaluations = self->pilot.evaluations;
    if (code)
        return code == FLOW_EDIVERGED ? 0 : flow_fail(err, (flow_code)code, "%s", why.text);
    return fit(self, t, pool, seed, err);
}

void student_sketch_close(student_sketch *self)
{
    student_pilot_close(&self->pilot);
}
