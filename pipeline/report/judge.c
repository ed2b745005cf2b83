#include "pipeline/report/judge.h"

#include <math.h>

double judge_figure(const judge_figures *self, gate_figure which)
{
    const student_diagnostics *d = self->weights;
    switch (which) {
    case GATE_KL_REVERSE:
        return d->kl_reverse.value;
    case GATE_KL_FORWARD:
        return d->kl_forward.value;
    case GATE_JEFFREYS:
        return d->jeffreys.value;
    case GATE_ELBO:
        return d->elbo.value;
    case GATE_EUBO:
        return d->eubo.value;
    case GATE_LOG_Z_SIGMAS:
        return fabs(d->log_z.value - self->log_z) / hypot(d->log_z.se, STUDENT_ROUNDING);
    case GATE_ESS_REVERSE:
        return d->ess_reverse.value;
    case GATE_ESS_FORWARD:
        return d->ess_forward.value;
    case GATE_KHAT:
        return d->psis.khat;
    case GATE_MODE_SHARE_ERROR:
        return self->mode_share_error;
    case GATE_ROUNDTRIP:
        return self->roundtrip;
    case GATE_TEACHER_TEST_LOG_LIKELIHOOD:
        return self->teacher_mean;
    case GATE_STUDENT_ROWS_PER_S:
        return self->rows_per_s;
    case GATE_COUNT:
        break;
    }
    return NAN;
}

static bool of_quality(gate_figure which)
{
    return which != GATE_TEACHER_TEST_LOG_LIKELIHOOD && which != GATE_STUDENT_ROWS_PER_S;
}

bool judge_rung(const student_rung *rung, double log_z, const config_gates *require)
{
    const judge_figures figures = {.weights = &rung->weights,
                                   .log_z = log_z,
                                   .mode_share_error = rung->mode_share_error,
                                   .roundtrip = rung->roundtrip,
                                   .teacher_mean = NAN,
                                   .rows_per_s = NAN};
    size_t looked_at = 0;
    for (size_t i = 0; i < require->n; i++) {
        const gate *g = &require->at[i];
        if (!of_quality(g->figure))
            continue;
        looked_at++;
        if (!gate_holds(g, judge_figure(&figures, g->figure)))
            return false;
    }
    return looked_at ? true : student_rung_is_fine(rung);
}
