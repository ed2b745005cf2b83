/* student/temper.h -- the inverse temperature beta of a target p~^beta, raised from below 1 to 1.
 *
 * Measured: as far as the effective sample size of the student's rows under p~^beta allows. But never
 * behind the straight line in log beta that ends at 1 at a given share of the course. */
#ifndef STUDENT_TEMPER_H
#define STUDENT_TEMPER_H

#include <stddef.h>

typedef struct temper_line {
    double start; /* beta at the first step, in (0, 1] */
    double until; /* share of the course */
} temper_line;

/* beta after `step` of `steps` steps, from the present one and the log-densities log_p, log_q (n) of the
 * student's last rows; log_p = -inf: a row of no weight. n = 0: there are none to measure with. */
double temper_raise(double beta, const temper_line *line, size_t step, size_t steps,
                    const double *log_p, const double *log_q, size_t n);

#endif
