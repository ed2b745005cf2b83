/* files/read.h -- a table from a file, whatever its format. */
#ifndef FILES_READ_H
#define FILES_READ_H

#include "files/wish.h"

#include <stdbool.h>

/* .npy or .csv by the ending of path, upper-case or not, or FILE.h5:/DATASET (hdf5.h). If the file names no columns and NAME.cols
 * is beside NAME.npy, its lines are the names, one each. */
file_table *file_read_wish(const char *path, const file_wish *wish, flow_err *err);

/* All columns; header is for .csv only. */
file_table *file_read(const char *path, file_header header, flow_err *err);

/* The columns and their names alone: a table of no rows, from the first bytes of the file. */
file_table *file_read_head(const char *path, file_header header, flow_err *err);

/* Whether the name says that path can be read. */
bool file_is_table(const char *path);
bool file_is_npy(const char *path);
bool file_is_csv(const char *path);

/* What to do with a file that cannot, by its ending; NULL if that says nothing. */
const char *file_read_remedy(const char *path);

#endif
