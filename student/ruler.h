/* student/ruler.h -- the reverse KL of a student, up to log Z, on rows of its own noise that are the same each
 * time: to tell which of its weights are better on the way of a training. */
#ifndef STUDENT_RULER_H
#define STUDENT_RULER_H

#include "student/distill.h"

enum { RULER_ROWS = 16384 }; /* unless it is for a test */

typedef struct student_ruler student_ruler;

/* All but the seed are borrowed. FLOW_ENOMEM. err is not NULL, here and below. */
student_ruler *student_ruler_create(const flow *student, flow_pool *pool, const target *teacher,
                                    const distill_contexts *contexts, uint64_t seed, size_t rows,
                                    flow_err *err);
void student_ruler_free(student_ruler *self); /* accepts NULL */

/* *kl at the student's weights of the moment: NaN or infinite if they are wild. Errors are the target's. */
int student_ruler_measure(const student_ruler *self, double *kl, flow_err *err);

/* A step size of Adam for a student that is so far from its teacher: what is left to go in its weights is as
 * the root of the KL. Between 1e-5 and `most`; most where the KL is not finite. */
double student_ruler_lr(double kl, double most);

/* How good weights are whose KL has just been measured, state->kl_warm: below all scores before where they are
 * better than the start and no worse than the best by more than the rows can tell, one standard error of a KL, sqrt(2 KL /
 * RULER_ROWS) to second order; else INFINITY. So of equals the later ones are kept, whose tails are the better ones.
 * Brings kl_start and kl_least up to date. */
double student_ruler_score(distill_state *state);

#endif
