/* files/stream.h -- the rows of a data file, block by block, as often as they are wanted: memory holds a block,
 * however large the file is.
 *
 * A .npy file is read where it lies. Text is parsed once, and what cannot be read twice (a pipe) is read once; the
 * numbers are put by (spool.h). */
#ifndef FILES_STREAM_H
#define FILES_STREAM_H

#include "files/wish.h"

typedef struct file_stream file_stream;

/* Of the wanted columns, as file_read_wish would read them; the errors are the same, though some of a .npy file come
 * with its rows. */
file_stream *file_stream_open(const char *path, const file_wish *wish, flow_err *err);

/* The rows of a table, which is borrowed. */
file_stream *file_stream_of_table(const file_table *table, flow_err *err);
void file_stream_free(file_stream *self); /* accepts NULL */

/* The columns, the note and how many rows there are. It has no values, but where it is the table that was given. */
const file_table *file_stream_head(const file_stream *self);

/* *rows (*n, cols) = the next of them, which stay until the next call; *n = 0: there are no more, and the next call
 * begins again. FLOW_EDATA if the file was changed meanwhile; FLOW_EIO. */
int file_stream_next(file_stream *self, const double **rows, size_t *n, flow_err *err);

/* The next call begins with the first row. */
void file_stream_rewind(file_stream *self);

#endif
