/* student/tails.h -- the tails of samples beside those of a reference, column by column, on both sides: how many rows of
 * either are beyond the reference's quantiles, and how far either goes.
 *
 * A side of a column is looked at where the reference has a hundredth and a thousandth of its rows beyond, where it has its
 * last STUDENT_TAIL_FEW (a share that has fewer is left out), and beyond the last row of the reference and of the samples.
 * So that rows that are only a little displaced are no tail, as those are that a density smears over an end of the data,
 * samples count as too many where they are beyond by STUDENT_EDGE standard deviations, and as too few where they are not
 * even that much inside: standard deviations of the reference in the units of the flow, in which also a column that is
 * mapped by a logarithm has two tails. Grids are compared in the user's units, value by value.
 *
 * Of n samples a are beyond, of m rows of the reference b. If the shares that they come from are p and q, both small, a of
 * a + b is binomial with the odds n p : m q (two Poisson counts, given their sum: Przyborowski, Wilenski 1940). Its
 * exact limit (Clopper, Pearson 1934) says by what factor p / q is above 1 at least, or below it, with the chance
 * STUDENT_TAIL_CHANCE of being wrong anywhere: a share of it for each of the comparisons that are made (Bonferroni). Where
 * both are one distribution of independent rows, any factor at all is found with at most that chance; displacement and ties
 * make it less. (A threshold that is a row of the reference makes b a fixed number and a negative hypergeometric: of too
 * many the tail sum is the same, of too few it is a little smaller.) */
#ifndef STUDENT_TAILS_H
#define STUDENT_TAILS_H

#include "flow/units.h"
#include "teacher/part.h"

#include <stdbool.h>

#define STUDENT_TAIL_CHANCE 0.01

enum {
    STUDENT_TAIL_FEW = 15,
    STUDENT_TAIL_ROWS = 1 << 18 /* of either side, at even distances, are looked at */
};

typedef enum student_tail_level {
    STUDENT_TAIL_HUNDREDTH,
    STUDENT_TAIL_THOUSANDTH,
    STUDENT_TAIL_LAST,      /* STUDENT_TAIL_FEW of the reference, or more if they are tied */
    STUDENT_TAIL_REFERENCE, /* beyond its last row: it has none there */
    STUDENT_TAIL_SAMPLES,   /* beyond theirs, and displaced */
    STUDENT_TAIL_LEVELS
} student_tail_level;

typedef struct student_tail_count {
    double beyond; /* the user's value that rows are counted beyond; NaN: it was not looked at */
    size_t samples, reference; /* rows beyond it */
    size_t farther,
        nearer; /* samples that are beyond it even if moved in by the displacement, and if moved out by it */
    double off; /* the factor of the samples' share to the reference's: at least, if above 1, at
                   most, if below; 1: it may be one share */
} student_tail_count;

typedef struct student_tail {
    double samples, reference; /* the user's value that is farthest out */
    student_tail_count level[STUDENT_TAIL_LEVELS];
} student_tail;

typedef struct student_tails {
    size_t dim, samples, reference; /* dim 0: nothing was compared; rows that were looked at */
    student_tail (*side)[2];        /* (dim): below, above; all NaN of a column that is a circle */
    double off; /* how far from 1 the farthest factor is, itself or its inverse: >= 1; NaN: none */
    size_t column; /* of it */
    bool above;
    student_tail_level level;
} student_tails;

extern const student_tails student_no_tails;

/* samples and reference: (., D), whose weights are not looked at, in the units of the flow, of which `units` makes those
 * of the user; NULL: they are. FLOW_EDIVERGED names the first number that is not finite; FLOW_ENOMEM. err is not NULL. To
 * be released also after an error. */
int student_tails_measure(student_tails *out, const data_part *samples, const data_part *reference,
                          const flow_units *units, flow_err *err);
void student_tails_release(student_tails *self);

/* The factor that p / q is at least, where a of n come from p and b of m from q, but for `chance`; 0: any. */
double student_tail_least(size_t a, size_t n, size_t b, size_t m, double chance);

#endif
