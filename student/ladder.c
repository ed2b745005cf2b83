#include "student/ladder.h"

#include "flow/unroll.h"
#include "student/speed.h"

#include <math.h>

static const student_estimate NOT_THERE = {NAN, NAN};

/* A few steps of a steep teacher leave the range of numbers: that is the rung's figure, and no failure
 * of the ladder's. */
static void be_wild(student_rung *out, flow_err *err)
{
    student_diagnostics *w = &out->weights;
    out->wild = 1;
    *w = (student_diagnostics){.psis.khat = NAN};
    w->elbo = w->eubo = w->jeffreys = w->log_z = w->kl_reverse = w->kl_forward = NOT_THERE;
    w->ess_reverse = w->ess_forward = NOT_THERE;
    *err = (flow_err)FLOW_ERR_INIT;
}

static int measure(student_rung *out, const flow *student, student_sides *sides, flow_err *err)
{
    int code = student_sides_meet(sides, student, err);
    if (!code)
        code = student_sides_diagnose(sides, &out->weights, err);
    if (code == FLOW_EDIVERGED || code == FLOW_EDATA) {
        be_wild(out, err);
        code = 0;
    }
    if (!code)
        code = student_speed_sample(&out->rows_per_s, student, sides, err);
    return code ? code : student_speed_row(&out->row_seconds, student, sides, err);
}

int student_rung_climb(student_rung *out, const flow *teacher, size_t iterations,
                       student_sides *sides, flow_err *err)
{
    *out = (student_rung){.iterations = iterations};
    const flow_unrolling how = {.iterations = iterations, .tied = true, .width = 1};
    flow *student = flow_unroll(teacher, &how, flow_get_precision(teacher), err);
    int code = student ? measure(out, student, sides, err) : err->code;
    flow_free(student);
    return code;
}

int student_rung_is_good(const student_rung *self)
{
    const student_diagnostics *w = &self->weights;
    return !self->wild && w->kl_reverse.value <= STUDENT_RUNG_KL &&
           w->kl_forward.value <= STUDENT_RUNG_KL && w->ess_reverse.value >= STUDENT_RUNG_ESS &&
           w->ess_forward.value >= STUDENT_RUNG_ESS;
}
