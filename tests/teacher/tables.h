/* tests/teacher/tables.h -- tables in which every number tells its place, and data sets of them. */
#ifndef TESTS_TEACHER_TABLES_H
#define TESTS_TEACHER_TABLES_H

#include "teacher/dataset.h"

/* The number in a place. */
double data_value_at(size_t row, size_t col);
file_table *data_table(size_t rows, size_t cols, const char *const *names);

/* "time", "price", "1" */
extern const char *const data_names3[];

/* The numbers of a part in double: (n, D), and (n, C). */
double *data_x(const data_part *part);
double *data_context(const data_part *part);

/* A data set that must be made, or refused with this code and text; both free the table. */
data_set *data_made(file_table *table, const data_options *options);
void data_refuse(file_table *table, const data_options *options, int code, const char *want);

/* Values as they are: no standardizing, everything trains. */
data_options data_plain(void);

#endif
