/* student/validate.h -- a trained student held against its teacher.
 *
 * Draws n rows from the student and, if the teacher can be sampled, n from the teacher (of stored draws
 * at most as many as there are), and computes everything this folder knows: both KL directions, ELBO and EUBO, both effective sample
 * sizes at growing N, Pareto k-hat, log Z, moments, tails, two-sample tests, shares of known modes, what is not covered, the
 * round trip through the student, the teacher against its data, and how fast everyone samples. All numbers but the
 * speeds depend on the models, the data and the seed alone.
 *
 * Which precision measures what is in sides.h.
 */
#ifndef STUDENT_VALIDATE_H
#define STUDENT_VALIDATE_H

#include "student/against_chain.h"
#include "student/against_data.h"
#include "student/diagnostics.h"
#include "student/distill.h"
#include "student/modes.h"
#include "student/moments.h"
#include "student/sides.h"
#include "student/speed.h"
#include "student/two_sample.h"
#include "student/uncovered.h"
#include "teacher/broken.h"

#include <stdbool.h>

typedef struct student_validate_options {
    size_t samples; /* n */
    const flow *
        as_trained; /* what the student was rounded from, whose speed is measured beside it; NULL: it is not */
    size_t chain;  /* rows of long chains on the teacher, which has no context then; 0: none */
    size_t chains; /* that these are of */
    double hunt;   /* effort, times the usual (hunt_source.h) */
    uint64_t seed;
    const flow_units *units;   /* of the user, for values that are shown; NULL: those of the flow */
    const data_set *data;      /* the teacher's; NULL: it is not held against any */
    const data_part *held_out; /* of data */
} student_validate_options;

typedef struct student_validation {
    double log_z;         /* the target's own; NaN: not known */
    bool sampled;         /* the target has a sampler */
    bool teacher_is_flow; /* whose speeds were measured */
    broken_rows broken,
        teacher_broken; /* rows of the student's and of the target's samples where the
                                           target broke: left out of the weights */
    student_diagnostics weights;
    student_estimate
        log_q_forward; /* mean of the student's log q at the target's samples, in the user's units (of a
                                       grid, of points): its log-likelihood of them; NaN without a sampler */
    student_moments_difference moments; /* NaN without a sampler, as the next two */
    student_two_sample sliced_w2, energy;
    student_tails
        tails; /* of the student's samples beside the target's; nothing without a sampler */
    size_t n_modes;
    student_mode *modes, *teacher_modes; /* (n_modes) of the student's and the teacher's rows; the
                                            target's modes, of all partitions; 0 if it has none */
    const target_partition *partition;   /* that they are of; the target's own */
    student_modes_summary modes_summary;
    double roundtrip; /* max |z - f^-1(f(z))| / max(1, |z|) */
    student_uncovered uncovered;
    student_against_chain against_chain; /* 0 rows without one */
    student_chain_rows chain_rows;       /* likewise; of this struct */
    student_against_data against_data;   /* NaN without data */
    student_speed speed;
} student_validation;

/* teacher: in double. teacher_flow: the flow as it was trained, for its speeds; NULL if the teacher is
 * none. Errors: what the target said; FLOW_EDATA if it broke at too many rows (broken.h), or without
 * rows of context for a target that wants one; FLOW_EDIVERGED: the student gave numbers that are not
 * finite (diagnostics.h); FLOW_ENOMEM. */
int student_validate(student_validation *out, const flow *student, const target *teacher,
                     const flow *teacher_flow, flow_pool *pool, const distill_contexts *contexts,
                     const student_validate_options *options, flow_err *err);
void student_validation_release(student_validation *self);

/* Two of its figures alone, after student_sides_meet: the largest difference between a known mode's share
 * and its weight (NaN: no modes are known), and the round trip. err is not NULL. */
int student_mode_share_error(double *error, const student_sides *sides, flow_err *err);
int student_roundtrip(double *error, const student_sides *sides, const flow *student,
                      flow_err *err);

#endif
