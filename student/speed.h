/* student/speed.h -- how fast a flow is on this machine, with all threads of a pool. The clock's figures: they
 * differ from call to call, and nothing else depends on them. */
#ifndef STUDENT_SPEED_H
#define STUDENT_SPEED_H

#include "student/sides.h"

/* Rows a second of the flow's samples with their log-density, in batches of up to 16384 of the sides' rows
 * and their contexts: the best of the calls that fit in a fifth of a second, one at least. NaN for no
 * rows. */
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
