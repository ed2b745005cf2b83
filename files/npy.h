/* files/npy.h -- NumPy's .npy files: formats 1.0, 2.0 and 3.0 read, 1.0 written.
 * Source: NumPy documentation, numpy.lib.format ("Format Version 1.0" to "3.0"). */
#ifndef FILES_NPY_H
#define FILES_NPY_H

#include "files/stream.h"
#include "files/wish.h"
#include "flow/flow.h" /* flow_precision */

#include <stdio.h>

/* Reads floats of 2, 4 and 8 bytes, integers and bools, of either byte order, in C or Fortran order,
 * of shape (n,) or (n, D) with D >= 1; (n,) becomes (n, 1). Only the wanted columns are kept. Anything
 * else, a header that does not hold together and a file longer or shorter than its header says are
 * FLOW_EDATA; memory is taken only for bytes that are there. */
file_table *file_npy_read(const char *path, const file_wish *wish, flow_err *err);

/* The same from an open stream, up to its end; name is for messages. Pipes work. */
file_table *file_npy_read_stream(FILE *in, const char *name, const file_wish *wish, flow_err *err);

/* The same row by row (stream.h). Where the file ends too early or is changed, that is said with its rows. */
file_stream *file_npy_stream(const char *path, const file_wish *wish, flow_err *err);

/* Writes values (rows, cols) at once; cols = 0 writes a vector of shape (rows,). Atomic.
 * A finite number that FLOW_F32 cannot hold is FLOW_EDATA. */
int file_npy_write(const char *path, const double *values, size_t rows, size_t cols,
                   flow_precision precision, flow_err *err);

/* ---- row by row, when the rows do not fit in memory: open, append ..., close or discard */

typedef struct file_npy_writer file_npy_writer;

/* To a file that appears on close, or to a stream (stdout) that stays open; shape as above. */
file_npy_writer *file_npy_open(const char *path, size_t rows, size_t cols, flow_precision precision,
                               flow_err *err);
file_npy_writer *file_npy_open_stream(FILE *out, const char *name, size_t rows, size_t cols,
                                      flow_precision precision, flow_err *err);

/* The next n rows. More than `rows` in all is FLOW_EUSAGE. */
int file_npy_append(file_npy_writer *self, const double *values, size_t n, flow_err *err);

/* Both free self. close with rows missing is FLOW_EIO, and no file appears. */
int file_npy_close(file_npy_writer *self, flow_err *err);
void file_npy_discard(file_npy_writer *self); /* accepts NULL */

#endif
