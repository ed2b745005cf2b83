/* files/hdf5.h -- tables in HDF5 files, where the program is built with libhdf5: FILE.h5:/DATASET (or .hdf5, .hdf).
 *
 * A dataset of numbers of shape (n,) or (n, D); one of records, whose members of one number each are named columns; or a
 * group, whose datasets of shape (n,) are. Floats, integers and bools, of any size; compressed, chunked and external ones as
 * the library reads them. Members and datasets that hold something else can be left out, not asked for. */
#ifndef FILES_HDF5_H
#define FILES_HDF5_H

#include "files/stream.h"

/* Whether path is such a name, or that of such a file without a dataset. */
bool file_is_hdf5(const char *path);

/* Whether this program can read them. */
bool file_hdf5_is_built(void);

/* FLOW_EDATA names file and dataset, and lists what there is if that is missing; FLOW_EUSAGE: not built in. */
file_table *file_hdf5_read(const char *path, const file_wish *wish, flow_err *err);
file_stream *file_hdf5_stream(const char *path, const file_wish *wish, flow_err *err);

#endif
