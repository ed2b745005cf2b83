/* pipeline/report/judge.h -- what the gates of validate.require look at. */
#ifndef PIPELINE_REPORT_JUDGE_H
#define PIPELINE_REPORT_JUDGE_H

#include "pipeline/config/config.h"
#include "pipeline/config/gates.h"
#include "student/ladder.h"

#include <stdbool.h>

/* NaN: not known, or not measured. */
typedef struct judge_figures {
    const student_diagnostics *weights;
    double log_z; /* the target's own */
    double mode_share_error, roundtrip;
    double teacher_mean; /* log-likelihood of its test rows */
    double rows_per_s;
} judge_figures;

double judge_figure(const judge_figures *self, gate_figure which);

/* Whether a student passes all gates that look at its quality: not those of its teacher, which it cannot change, nor
 * of its speed, which the clock says and not the seed. Without such gates: student_rung_is_fine. */
bool judge_rung(const student_rung *rung, double log_z, const config_gates *require);

#endif
