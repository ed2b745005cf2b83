/* teacher/target_table.h -- the tables of numbers that a posterior is given: whole, finite, columns by name. */
#ifndef TEACHER_TARGET_TABLE_H
#define TEACHER_TARGET_TABLE_H

#include "files/table.h"

/* All columns of a .csv or .npy. FLOW_EDATA names the row and column of what is not finite. */
file_table *target_table_read(const char *path, flow_err *err);

/* The n columns of those names alone, in that order. FLOW_ECONFIG if one is not there. */
file_table *target_table_columns(const char *path, const char *const *names, size_t n,
                                 flow_err *err);

#endif
