/* teacher/numbers.h -- rows of numbers, held in the precision of the flow that they are for and read as double. */
#ifndef TEACHER_NUMBERS_H
#define TEACHER_NUMBERS_H

#include "flow/flow.h" /* flow_precision */

#include <stddef.h>
#include <stdint.h>

/* A view: who made it says who owns what it points to. */
typedef struct data_numbers {
    void *at; /* (.., width) of float or double; NULL: there are none */
    flow_precision precision;
    size_t width;
    const uint32_t *pick; /* row i is row pick[i] of what is there; NULL: row i */
} data_numbers;

/* Room for n rows, not set; at is the caller's to free. FLOW_ENOMEM: out->at is NULL. */
int data_numbers_create(data_numbers *out, size_t n, size_t width, flow_precision precision,
                        flow_err *err);

/* A view of doubles x (.., width), which are only read; NULL: none. */
data_numbers data_numbers_of(const double *x, size_t width);

/* The rows from `first` on, of a view without pick. */
data_numbers data_numbers_from(const data_numbers *self, size_t first);

/* to (n, width) = rows first .. first + n - 1. */
void data_numbers_copy(double *to, const data_numbers *self, size_t first, size_t n);

/* One row written, rounded to the precision; of a view without pick. */
void data_numbers_put(const data_numbers *self, size_t row, const double *x);

double data_number(const data_numbers *self, size_t row, size_t col);

#endif
