/* teacher/kinds.h -- the kinds of columns put to work on rows: values checked, noise added, the circle
 * cut. */
#ifndef TEACHER_KINDS_H
#define TEACHER_KINDS_H

#include "files/table.h"
#include "teacher/column_kind.h"

#include <stdint.h>

/* Rows of a table that became rows of a data set. */
typedef struct data_rows {
    const file_table *table;
    const char *source; /* what messages call the table */
    const size_t *cols; /* (D) columns of the table */
    const size_t *rows; /* (n) rows of the table, those that train first */
    size_t n, n_train;
    uint64_t seed;
    bool wrap; /* periodic columns are wrapped */
} data_rows;

/* units (D) and x (n, D) = the maps and the rows, each column of its kind: kinds (D). x is read as the table
 * has it; what is of a step gets its noise, which depends on the place of the row in the table alone.
 * Shift and scale are left as they are. FLOW_ECONFIG: a kind that is none; FLOW_EDATA: row, column and
 * value that are outside of it. */
int data_kinds_apply(flow_units *units, double *x, const data_kind *kinds, const data_rows *from,
                     flow_err *err);

/* Shift, scale and stretch of an angle from the values t[0], t[stride], ... (n): their mean direction comes to 0, and
 * half of them are half a radian away at least, so that the pieces of a spline can tell them apart. More
 * would be more even, and bend what columns have to do with one another. FLOW_ENOMEM. */
int data_kinds_fit_angle(flow_unit *unit, const double *t, size_t n, size_t stride, flow_err *err);

/* t (n, D), rows as flow_units_to_flow gives them with shift 0 and scale 1: each row's wrapped columns are cut a little
 * before or after the cut, the row's own draw of where. The density of the rows then ends in ramps that a flow
 * can follow and not in steps, and, wrapped round, it is the same. */
void data_kinds_blur_cuts(const flow_units *units, double *t, const data_rows *from);

#endif
