/* student/modes.h -- how much of a sample falls to each known mode, against the mode's weight.
 *
 * A student that has dropped a mode looks perfect to every figure that uses its own samples alone;
 * this one needs the modes to be known, and then sees it. */
#ifndef STUDENT_MODES_H
#define STUDENT_MODES_H

#include "flow/err.h"

#include <stddef.h>

typedef struct student_mode {
    double weight; /* the teacher's */
    double share;  /* of the n rows; NaN if n = 0 */
    double se;     /* of a share when the weight is true: sqrt(weight (1 - weight) / n) */
    double z;      /* (share - weight) / se, 0 / 0 is 0 */
    size_t count;
} student_mode;

typedef struct student_modes_summary {
    size_t worst;      /* index of the largest |share - weight| */
    double deviation;  /* that |share - weight|; NaN if n = 0 or there are no modes */
    double max_abs_z;  /* over all modes */
    size_t empty;      /* modes of positive weight without a single row */
    size_t unassigned; /* rows that belong to no mode; they count in n */
} student_modes_summary;

/* The mode of x (dim), 0 .. n_modes - 1; anything larger: none. */
typedef size_t student_mode_of(void *arg, const double *x);

/* modes (n_modes), weights (n_modes) >= 0 with sum 1, x (n, dim). */
void student_modes(student_mode *modes, student_modes_summary *summary, const double *weights,
                   size_t n_modes, const double *x, size_t n, size_t dim, student_mode_of *mode_of,
                   void *arg);

#endif
