/* teacher/look_column.h -- the figures of one column of a table. */
#ifndef TEACHER_LOOK_COLUMN_H
#define TEACHER_LOOK_COLUMN_H

#include "teacher/look.h"

/* Where a column is looked at: table is not asked for values; work (2 LOOK_ROWS, or 2 rows if those are fewer). */
typedef struct look_place {
    const file_table *table;
    const data_plan *plan;
    file_stream *rows;
    const double *x; /* (n) of the column that is looked at, by place */
    double *work;
} look_place;

/* Numbers that work must hold. */
size_t look_work(const data_plan *plan);

/* Row i of count rows at even distances out of n; count < 2^32. */
size_t look_spread_out(size_t i, size_t count, size_t n);

/* out->col and out->context are set by the caller. */
void look_at_column(look_column *out, const look_place *at);

/* A number on a grid is known to within this much of a value. */
double look_rounding(const look_column *of);

#endif
