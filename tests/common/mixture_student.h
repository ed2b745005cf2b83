/* tests/common/mixture_student.h -- a student that is a mixture of normals whose places are set by hand: what it has and what it
 * lacks is known. */
#ifndef TESTS_COMMON_MIXTURE_STUDENT_H
#define TESTS_COMMON_MIXTURE_STUDENT_H

#include "flow/flow.h"

/* shift, log_scale (n, D); logit (n) of the shares, NULL: they are equal. The caller's to free. */
flow *mixture_student(size_t dim, size_t n, const double *shift, const double *log_scale,
                      const double *logit);

#endif
