/* student/arrive.h -- rows that have not come to where a density has its mass are led there: up its slope, in the metric of a
 * normal that is known, x + s L L^T slope, the step s halved twice where that goes down. A row that is of another hill stays on it. */
#ifndef STUDENT_ARRIVE_H
#define STUDENT_ARRIVE_H

#include "teacher/target.h"

/* Rows x (n, D) with log p~ (n), where that is below `enough`, until it is not, in so many steps at most; lower (D, D): L. Adds to
 * *evaluations. The same for any number of threads. The target's errors; FLOW_ENOMEM. */
int rows_arrive(double *x, double *log_p, size_t *evaluations, const target *t, flow_pool *pool,
                const double *lower, double enough, size_t n, size_t steps, flow_err *err);

#endif
