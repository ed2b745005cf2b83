/* pipeline/command/sweep_table.h -- what came of the points of a sweep, side by side. */
#ifndef PIPELINE_COMMAND_SWEEP_TABLE_H
#define PIPELINE_COMMAND_SWEEP_TABLE_H

#include "pipeline/command/sweep_points.h"

#include <stdio.h>

/* One object a point: {point, dir, state, code, verdict, FIGURE..., seconds, best}; figures are the one that is selected by and
 * the four of most use. A new reference; NULL: *err. */
json_t *sweep_table(const sweep_list *list, flow_err *err);

/* The same as text, with all digits in csv. */
int sweep_table_print(FILE *to, const json_t *table, sweep_form form, flow_err *err);

/* The directory of the best point; NULL: no point is done. Borrowed. */
const char *sweep_table_best(const json_t *table);

#endif
