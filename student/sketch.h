/* student/sketch.h -- a target that is all but a normal, found by a tenth of what a pilot (pilot.h) asks: few rows are annealed to it, with
 * few moves, which tells pieces and about where it is; the rest is told by a normal on them (normal_fit.h), whose weighed
 * rows are what a student starts from.
 *
 * It holds where the rows lie in one piece, the normal's weights are even and have no heavy tail, and each annealed row
 * is one of the normal's. Anything else is left to the pilot. */
#ifndef STUDENT_SKETCH_H
#define STUDENT_SKETCH_H

#include "student/pilot.h"

enum {
    SKETCH_ROWS = 256,
    SKETCH_DIM = 16 /* columns: rows that are hardly moved lose pieces in more */
};

typedef struct student_sketch {
    int holds;
    student_pilot pilot; /* NORMAL_FIT_ROWS rows, if it holds */
    size_t evaluations;  /* densities, those with a slope included */
} student_sketch;

/* Whether it can be tried: slopes, at most SKETCH_DIM columns, no circles, no context, and no flow. */
int student_sketch_suits(const target *t);

/* Of a target that suits. The same for any number of threads. Errors: the target's; FLOW_ENOMEM. Where no row can be
 * annealed it does not hold. student_sketch_close also after an error. */
int student_sketch_run(student_sketch *self, const target *t, flow_pool *pool, uint64_t seed,
                       flow_err *err);
void student_sketch_close(student_sketch *self); /* accepts one that was never run, but is zero */

#endif
