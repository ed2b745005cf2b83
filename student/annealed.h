/* student/annealed.h -- rows that are near a target, made without a flow: from a wide normal to the target by
 * annealed sequential Monte Carlo (Del Moral, Doucet, Jasra 2006).
 *
 *   log pi_b = (1 - b) log N(x; shift, scale^2) + b log p~(x),  b from 0 to 1
 *
 * with the uniform in place of N on circles. Each b is as far from the one before as lets a share `ess` of the rows stay
 * effective; the rows are resampled, and moved by Hamiltonian Monte Carlo, or, where the target has no gradient, by random walks, whose step sizes follow
 * their acceptance. Where the start is wide, modes keep their shares on the way, more or less; log Z comes along.
 *
 * The same for any number of threads. Only targets without context. */
#ifndef STUDENT_ANNEALED_H
#define STUDENT_ANNEALED_H

#include "teacher/broken.h"
#include "teacher/target.h"

typedef struct annealed_options {
    size_t rows;
    const double *shift, *scale; /* (D): of the start */
    double ess;                  /* in (0, 1) */
    size_t moves, last_moves;    /* at each b, and at the last one */
    size_t leaps;                /* evaluations of a move */
    pcg_stream stream;           /* purpose is the callee's */
} annealed_options;

typedef struct annealed {
    size_t n, dim;
    double *x, *log_p; /* (n, D), (n): of equal weight */
    double log_z;      /* an estimate */
    size_t steps;      /* values of b above 0 */
    size_t evaluations, no_density;
    broken_rows broken;
    double acceptance; /* at the last b */
    double step;       /* of the last move, in widths of the rows */
} annealed;

/* 64 rows, moves and leaps of the usual kind. */
annealed_options annealed_options_default(void);

/* FLOW_EDIVERGED if no row has a density, or b does not get to 1; the target's errors; FLOW_ENOMEM. annealed_close
 * also after a failure. */
int annealed_run(annealed *self, const target *t, flow_pool *pool, const annealed_options *options,
                 flow_err *err);
void annealed_close(annealed *self);

#endif
