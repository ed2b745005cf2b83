/* student/normal_fit.h -- a target that is near a normal, seen through that normal: the normal is drawn from, its rows are
 * weighed by p~ / N, mean and covariance of the weighed rows make the next one (adaptive importance sampling: Cappe et al.
 * 2004, "Population Monte Carlo"). While weights are uneven it is a power of them, the largest at which enough rows count
 * (Koblents, Miguez 2015). No slope is asked for, and a few thousand densities give moments as good as so many
 * independent draws of the target, however its columns hang together.
 *
 * Whether there is such a normal is said by the weights, and by rows that were found without it: rows of the target that
 * the normal has no density for are another piece, or a tail. */
#ifndef STUDENT_NORMAL_FIT_H
#define STUDENT_NORMAL_FIT_H

#include "teacher/target.h"

enum {
    NORMAL_FIT_SLOPES = 256, /* of a round on the way */
    NORMAL_FIT_ROUNDS = 30,  /* of these at most */
    NORMAL_FIT_FIRST = 1024,
    NORMAL_FIT_ROWS = 8192
};

typedef struct normal_fit {
    size_t n, dim;
    double *x, *log_p;  /* (n, D), (n): weighed rows of the last normal, drawn by weight */
    int known;          /* 0: no normal had even weights; the rest is nothing then */
    double log_z;       /* by the weights of the last round, of NORMAL_FIT_ROWS rows */
    double ess, khat;   /* theirs; ess: a share */
    double distance;    /* half their variance, nats: what is left to learn */
    double worst;       /* log p~ - log N - log Z of the row that was given and is worst covered */
    size_t evaluations; /* densities alone */
} normal_fit;

/* From rows (n, D) near the target, n > D, with log p~ (n) there. Rounds of NORMAL_FIT_FIRST rows until their ESS is good, at most
 * NORMAL_FIT_ROUNDS, and one of NORMAL_FIT_ROWS. The same for any number of threads. Errors: the target's; FLOW_ENOMEM.
 * normal_fit_close also after one. */
int normal_fit_run(normal_fit *self, const target *t, flow_pool *pool, double *rows, double *log_p,
                   size_t n, uint64_t seed, flow_err *err);
void normal_fit_close(normal_fit *self); /* accepts one that was never run, but is zero */

#endif
