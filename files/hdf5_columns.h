/* files/hdf5_columns.h -- an open HDF5 file, and what of it is a table. */
#ifndef FILES_HDF5_COLUMNS_H
#define FILES_HDF5_COLUMNS_H

#include "flow/err.h"

#include <hdf5.h>
#include <stdbool.h>
#include <stddef.h>

typedef struct hdf5_column {
    char *name;
    hid_t set;     /* of a group: its own dataset; -1 */
    bool readable; /* as a number */
} hdf5_column;

typedef struct hdf5_columns {
    hid_t file, set; /* set -1: a group's */
    size_t rows, cols;
    hdf5_column *named; /* (cols); NULL: columns of a matrix */
} hdf5_columns;

/* Of FILE:/DATASET; dataset NULL is an error that lists what there is. self is to be closed afterwards in any case. */
int hdf5_columns_open(hdf5_columns *self, const char *file, const char *dataset, flow_err *err);
void hdf5_columns_close(hdf5_columns *self);

/* to (n, cols) = rows first .. of a matrix; to (n) = those of one named column. 0, or -1 if the library cannot. */
int hdf5_columns_read_rows(const hdf5_columns *self, double *to, size_t first, size_t n);
int hdf5_columns_read_column(const hdf5_columns *self, double *to, size_t col, size_t first,
                             size_t n);

#endif
