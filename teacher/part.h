/* teacher/part.h -- rows of a data set: those that train, those that validate, those of the test. */
#ifndef TEACHER_PART_H
#define TEACHER_PART_H

#include "teacher/numbers.h"

/* A view of a block that holds all parts (dataset.h). */
typedef struct data_part {
    data_numbers x;       /* (n, D) in the units of the flow */
    data_numbers context; /* (n, C) likewise; at NULL if C = 0 */
    data_numbers weight;  /* (n, 1), of mean 1 over the training rows; at NULL: all count alike */
    size_t n;
} data_part;

/* Rows as double: x (n, D), context (n, C) or NULL, from row `first` of the part on. */
typedef int (*data_visit)(void *arg, double *x, double *context, size_t first, size_t n,
                          flow_err *err);

/* Visits all rows in their order, so few at a time that memory is no matter; x and context may be written
 * over. Up to the first visit that fails. FLOW_ENOMEM. */
int data_part_visit(const data_part *self, data_visit visit, void *arg, flow_err *err);

#endif
