/* student/chains.h -- many Markov chains side by side, each of which keeps a density between two: pi with
 *
 *   log pi = a log q0 + c log p~
 *
 * q0 the density that they started from; rows stay within [-pi, pi) on the circles of the target. Moves are Hamiltonian Monte Carlo (Duane 1987), or, without slopes, random
 * walks with `leaps` 1; one step size for all, in widths of the rows, follows the share that is accepted; it is shorter by up to
 * so many decades in each row and move, where the density is much narrower in some places than in others. Where columns hang together
 * (chains_tie) a step is in the frame of their covariance: x = L y, so that it is as long along a ridge as the ridge is. */
#ifndef STUDENT_CHAINS_H
#define STUDENT_CHAINS_H

#include "teacher/broken.h"
#include "teacher/target.h"

/* Rows with what is known at each; slopes (n, D) are those of the two. */
typedef struct cloud {
    double *x, *slope_0, *slope_p, *log_0, *log_p; /* (n, D) three times, (n), (n) */
} cloud;

typedef struct chains chains;

struct chains {
    size_t n, dim;
    const target *target;
    flow_pool *pool;
    /* Fills log_0, and slope_0 where there are slopes, at x. NULL: they keep p~ alone, a is 0 in every move. */
    int (*start)(void *arg, const chains *self, cloud *at, flow_err *err);
    void *arg;
    target_asker *asker; /* of the target */
    int slopes;          /* whether the target has them */
    cloud at, next;
    double *momentum;                 /* (n, D) */
    double *kinetic, *uniform, *pace; /* (n); pace: of the step, of each row in a move */
    double *widths;                   /* (D) */
    double *lower;                    /* (D, D) L: chains_tie; NULL: none */
    target_status *status;            /* (n) */
    double *memory;
    double decades;          /* 0: all steps are alike */
    double step, acceptance; /* in widths; of the last move */
    pcg_stream stream;       /* purpose is theirs */
    uint64_t draws;          /* rows of the streams that are used up */
    size_t evaluations, no_density;
    broken_rows broken;
};

/* Of n rows; target, pool, start, arg and stream are set by the caller. FLOW_ENOMEM. */
int chains_open(chains *self, size_t n, flow_err *err);
void chains_close(chains *self); /* accepts one that was never opened, but is zero */

/* What is not x, at `at`: the target's numbers and those of the start. Rows without a density, or where the target
 * broke, have log_p = -inf; they are counted. */
int chains_look(chains *self, cloud *at, flow_err *err);

/* Widths of the rows in each column, round a circle where it is one; where they are all the same, `otherwise` (D). */
void chains_measure(chains *self, const double *otherwise);

/* From here on moves are in the frame of the rows' covariance L L^T, if some column is told by those before it to
 * CHAINS_TIED of its variance or less, there are CHAINS_PER_COLUMN rows a column or more, and none is on a circle. FLOW_ENOMEM. */
#define CHAINS_TIED 0.02
enum { CHAINS_PER_COLUMN = 5 };
int chains_tie(chains *self, flow_err *err);

/* So many moves of each row that keep a log q0 + c log p~. */
int chains_move(chains *self, double a, double c, size_t moves, size_t leaps, flow_err *err);

/* Row r of `to` = row k of `from`. */
void chains_copy(const chains *self, cloud *to, size_t r, const cloud *from, size_t k);

double chains_uniform(chains *self, uint32_t purpose); /* the next one of a stream */

#endif
