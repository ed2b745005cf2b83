/* teacher/weights.h -- rows that count more or less than others. */
#ifndef TEACHER_WEIGHTS_H
#define TEACHER_WEIGHTS_H

#include "files/table.h"
#include "flow/err.h"

/* weight (n) = the column of the rows (n) of a table, divided by its mean over the n_train that stand first.
 * Values are finite. FLOW_EDATA, with row and column, for a negative one, or if all that train are 0. */
int data_weights_read(double *weight, const file_table *table, const char *source, size_t col,
                      const size_t *rows, size_t n, size_t n_train, flow_err *err);

/* Kish's: so many rows of equal weight tell a mean as well, (sum w)^2 / sum w^2. */
double data_weights_worth(const double *weight, size_t n);

/* Of values (n), each counted by its weight (NULL: alike): the mean, and its standard error, which is NaN of
 * fewer than two. */
void data_weighted_mean(double *mean, double *se, const double *values, const double *weight,
                        size_t n);

#endif
