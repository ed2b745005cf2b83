/* files/stream_source.h -- where a stream has its numbers from: what a format gives for stream.h. */
#ifndef FILES_STREAM_SOURCE_H
#define FILES_STREAM_SOURCE_H

#include "files/spool.h"
#include "files/stream.h"

#include <stdbool.h>

typedef struct stream_source {
    void *arg;
    /* to (n) = numbers first .. first + n - 1, in the order of the file */
    int (*read)(void *arg, double *to, size_t first, size_t n, flow_err *err);
    void (*free)(void *arg);
    size_t rows, cols; /* of the file */
    bool fortran;      /* column after column */
    size_t *slots;     /* (cols) of the head; FILE_UNWANTED: dropped. NULL: all, as they are */
} stream_source;

/* Takes head and source over, also if it fails. */
file_stream *file_stream_create(file_table *head, const stream_source *source, flow_err *err);

/* Numbers that were put by, row after row or column after column. */
stream_source stream_source_of_spool(file_spool *spool, size_t rows, size_t cols);

#endif
