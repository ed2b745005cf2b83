/* tests/common/far_modes.h -- a target that is hard to find without draws of it: three round normals in the plane, ten
 * and more widths from each other, with shares .6, .3 and .1. */
#ifndef TESTS_COMMON_FAR_MODES_H
#define TESTS_COMMON_FAR_MODES_H

#include "teacher/target.h"

enum { FAR_MODES = 3 };

/* Normalised, with a gradient and a sampler. target_free releases it. */
target *far_modes_create(void);

extern const double far_modes_share[FAR_MODES];

/* The mode that x (2) is nearest to. */
size_t far_modes_nearest(const double *x);

/* A flow of splines that starts at N(0, 1), parallel in this direction. */
flow *far_modes_flow(flow_direction direction);
flow *far_modes_student(void); /* from noise to data */

/* The shares of what the student draws nearest each mode are within `most` of the target's. */
void check_far_modes(const flow *student, double most);

#endif
