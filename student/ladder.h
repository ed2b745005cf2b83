/* student/ladder.h -- what a teacher's sampler is worth when it is unrolled for T parallel steps and not
 * trained at all (flow/unroll.h; mathematics-layers 12): each T is a rung. */
#ifndef STUDENT_LADDER_H
#define STUDENT_LADDER_H

#include "student/sides.h"

typedef struct student_rung {
    size_t iterations;           /* T */
    student_diagnostics weights; /* NaN throughout if it is wild */
    double rows_per_s;           /* samples with log q, in batches */
    double row_seconds;          /* one sample a call */
    int wild; /* some of its samples are not finite, or the teacher is not at too many of them */
} student_rung;

/* The rung of T = iterations, 1 .. FLOW_MAX_ITERATIONS, in the teacher's own precision. teacher: the flow that
 * sides->teacher is in double. Errors: those of flow_unroll; FLOW_ENOMEM. err is not NULL. */
int student_rung_climb(student_rung *out, const flow *teacher, size_t iterations,
                       student_sides *sides, flow_err *err);

/* What needs no training: both KL at most so many nats, both ESS at least such a share. */
#define STUDENT_RUNG_KL 0.01
#define STUDENT_RUNG_ESS 0.95
int student_rung_is_good(const student_rung *self);

#endif
