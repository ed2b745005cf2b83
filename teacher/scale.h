/* teacher/scale.h -- where the values of a column are and how wide they spread. */
#ifndef TEACHER_SCALE_H
#define TEACHER_SCALE_H

#include "teacher/numbers.h"

#include <stdbool.h>
#include <stddef.h>

typedef struct data_scale {
    double mean, sd; /* sd: of the n values, divided by n */
    bool constant;
    bool trimmed; /* mean and sd are without the farthest values */
} data_scale;

/* Of x (n), whose order may be another one afterwards. Where a thousandth of them on either side holds eight
 * ninths of the variance or more, mean and sd are those of the others: one value a million times as
 * large as the rest would squeeze all of them into a point. */
void data_scale_measure(data_scale *out, double *x, size_t n);

/* The same of rows that are weighed, weight (n, 1): a posterior's rows are often drawn from a prior that is a thousand times as
 * wide. A thousandth is of the weight then, and rows of weight 0 are none. Of weights that are worth
 * fewer than five rows (weights.h) it is the other. */
void data_scale_weighted(data_scale *out, double *x, const data_numbers *weight, size_t n);

/* Mean and sd of sorted (n) without the farthest thousandth, at least one value, on either side; of all
 * where fewer than three would be left. */
void data_scale_trimmed(double *mean, double *sd, const double *sorted, size_t n);

/* How many values on either side that leaves out. */
size_t data_scale_cut(size_t n);

/* Whether so large a part of the spread is in so few values. */
bool data_scale_is_wild(double sd, double trimmed_sd);

#endif
