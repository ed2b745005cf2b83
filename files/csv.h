/* files/csv.h -- tables of numbers as text, one row a line.
 *
 * Fields are separated by commas; by semicolons, else tabs, if the first line holds no comma.
 * Fields may be quoted ("a ""b"", c"), lines may end in CR LF, the file may start with a UTF-8 mark
 * and end in blank lines. Decimal point whatever the locale. nan and inf are numbers. */
#ifndef FILES_CSV_H
#define FILES_CSV_H

#include "files/table.h"

#include <stdio.h>

typedef enum file_header {
    FILE_HEADER_AUTO, /* yes if a field of the first line is neither a number nor empty */
    FILE_HEADER_YES,
    FILE_HEADER_NO
} file_header;

/* FLOW_EDATA as "FILE:LINE: column C (NAME): what is wrong", both counted from 1. */
file_table *file_csv_read(const char *path, file_header header, flow_err *err);
file_table *file_csv_read_stream(FILE *in, const char *name, file_header header, flow_err *err);

/* The columns and their names alone, from the first line: a table of no rows. */
file_table *file_csv_read_head(const char *path, file_header header, flow_err *err);

/* Writes values (rows, cols) with 17 digits, so that reading gives the same bits; names (cols) or
 * NULL: no header. Atomic. */
int file_csv_write(const char *path, const double *values, size_t rows, size_t cols,
                   const char *const *names, flow_err *err);

/* ---- row by row; like file_npy_writer, without the number of rows */

typedef struct file_csv_writer file_csv_writer;

file_csv_writer *file_csv_open(const char *path, size_t cols, const char *const *names,
                               flow_err *err);
file_csv_writer *file_csv_open_stream(FILE *out, const char *name, size_t cols,
                                      const char *const *names, flow_err *err);
int file_csv_append(file_csv_writer *self, const double *values, size_t n, flow_err *err);
int file_csv_close(file_csv_writer *self, flow_err *err); /* frees self */
void file_csv_discard(file_csv_writer *self);             /* accepts NULL */

#endif
