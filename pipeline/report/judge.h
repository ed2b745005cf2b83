/* pipeline/report/judge.h -- what the gates of validate.require look at, and the limits that hold without them. */
#ifndef PIPELINE_REPORT_JUDGE_H
#define PIPELINE_REPORT_JUDGE_H

#include "pipeline/config/config.h"
#include "pipeline/config/gates.h"
#include "student/ladder.h"
#include "student/validate.h"

#include <stdbool.h>

/* The figures of a run. */
typedef struct judged {
    double value[GATE_COUNT]; /* NaN: not known, or not measured */
    double limit[GATE_COUNT]; /* the worst that is good without a gate; NaN: anything is */
} judged;

/* test_log_likelihood: of the teacher, with its standard error, in the user's units and in those of the flow. */
void judge_run(judged *out, const student_validation *figures, student_estimate test_log_likelihood,
               student_estimate test_in_flow_units);

/* Whether a figure is within its limit. */
bool judge_within(const judged *self, gate_figure which);

/* How far the larger of two distances lies above its null, in standard deviations of that; NaN if they were not
 * measured. */
double judge_two_sample(const student_two_sample *a, const student_two_sample *b);

/* By how much the distance of the student's energies from the chains' is above chance; NaN: there are no chains, or they do
 * not agree. */
double judge_energies(const student_against_chain *chain);

/* By how much the teacher's log-likelihood, in the units of the flow, differs between training and test rows at least: less four standard errors, for
 * each column; NaN: unknown. */
double judge_gap(const student_against_data *teacher, student_estimate test_log_likelihood);

/* Whether a student passes all gates that look at its quality: not those of its teacher, which it cannot change, nor
 * of its speed, which the clock says and not the seed, nor those that are measured on the last student alone. Without
 * such gates: student_rung_is_fine. */
bool judge_rung(const student_rung *rung, double log_z, const config_gates *require);

#endif
