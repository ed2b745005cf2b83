/* student/pilot.h -- what a target looks like from outside, found before a student is trained for it: where it lies, how
 * wide it is, rows that are near it and its log Z, roughly.
 *
 * Rows are annealed (annealed.h) from a normal around 0, of width 1 at first. Where they come out further away than a
 * third of that width, a few rows go again from a start that is three times as wide as they are; the last round
 * has all of them. On a circle the start is uniform. */
#ifndef STUDENT_PILOT_H
#define STUDENT_PILOT_H

#include "student/annealed.h"
#include "student/distill.h"

typedef struct student_pilot {
    annealed rows; /* in the target's units */
    /* (D): mean and standard deviation of the rows; a scale is > 0. On a circle their mean direction, and 1 / stretch of
     * what draws them apart (data_kinds_fit_angle). */
    double *shift, *scale;
    double *
        u; /* (n, D): the rows in units of which a student thinks, those of target_in_units(t, shift, scale) */
    /* Rows that were put by for pieces which had few. */
    size_t filled;
    double start; /* geometric mean of the widths that the last round started from */
    size_t rounds;
    size_t evaluations; /* of all rounds */
} student_pilot;

/* n > 1 rows. The same for any number of threads. Errors are those of annealed_run; FLOW_ECONFIG: a target with
 * context. student_pilot_close also after a failure. */
int student_pilot_run(student_pilot *self, const target *t, flow_pool *pool, size_t n,
                      uint64_t seed, flow_err *err);
void student_pilot_close(student_pilot *self);

/* Fills in u of the rows first .. first + n - 1. FLOW_ENOMEM. */
int student_pilot_scale(student_pilot *self, const target *t, size_t first, size_t n,
                        flow_err *err);

/* u, for distill_options.start of a student of the target in these units (target_in_units.h). */
distill_rows student_pilot_start(const student_pilot *self);

#endif
