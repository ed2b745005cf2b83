/* student/against_chain.h -- a student against long chains on its target (long_chain.h): what shows of what the student
 * misses where the target has no sampler.
 *
 * Two things are asked. Where the chains go, has the student a density? (log p~ - log q - log Z at their rows: true of each
 * row, however the chains mix.) And do its samples have the energies, log p~, that those of the chains have? (True as far as
 * the chains agree; where they do not, nobody is accused.) */
#ifndef STUDENT_AGAINST_CHAIN_H
#define STUDENT_AGAINST_CHAIN_H

#include "flow/units.h"
#include "student/energies.h"
#include "student/hunt.h"
#include "student/sides.h"

/* Above this R-hat of log p~ the chains do not agree. */
#define STUDENT_CHAIN_AGREES 1.1

/* log p~, in the user's units, of the student's samples, of those weighed by p / q, and of the chains. */
typedef enum student_energy {
    STUDENT_ENERGY_OWN,
    STUDENT_ENERGY_WEIGHED,
    STUDENT_ENERGY_CHAIN,
    STUDENT_ENERGY_COUNT
} student_energy;

typedef struct student_against_chain {
    size_t rows, chains; /* 0: there was none, and all figures are NaN */
    size_t evaluations;
    double seconds; /* the clock's */
    double rhat, rhat_column, effective, acceptance;
    size_t column;         /* of rhat_column */
    student_estimate eubo; /* mean log p~ - log q, as if the rows were the target's */
    double
        kl_forward; /* that less log Z, which is the target's own or what the student's weights say */
    size_t uncovered
        [STUDENT_UNCOVERED]; /* rows with log p~ - log q - log Z above student_uncovered_nats */
    double worst;            /* the largest */
    double apart,
        weighed_apart; /* Kolmogorov distances of the student's samples from the chains, and of weighed ones */
    double chance;     /* what these would hardly exceed between samples of one distribution */
    double lo, hi;     /* of the bins */
    student_hunt hunt; /* what is missed, where and how much, from the chains' rows */
    double quantiles[STUDENT_ENERGY_COUNT][ENERGY_QUANTILES],
        bins[STUDENT_ENERGY_COUNT][ENERGY_BINS];
} student_against_chain;

/* All NaN, 0 rows. */
extern const student_against_chain student_against_no_chain;

/* Rows of the chains that are kept to be looked at: all, or so many spread evenly over them. */
enum { STUDENT_CHAIN_KEPT = 20000 };
typedef struct student_chain_rows {
    double *x; /* (n, D) in the user's units; the caller's to free */
    size_t n;
} student_chain_rows;

typedef struct student_chain_question {
    const flow *student;
    double log_z;             /* the target's own, or the best that is known */
    const flow_units *units;  /* the user's; NULL: those of the rows */
    size_t rows;              /* of chains, at least */
    size_t chains;            /* 0: LONG_CHAIN_CHAINS */
    double effort;            /* of the hunt: times the usual (hunt_effort_of) */
    student_chain_rows *kept; /* filled also before an error; NULL: not wanted */
} student_chain_question;

/* After student_sides_meet. Errors are those of the chain and of the hunt; FLOW_EDIVERGED: the student's density at a row of
 * the chain is not a number; FLOW_EDATA: the target broke at too many of the chain's rows. */
int student_against_chain_measure(student_against_chain *out, const student_sides *sides,
                                  const student_chain_question *question, flow_err *err);

#endif
