/* files/csv.h -- tables of numbers as text, one row a line.
 *
 * Read as people have them. The delimiter is a comma, a semicolon, a tab or blanks, whichever cuts the
 * first two lines alike, into numbers; with semicolons, decimals may have commas. Fields may be quoted
 * ("a ""b"", c"), lines may end in CR LF, the file may start with a UTF-8 mark, hold comments (# ...)
 * and end in blank lines. A column without a name in the header (the index of pandas) and names of
 * rows as R writes them are left out. What is missing (empty, NA, ...) is nan. Fields of columns that
 * are not wanted may hold anything. Decimal point whatever the locale. nan and inf are numbers. */
#ifndef FILES_CSV_H
#define FILES_CSV_H

#include "files/stream.h"
#include "files/wish.h"

#include <stdio.h>

/* FLOW_EDATA as "FILE:LINE: column C 'NAME' (counted from 0): what is wrong"; lines count from 1. */
file_table *file_csv_read(const char *path, const file_wish *wish, flow_err *err);
file_table *file_csv_read_stream(FILE *in, const char *name, const file_wish *wish, flow_err *err);

/* The same row by row (stream.h): the numbers are put by, and nothing is wrong with them. */
file_stream *file_csv_stream(const char *path, const file_wish *wish, flow_err *err);

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
/* Fewer significant digits from the next row on, 1 .. 17; 9 tell floats apart. */
void file_csv_digits(file_csv_writer *self, int digits);
int file_csv_append(file_csv_writer *self, const double *values, size_t n, flow_err *err);
int file_csv_close(file_csv_writer *self, flow_err *err); /* frees self */
void file_csv_discard(file_csv_writer *self);             /* accepts NULL */

#endif
