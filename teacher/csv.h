/* teacher/csv.h -- tables of numbers as text, one row a line.
 *
 * Fields are separated by commas; by semicolons, else tabs, if the first line holds no comma.
 * Fields may be quoted ("a ""b"", c"), lines may end in CR LF, the file may start with a UTF-8 mark
 * and end in blank lines. Decimal point whatever the locale. nan and inf are numbers. */
#ifndef TEACHER_CSV_H
#define TEACHER_CSV_H

#include "flow/table.h"

#include <stdio.h>

typedef enum data_header {
    DATA_HEADER_AUTO, /* yes if a field of the first line is neither a number nor empty */
    DATA_HEADER_YES,
    DATA_HEADER_NO
} data_header;

/* FLOW_EDATA as "FILE:LINE: column C (NAME): what is wrong", both counted from 1. */
flow_table *data_csv_read(const char *path, data_header header, flow_err *err);
flow_table *data_csv_read_stream(FILE *in, const char *name, data_header header, flow_err *err);

/* Writes values (rows, cols) with 17 digits, so that reading gives the same bits; names (cols) or
 * NULL: no header. Atomic. */
int data_csv_write(const char *path, const double *values, size_t rows, size_t cols,
                   const char *const *names, flow_err *err);

/* ---- row by row; like flow_npy_writer, without the number of rows */

typedef struct data_csv_writer data_csv_writer;

data_csv_writer *data_csv_open(const char *path, size_t cols, const char *const *names,
                               flow_err *err);
data_csv_writer *data_csv_open_stream(FILE *out, const char *name, size_t cols,
                                      const char *const *names, flow_err *err);
int data_csv_append(data_csv_writer *self, const double *values, size_t n, flow_err *err);
int data_csv_close(data_csv_writer *self, flow_err *err); /* frees self */
void data_csv_discard(data_csv_writer *self);             /* accepts NULL */

#endif
