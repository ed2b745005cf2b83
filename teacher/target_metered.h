/* teacher/target_metered.h -- a target that counts what is asked of it, and how long that takes: its price apart from
 * that of everything else. */
#ifndef TEACHER_TARGET_METERED_H
#define TEACHER_TARGET_METERED_H

#include "teacher/target.h"

#include <stdatomic.h>

/* Since it was zero. What several threads ask at once counts as often. */
typedef struct target_meter {
    atomic_ullong densities;   /* rows whose log-density was asked for; of those ... */
    atomic_ullong gradients;   /* ... with their gradient */
    atomic_ullong draws;       /* rows that its sampler gave */
    atomic_ullong nanoseconds; /* of the processors, by the threads that asked */
} target_meter;

/* The target `of` in every respect; the meter counts. Both are borrowed. */
target *target_metered(const target *of, target_meter *meter, flow_err *err);

#endif
