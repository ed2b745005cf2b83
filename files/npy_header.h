/* files/npy_header.h -- what a .npy file says of its numbers. */
#ifndef FILES_NPY_HEADER_H
#define FILES_NPY_HEADER_H

#include "files/npy_dtype.h"
#include "flow/err.h"

#include <stdio.h>

typedef struct npy_header {
    npy_dtype dtype;
    bool fortran;             /* the numbers of a column follow one another, not those of a row */
    size_t rows, cols, count; /* count = rows * cols; cols >= 1 */
} npy_header;

/* The stream is then at the first number. FLOW_EDATA for what is no table of numbers. */
int npy_header_read(npy_header *out, FILE *in, const char *name, flow_err *err);

#endif
