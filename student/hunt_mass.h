/* student/hunt_mass.h -- how much probability lies in regions that a student misses: proposals on them, weighed (hunt.h). */
#ifndef STUDENT_HUNT_MASS_H
#define STUDENT_HUNT_MASS_H

#include "student/proposal.h"
#include "student/sides.h"

enum {
    HUNT_MOST = 32, /* regions that are told apart, and Student's t */
    HUNT_NEXT = 1024
};

typedef struct hunt_mass {
    size_t regions;
    const size_t *region; /* (groups of the proposals): which each is of; borrowed */
    student_estimate *of; /* (regions): share of all probability in each; the caller's */
    student_estimate all; /* and in all */
    double ess, khat;     /* of the proposals' weights: rows, shape */
    double log_z;         /* with it */
    double *next;         /* (HUNT_NEXT, D): missed rows drawn by weight, for better proposals; the
                             caller's */
    size_t n_next;        /* HUNT_NEXT, or 0: no proposal was missed */
    size_t evaluations;
} hunt_mass;

/* With n proposals; regions, region, of and next are set by the caller. A row is missed if log p~ - log q > limit; student:
 * as hunt_input has it. Errors as student_hunt_run. */
int hunt_mass_weigh(hunt_mass *out, const student_sides *sides, const flow *student,
                    const proposal *proposals, double limit, size_t n, flow_err *err);

/* Whether the weights of n proposals are as good as one can ask for; and whether they are good enough for the mass less three of
 * its errors to be believed. */
bool hunt_mass_is_good(const hunt_mass *self, size_t n);
bool hunt_mass_holds(const hunt_mass *self);

#endif
