/* pipeline/stages/plan.h -- which stages of a run have to run, and why: what they hang on now, against what is in the store. */
#ifndef PIPELINE_STAGES_PLAN_H
#define PIPELINE_STAGES_PLAN_H

#include "pipeline/stages/slices.h"
#include "pipeline/stages/store.h"

enum { PLAN_WHY = 320 };

typedef enum plan_what {
    PLAN_OUT,   /* the config does not ask for it */
    PLAN_SKIP,  /* its result is there */
    PLAN_RUN,   /* it has to run */
    PLAN_LATER, /* it has to, and is not wanted: it is behind --until */
} plan_what;

typedef struct plan_step {
    plan_what what;
    char why[PLAN_WHY];
    char key[FILE_SHA256];
    bool goes_on;  /* of RUN: from where it was stopped */
    bool unsure;   /* it, or one before it, reads what nobody knows before it is read: a pipe */
    json_t *of;    /* slices_of; NULL: OUT */
    json_t *entry; /* of SKIP: its stage.json */
} plan_step;

typedef struct plan {
    plan_step at[STAGE_COUNT];
    json_t *files; /* {key: {file, sha256}} of all files that are read */
    json_t *
        current; /* stages/current.json: the set that users see; NULL: there is none that is whole */
} plan;

/* Names of stages; NULL: none. */
typedef struct plan_wishes {
    const char *force, *from, *until; /* run this one; this one and all behind it; none behind it */
} plan_wishes;

/* root: the directory of the run, which need not be there. Writes nothing. FLOW_EUSAGE for a stage that does not exist or is not
 * asked for; FLOW_ENOMEM. To be released also after an error. */
int plan_make(plan *out, const char *root, const config *c, known *memory,
              const plan_wishes *wishes, flow_err *err);
void plan_release(plan *self);

/* Whether no stage has to run. */
bool plan_is_idle(const plan *self);

/* The table on stdout. */
void plan_print(const plan *self);
/* [{stage, action, why, key}]: a new reference, NULL without memory. */
json_t *plan_json(const plan *self);

#endif
