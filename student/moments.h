/* student/moments.h -- means, standard deviations and correlations of a sample, with standard
 * errors, and how many of those errors lie between two samples.
 *
 * The errors come from the sample's own fourth moments (delta method), not from normality, so they
 * hold for skewed and heavy-tailed columns as long as the fourth moments exist. Rows are taken as
 * independent. */
#ifndef STUDENT_MOMENTS_H
#define STUDENT_MOMENTS_H

#include "teacher/numbers.h"

#include <stddef.h>

/* Read the arrays; moments_create made them in one block and moments_free releases it. */
typedef struct student_moments {
    size_t n, dim;
    double *mean, *mean_se;               /* (dim) */
    double *sd, *sd_se;                   /* (dim): divisor n - 1 */
    double *correlation, *correlation_se; /* (dim, dim): symmetric, diagonal 1 and 0 */
} student_moments;

/* x (n, dim). NaN where a figure is not defined: everything if n = 0; errors, deviations and
 * correlations if n = 1. A constant column has deviation 0 and correlation 0 with the others.
 * Errors: FLOW_EDIVERGED names the first number that is not finite; FLOW_ENOMEM. */
student_moments *student_moments_create(const double *x, size_t n, size_t dim, flow_err *err);

/* The same of rows that are read a few at a time. */
student_moments *student_moments_of(const data_numbers *x, size_t n, flow_err *err);
void student_moments_free(student_moments *self);

/* The largest difference of one kind, in standard errors. */
typedef struct student_worst {
    size_t column, other; /* other: the second column of a correlation, else = column */
    double student, reference;
    double z; /* (student - reference) / hypot(se, se); 0 / 0 is 0 */
    double p; /* of |z| this large among all of its kind, Bonferroni: min(1, count P(|N| > |z|)) */
} student_worst;

/* By how much a figure is off at least: the largest |difference| of its kind, less four of its standard errors, and 0
 * where they explain all of it. Large samples make any difference many standard errors large; this is whether it
 * matters. */
typedef struct student_excess {
    size_t column, other;
    double
        value; /* mean: in the reference's standard deviations; sd: as a share of the reference's;
                     correlation: as it is. NaN: none is defined */
} student_excess;

typedef struct student_moments_difference {
    student_worst mean, sd, correlation;
    student_excess mean_excess, sd_excess, correlation_excess;
} student_moments_difference;

/* Both have the same dim. A kind without members (no columns, one column's correlations) or without
 * a defined z has z = p = NaN. */
void student_moments_compare(student_moments_difference *out, const student_moments *student,
                             const student_moments *reference);

#endif
