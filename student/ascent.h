/* student/ascent.h -- the top of a density, from one point, by BFGS (Nocedal, Wright 2006, "Numerical optimization", 6.1), and what
 * that has learnt of its curvature on the way. */
#ifndef STUDENT_ASCENT_H
#define STUDENT_ASCENT_H

#include "teacher/target.h"

enum { ASCENT_STEPS = 400 };

/* From x (D) to a top, as near as ASCENT_STEPS evaluations come; h (D, D), symmetric and positive: a metric to start with, and then
 * about the inverse of minus the Hessian. Adds to *evaluations. A point without density: it stays there. The target's
 * errors; FLOW_ENOMEM. */
int ascent_run(double *x, double *h, size_t *evaluations, const target *t, flow_pool *pool,
               flow_err *err);

#endif
