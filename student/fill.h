/* student/fill.h -- more rows for pieces of a target that few rows of its pilot fell into: a component that is placed
 * on a handful of rows is too far off, in many dimensions, for training to find it worth anything. */
#ifndef STUDENT_FILL_H
#define STUDENT_FILL_H

#include "student/pieces.h"
#include "student/pilot.h"

enum { FILL_LEAST = 16 }; /* rows of a piece; or as many as there are columns */

/* Appends copies of the rows of such pieces, moved on at the target until they are rows of their own, to rows and u of
 * the pilot; its shift and scale stay. Rows that `found` does not know belong to the piece of the nearest one
 * that it does. The same for any number of threads. The target's errors; FLOW_ENOMEM. */
int student_fill(student_pilot *self, const target *t, flow_pool *pool, const pieces *found,
                 uint64_t seed, flow_err *err);

#endif
