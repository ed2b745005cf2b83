/* pipeline/report/verdict.h -- validation.json: the figures of a run, its gates and what they say.
 *
 * Keys are stable; null where a figure does not apply. Nats are of the flow's units unless said.
 *   verdict     "pass": every gate holds; "fail": one does not; "unverified": there are no gates
 *   reasons     one line per gate that failed, or why nothing was verified
 *   warnings    what a reader should know even if all gates hold
 *   kl_reverse, kl_forward, elbo, eubo, jeffreys, log_z           {value, se}
 *   ess_reverse, ess_forward                                      {value, se, ess_curve: [[N,
 * ess]]} khat {value, threshold, tail}; normalisation {mean_w, mean_inverse_w: {value, se, z}}
 *   zero_density {reverse, forward}; samples; roundtrip
 *   mode_share [{share, weight, se, teacher}] or null
 *   moments {mean, sd, correlation: {column, other, student, teacher, z, p}}
 *   two_sample {sliced_w2, energy: {value, teacher, null_mean, null_sd, p, rows}}
 *   teacher {test_log_likelihood: {value, se, rows}, ...}; speed {...}; gates [...] */
#ifndef PIPELINE_REPORT_VERDICT_H
#define PIPELINE_REPORT_VERDICT_H

#include "pipeline/config/config.h"
#include "student/validate.h"

#include <jansson.h>
#include <stdbool.h>

typedef struct verdict_input {
    const student_validation *student;
    const config_gates *require;
    double log_z;                    /* of the target; NaN: not known */
    double teacher_mean, teacher_se; /* test log-likelihood; NaN: there is none */
    size_t teacher_rows;
    size_t samples;
    const flow *teacher_flow, *student_flow;
    const distill_state *training;
    const char *const *names; /* (D) */
} verdict_input;

/* A new reference, NULL if out of memory; *pass: no gate failed. */
json_t *verdict_json(const verdict_input *in, bool *pass);

/* The lines that `distill run` prints on stderr at its end. */
void verdict_print(const verdict_input *in, const json_t *verdict);

#endif
