/* teacher/read.h -- a table from a file, whatever its format. */
#ifndef TEACHER_READ_H
#define TEACHER_READ_H

#include "teacher/csv.h"

/* .npy or .csv by the ending of path. If the file names no columns and NAME.cols is beside
 * NAME.npy, its lines are the names, one each. header is for .csv only. */
flow_table *data_read(const char *path, data_header header, flow_err *err);

#endif
