#include "student/ladder.h"

#include "student/speed.h"
#include "student/validate.h"

#include <math.h>

static const student_estimate NOT_THERE = {NAN, NAN};

/* A few steps of a steep teacher leave the range of numbers: that is the rung's figure, and no failure
 * of the ladder's. */
static void be_wild(student_rung *out, flow_err *err)
{
    student_diagnostics *w = &out->weights;
    out->wild = true;
    out->mode_share_error = out->roundtrip = NAN;
    *w = (student_diagnostics){.psis.khat = NAN};
    w->elbo = w->eubo = w->jeffreys = w->log_z = w->kl_reverse = w->kl_forward = NOT_THERE;
    w->ess_reverse = w->ess_forward = NOT_THERE;
    *err = (flow_err)FLOW_ERR_INIT;
}

static int measure_quality(student_rung *out, const flow *student, student_sides *sides,
                           flow_err *err)
{
    int code = student_sides_meet(sides, student, err);
    if (!code)
        code = student_sides_diagnose(sides, &out->weights, err);
    if (!code)
        code = student_mode_share_error(&out->mode_share_error, sides, err);
    return code ? code : student_roundtrip(&out->roundtrip, sides, student, err);
}

int student_rung_measure(student_rung *out, const flow *student, student_sides *sides,
                         flow_err *err)
{
    out->wild = false;
    int code = measure_quality(out, student, sides, err);
    if (code == FLOW_EDIVERGED || code == FLOW_EDATA) {
        be_wild(out, err);
        code = 0;
    }
    if (code)
        return code;
    return student_speed_both(&out->rows_per_s, &out->row_seconds, student, sides, err);
}

/* In the place of one of its own. */
static int be_rounded(flow **student, flow_network network, flow_err *err)
{
    flow *rounded = flow_round(*student, network, err);
    if (!rounded)
        return err->code;
    flow_free(*student);
    *student = rounded;
    return 0;
}

/* One that cannot be rounded, for its own samples are not finite, is measured as it is: then it is wild. */
int student_rung_climb(student_rung *out, const flow *teacher, size_t iterations,
                       flow_network network, student_sides *sides, flow_err *err)
{
    *out = (student_rung){.how = {.iterations = iterations, .tied = true, .width = 1}};
    flow *student = flow_unroll(teacher, &out->how, flow_get_precision(teacher), err);
    int code = student ? 0 : err->code;
    if (!code && network != FLOW_NETWORK_AS_IS)
        code = be_rounded(&student, network, err);
    if (!code || (student && code == FLOW_EDATA)) {
        *err = (flow_err)FLOW_ERR_INIT;
        code = student_rung_measure(out, student, sides, err);
    }
    flow_free(student);
    return code;
}

static bool within(const student_rung *self, double kl)
{
    const student_diagnostics *w = &self->weights;
    return !self->wild && w->kl_reverse.value <= kl && w->kl_forward.value <= kl &&
           w->ess_reverse.value >= STUDENT_RUNG_ESS && w->ess_forward.value >= STUDENT_RUNG_ESS;
}

bool student_rung_is_good(const student_rung *self)
{
    return within(self, STUDENT_RUNG_KL);
}

bool student_rung_is_fine(const student_rung *self)
{
    return within(self, STUDENT_RUNG_KL / 10);
}
