/* teacher/target_columns.h -- what a user says of a target's columns: where they end, and which are on circles. */
#ifndef TEACHER_TARGET_COLUMNS_H
#define TEACHER_TARGET_COLUMNS_H

#include "teacher/target.h"

/* NULL, or why it cannot be said of a column of a density: it has no values that could be on a grid or on an end. */
const char *target_column_fault(char why[DATA_KIND_WHY], const data_kind *said);

/* The target `of`, which is taken over, also by an error, with what `columns` says of it: {NAME: a data_kind as JSON}, of
 * some columns or all. It may be made narrower than it says of itself, not wider, and a circle of its own stays as it is.
 * Beyond its ends there is no density then; what was known of the wider one, sampler, modes and log Z, is known no
 * more, but for a log Z that was meant for this one (log_z_stays). `of` itself if nothing is narrower and no half line is mapped otherwise. FLOW_ECONFIG
 * names column and reason. */
target *target_with_columns(target *of, const json_t *columns, bool log_z_stays, flow_err *err);

#endif
