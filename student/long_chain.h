/* student/long_chain.h -- rows of a target that has no sampler, made without the student: Hamiltonian chains (chains.h) on
 * the target itself, each from a row that was annealed from a wide start (pilot.h).
 *
 * They are near the target and not drawn from it. Between pieces that no chain crosses the shares are those of the
 * starts, which are off by what so few rows can be; how well the chains agree is measured and goes with them.
 *
 * After LONG_CHAIN_BURN moves, with the step size as it is then, every LONG_CHAIN_THIN-th state is kept. */
#ifndef STUDENT_LONG_CHAIN_H
#define STUDENT_LONG_CHAIN_H

#include "teacher/broken.h"
#include "teacher/target.h"

enum {
    LONG_CHAIN_CHAINS = 256,
    LONG_CHAIN_LEAST = 8, /* states of a chain */
    LONG_CHAIN_BURN = 20,
    LONG_CHAIN_THIN = 4,
    LONG_CHAIN_LEAPS = 10
};

typedef struct long_chain {
    size_t n, dim, chains;
    double *x, *log_p; /* (n, D), (n): state k of chain c is row k chains + c */
    /* Of log p~, and of the worst column: the split R-hat of Gelman et al., "Bayesian data analysis", 11.4: the root of
     * the variance of all rows over that within halves of chains. 1: they agree; infinite: none has moved. */
    double rhat, rhat_column;
    size_t column;    /* that one */
    double effective; /* independent rows that would know the mean of log p~ as well */
    double acceptance;
    size_t evaluations; /* those of the start included */
    size_t no_density;
    broken_rows broken;
} long_chain;

/* At least `rows` rows of `many` chains; 0: LONG_CHAIN_CHAINS. A function of target, rows and seed, whatever the number of threads. Errors are
 * those of student_pilot_run; long_chain_close also after one. */
int long_chain_run(long_chain *self, const target *t, flow_pool *pool, size_t rows, size_t many,
                   uint64_t seed, flow_err *err);
void long_chain_close(long_chain *self);

/* The split R-hat of values[(k sequences + c) stride], k < n / sequences; *effective, unless NULL, as above. */
double long_chain_rhat(double *effective, const double *values, size_t n, size_t sequences,
                       size_t stride);

#endif
