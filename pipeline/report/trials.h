/* pipeline/report/trials.h -- what compute.network: auto tried: a student in several precisions. */
#ifndef PIPELINE_REPORT_TRIALS_H
#define PIPELINE_REPORT_TRIALS_H

#include "flow/round.h"
#include "student/speed.h"

#include <stdbool.h>
#include <stddef.h>

enum { TRIALS_MOST = 8, TRIAL_WHY = 200 };

typedef struct trial {
    flow_network network;
    bool taken;
    char why[TRIAL_WHY]; /* or why not */
    student_pace pace;   /* the clock's, of which nothing hangs; NaN: not measured */
} trial;

/* In the order in which they were tried; the last was taken. */
typedef struct trials {
    size_t n;
    trial at[TRIALS_MOST];
} trials;

/* The word of a network that a verdict's student has, if it is rounded: into the verdict; NULL: it is not. */
const char *trials_rounded(const json_t *verdict);

/* [{network, taken, why, rows_per_s, row_seconds}]: a new reference, NULL if out of memory. */
json_t *trials_json(const trials *self);

#endif
