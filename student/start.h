/* student/start.h -- the weights that a training began with, to go back to if it made the student worse:
 * a student that starts as its teacher (flow/unroll.h) is never handed over with less than its start.
 *
 * Better and worse is the reverse KL on rows of its own, the same noise and contexts both times. */
#ifndef STUDENT_START_H
#define STUDENT_START_H

#include "student/distill.h"

enum { START_ROWS = 4096 };

typedef struct student_start student_start;

/* Keeps the student's weights. All but the seed are borrowed. Errors are those of the target; FLOW_ENOMEM. */
student_start *student_start_create(flow *student, flow_pool *pool, const target *teacher,
                                    const distill_contexts *contexts, uint64_t seed, flow_err *err);
void student_start_free(student_start *self); /* accepts NULL */

/* After the training: gives the student its first weights back if its KL is not below theirs, or not a
 * number. *back: whether it did. */
int student_start_judge(student_start *self, int *back, flow_err *err);

#endif
