/* pipeline/stages/why.h -- why a stage has to run: what it hangs on, held against what an earlier result of it hung on. */
#ifndef PIPELINE_STAGES_WHY_H
#define PIPELINE_STAGES_WHY_H

#include "pipeline/stages/plan.h"

/* stages/current.json of a run's directory: {"stages": {name: key}, "record": folder}, the set of results that its links show. A new
 * reference; NULL: no run came to its end there. */
json_t *why_current(const char *root);
/* FLOW_EDATA: it is there, and is not what was written. */
int why_current_check(const char *root, flow_err *err);

/* Of a stage whose result is not in the store: "student.flow.layers: 4 -> 8 and 2 more", "never ran". of: what it hangs on
 * (slices.h). The earlier result is that of the current set, else the newest. */
void why_of(char out[PLAN_WHY], const char *root, const json_t *current, const json_t *of,
            const char *key);

#endif
