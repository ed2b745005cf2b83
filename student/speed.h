/* student/speed.h -- how fast a flow is on this machine, with all threads of a pool. The clock's figures: they
 * differ from call to call, and nothing else depends on them. */
#ifndef STUDENT_SPEED_H
#define STUDENT_SPEED_H

#include "student/sides.h"

/* A rate, and the seconds of a single row; NaN where there is nothing to time. */
typedef struct student_pace {
    double rows_per_s;
    double row_seconds;
} student_pace;

/* Everyone who samples, with log-densities: all of it is run, nothing is derived from something else. */
typedef struct student_speed {
    student_pace student; /* one parallel pass */
    student_pace
        as_trained; /* the same with networks that are not rounded; NaN: they are not anyhow */
    student_pace teacher_incremental; /* by its own inverse, about one masked pass */
    student_pace
        teacher_naive; /* a full pass a group of columns (D for a MAF), as other libraries sample: the
                                         teacher unrolled for all of its passes (flow/unroll.h), which is exact. NaN
                                         for a teacher that cannot be unrolled, or not so far */
    double teacher_density; /* rows a second of log p */
} student_speed;

extern const student_speed student_not_timed;

/* teacher: NULL if it is no flow, and none of its is timed. */
int student_speed_all(student_speed *out, const flow *student, const flow *teacher,
                      const student_sides *sides, flow_err *err);

/* Rows a second of the flow's samples with their log-density, in batches of up to 16384 of the sides' rows
 * and their contexts, as many as take some three milliseconds: the best of the calls that fit in a fifth of a second, one at
 * least. NaN for no rows. */
int student_speed_sample(double *rate, const flow *f, const student_sides *sides, flow_err *err);

/* Likewise of its log-density, at the student's rows. */
int student_speed_density(double *rate, const flow *f, const student_sides *sides, flow_err *err);

/* Seconds that one sample with its log-density takes, one row a call: the median of the calls that fit in a
 * twentieth of a second, 5 at least. NaN for no rows. */
int student_speed_row(double *seconds, const flow *f, const student_sides *sides, flow_err *err);

/* The rate of samples, and the seconds of one. */
int student_speed_both(double *rate, double *seconds, const flow *f, const student_sides *sides,
                       flow_err *err);

#endif
