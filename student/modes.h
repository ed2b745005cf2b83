/* student/modes.h -- how much of a sample falls to each known mode, against the mode's weight.
 *
 * A student that has dropped a mode looks perfect to every figure that uses its own samples alone;
 * this one needs the modes to be known, and then sees it. */
#ifndef STUDENT_MODES_H
#define STUDENT_MODES_H

#include "teacher/target.h"

#include <stddef.h>

typedef struct student_mode {
    size_t partition; /* of the target_modes */
    size_t number;    /* in that one */
    double weight;    /* the teacher's */
    double share;     /* of the n rows; NaN if n = 0 */
    double se;        /* of a share when the weight is true: sqrt(weight (1 - weight) / n) */
    double z;         /* (share - weight) / se, 0 / 0 is 0 */
    size_t count;
} student_mode;

typedef struct student_modes_summary {
    size_t worst;     /* index of the largest |share - weight|, of all partitions */
    double deviation; /* that |share - weight|; NaN if n = 0 or there are no modes */
    double p; /* of one as large by chance alone, among as many shares: at most (Bonferroni) */
    double
        chance; /* what the largest is by chance alone in STUDENT_MODES_CHANCE of all samples, at most */
    double max_abs_z;  /* over all modes */
    size_t empty;      /* modes of positive weight without a single row */
    size_t unassigned; /* times that a row belongs to no mode of a partition; it counts in n */
} student_modes_summary;

/* One in a hundred. */
#define STUDENT_MODES_CHANCE 0.01

/* modes (target_modes_count(known)): partition after partition; x (n, dim). FLOW_ENOMEM. */
int student_modes(student_mode *modes, student_modes_summary *summary, const target_modes *known,
                  const double *x, size_t n, size_t dim, flow_err *err);

#endif
