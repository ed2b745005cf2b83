/* pipeline/report/verdict.h -- validation.json: the figures of a run, its gates and what they say.
 *
 * Its keys are listed in pipeline/README.md. They are stable; a figure that does not apply, or that could
 * not be computed, is null. */
#ifndef PIPELINE_REPORT_VERDICT_H
#define PIPELINE_REPORT_VERDICT_H

#include "pipeline/config/config.h"
#include "pipeline/report/rungs.h"
#include "pipeline/report/trials.h"
#include "student/validate.h"

#include <jansson.h>
#include <stdbool.h>

/* What a training asked of its target, layer by layer not counted, and what it took. */
typedef struct verdict_price {
    uint64_t densities, gradients, draws; /* rows asked for; gradients: of the first, with theirs */
    double target_seconds; /* of the processors, in the target, of all threads together */
    double seconds;        /* likewise, in all, the target's included */
} verdict_price;

typedef struct verdict_input {
    const student_validation *student;
    const config_gates *require;
    /* The teacher's log-likelihood on the test rows, nats a row in the user's units, and as its flow has it; NaN: there
     * are none. */
    student_estimate test, test_inside;
    size_t test_rows;
    size_t samples;
    const flow *teacher_flow; /* NULL: the teacher is none */
    const flow *student_flow;
    const distill_state *training;
    const verdict_price *price;
    const rungs_report *ladder; /* students unrolled on the way to this one; NULL: there are none */
    flow_network network;       /* of the student: how it was measured */
    const trials *trials;       /* how that was chosen; NULL: it was said */
    const char *const *names;   /* (D) */
} verdict_input;

/* Whether the gates on the student hold and its other figures are within their limits: what of the verdict hangs on its networks,
 * and on no clock. why: in any case. */
bool verdict_student_passes(char why[TRIAL_WHY], const verdict_input *in);

/* A new reference, NULL if out of memory; *pass: no gate failed. */
json_t *verdict_json(const verdict_input *in, bool *pass);

/* The lines that `distill run` prints on stderr at its end. */
void verdict_print(const verdict_input *in, const json_t *verdict);
/* The first of them alone: the verdict, its reasons, the warnings. */
void verdict_tell(const json_t *verdict);

/* In a few words for a picture: how far the teacher's samples are from the data, and the student from its teacher. */
enum { VERDICT_NOTE = 64 };
void verdict_notes(char teacher[VERDICT_NOTE], char student[VERDICT_NOTE], const verdict_input *in);

#endif
