/* teacher/weights.h -- rows that count more or less than others. */
#ifndef TEACHER_WEIGHTS_H
#define TEACHER_WEIGHTS_H

#include "teacher/numbers.h"
#include "teacher/pass.h"

/* weight (n, 1), by place = the plan's column of weights, divided by its mean over the rows that train. FLOW_EDATA, with
 * row and column, for a negative one, or if all that train, validate or test are 0. */
int data_weights_read(const data_numbers *weight, file_stream *rows, const data_plan *plan,
                      const char *source, flow_err *err);

/* Kish's: so many rows of equal weight tell a mean as well, (sum w)^2 / sum w^2. */
double data_weights_worth(const data_numbers *weight, size_t n);

/* Of values (n), each counted by its weight (at NULL: alike): the mean, and its standard error, which is NaN of
 * fewer than two. */
void data_weighted_mean(double *mean, double *se, const double *values, const data_numbers *weight,
                        size_t n);

#endif
