/* student/two_sample.h -- do two samples come from one distribution? Three distances, each beside
 * what it is between two samples of the teacher and a permutation p-value.
 *
 *   sliced W2  sqrt(mean over random unit directions of W2^2 of the projections): in the units of x
 *              (Bonneel et al. 2015)
 *   energy     2 E|X - Y| - E|X - X'| - E|Y - Y'|, unbiased, Euclidean norms (Szekely, Rizzo 2013)
 *   mmd2       unbiased MMD^2 (the diagonal dropped), kernel exp(-|x - y|^2 / (2 h^2)) with h the
 *              median distance in the pooled sample (Gretton et al. 2012)
 *
 * All three use `rows` = min(max_rows, n, m) rows of each sample, spread evenly over it (which
 * thins reference draws that come from Markov chains). The p-value is (1 + #{permuted >= observed})
 * / (1 + permutations) over random relabellings of the pooled rows, valid at any number of rows:
 * under equality p <= a has chance <= a. null_mean and null_sd are of the permuted values. */
#ifndef STUDENT_TWO_SAMPLE_H
#define STUDENT_TWO_SAMPLE_H

#include "flow/err.h"
#include "flow/pcg.h"

#include <stddef.h>

typedef struct student_two_sample_options {
    size_t max_rows;     /* cost: rows^2 for energy and mmd2, rows * directions for sliced W2 */
    size_t permutations; /* the smallest p-value is 1 / (1 + permutations) */
    size_t directions;   /* of sliced W2 only */
    const double *scale; /* (dim), > 0: columns are divided by it first; NULL: as they are */
} student_two_sample_options;

/* 2000 rows, 199 permutations, 200 directions, no scale. */
extern const student_two_sample_options student_two_sample_defaults;

typedef struct student_two_sample {
    double value;
    double teacher;            /* the same between two disjoint sets of `rows` rows of the
                                  reference; NaN if it has fewer than 2 * rows */
    double null_mean, null_sd; /* of the permuted values; NaN without permutations */
    double p;                  /* 1 without permutations */
    size_t rows;               /* of each sample */
    size_t permutations;
} student_two_sample;

/* x (n, dim) from the student, y (m, dim) from the teacher. Deterministic in the stream, which a
 * call uses up. rows < 2 or dim = 0: every figure is NaN, p is 1. The three may share a stream:
 * what they have in common are the relabellings. Errors: FLOW_EDIVERGED for a number that is not
 * finite among the rows used; FLOW_ENOMEM. */
int student_sliced_w2(student_two_sample *out, const double *x, size_t n, const double *y, size_t m,
                      size_t dim, const student_two_sample_options *options, pcg_stream stream,
                      flow_err *err);
int student_energy_distance(student_two_sample *out, const double *x, size_t n, const double *y,
                            size_t m, size_t dim, const student_two_sample_options *options,
                            pcg_stream stream, flow_err *err);
int student_mmd2(student_two_sample *out, const double *x, size_t n, const double *y, size_t m,
                 size_t dim, const student_two_sample_options *options, pcg_stream stream,
                 flow_err *err);

#endif
