/* student/hunt_rounds.h -- proposals on what a hunt has found, and better ones on what those found (population Monte Carlo:
 * Cappe, Guillin, Marin, Robert 2004), until their weights are good. */
#ifndef STUDENT_HUNT_ROUNDS_H
#define STUDENT_HUNT_ROUNDS_H

#include "student/hunt_mass.h"

enum { HUNT_ROUNDS = 4 };

/* Missed rows. */
typedef struct hunt_seeds {
    const double *x;      /* (n, D) */
    const size_t *region; /* (n): of each, 0 .. regions - 1; SIZE_MAX: none */
    size_t n, dim;
} hunt_seeds;

/* At most HUNT_ROUNDS rounds of n proposals; *out is that of the largest effective size, whose regions and of are set by the caller. Its
 * groups are by k-means, each of the region that most of its rows are in. Errors as student_hunt_run. */
int hunt_rounds_go(hunt_mass *out, const student_sides *sides, const flow *student,
                   const hunt_seeds *seeds, double limit, size_t n, flow_err *err);

/* Where the largest of n counts is, n > 0: the first of several. */
size_t hunt_largest_of(const size_t *count, size_t n);

#endif
