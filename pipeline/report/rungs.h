/* pipeline/report/rungs.h -- the ladder of a run as it is reported: students unrolled from the teacher, untrained and
 * trained, and the teacher itself. */
#ifndef PIPELINE_REPORT_RUNGS_H
#define PIPELINE_REPORT_RUNGS_H

#include "student/search.h"

#include <jansson.h>

typedef struct rungs_report {
    student_rungs rungs;
    double teacher_rows_per_s, teacher_row_seconds; /* by its own, incremental inverse */
} rungs_report;

enum { RUNGS_NAME = 32 };

/* "t2", "t2_w0.5": what a size is called in files. out has RUNGS_NAME bytes; returns it. */
const char *rungs_name(char *out, const flow_unrolling *how);

/* A new reference; NULL: no memory. */
json_t *rungs_json(const rungs_report *self);

/* The table on stderr. */
void rungs_print(const rungs_report *self);

#endif
