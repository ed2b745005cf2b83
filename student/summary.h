/* student/summary.h -- means, widths and quantiles of a target, from weighed rows of a sampler: self-normalised importance
 * sampling, with errors by the delta method (Owen 2013, ch. 9). */
#ifndef STUDENT_SUMMARY_H
#define STUDENT_SUMMARY_H

#include "student/diagnostics.h"

enum { SUMMARY_QUANTILES = 5 };
extern const double summary_levels[SUMMARY_QUANTILES]; /* .025 .25 .5 .75 .975 */

typedef struct student_summary {
    student_estimate mean, sd, quantile[SUMMARY_QUANTILES];
} student_summary;

/* Of column `column` of x (n, D) with weight (n), sum 1. A quantile's error is half the way between the quantiles at its
 * level one standard error of the distribution function to either side. FLOW_ENOMEM. n > 0. */
int student_summarise(student_summary *out, const double *x, size_t dim, size_t column,
                      const double *weight, size_t n, flow_err *err);

#endif
