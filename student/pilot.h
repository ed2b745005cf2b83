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
    int precise;  /* rows are weighed ones of a normal that is near (sketch.h) */
    double start; /* geometric mean of the widths that the last round started from */
    size_t rounds;
    size_t evaluations; /* of all rounds */
} student_pilot;

/* How much is asked of the target for a row; what rows are drawn by. */
typedef struct pilot_effort {
    size_t scouts; /* rows of a round that looks for the start */
    double ess;
    size_t moves, last_moves; /* those of annealed_options */
    uint32_t stage;           /* of the streams of the rounds, and up to 6 more */
} pilot_effort;

/* What a pilot takes; and what does where a normal is near, whose rows are then drawn from it (normal_fit.h). */
extern const pilot_effort pilot_effort_usual, pilot_effort_sketch;

/* n > 1 rows. The same for any number of threads. Errors are those of annealed_run; FLOW_ECONFIG: a target with
 * context. student_pilot_close also after a failure. */
int student_pilot_run(student_pilot *self, const target *t, flow_pool *pool,
                      const pilot_effort *effort, size_t n, uint64_t seed, flow_err *err);
void student_pilot_close(student_pilot *self);

/* Other rows, x (n, D) with log_p (n), in the place of those that it has; place and widths are theirs. Of a target without
 * circles. FLOW_ENOMEM: it is as it was. */
int student_pilot_replace(student_pilot *self, const target *t, const double *x,
                          const double *log_p, size_t n, flow_err *err);

/* Fills in u of the rows first .. first + n - 1. FLOW_ENOMEM. */
int student_pilot_scale(student_pilot *self, const target *t, size_t first, size_t n,
                        flow_err *err);

/* u, for distill_options.start of a student of the target in these units (target_in_units.h). */
distill_rows student_pilot_start(const student_pilot *self);

#endif
