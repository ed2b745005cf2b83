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

enum { RUNGS_NAME = 48 };

/* "t2", "t2_w0.5": what a size is called in files; and "T = 2, width 0.5", in text. out has RUNGS_NAME bytes and is
 * returned. */
const char *rungs_name(char *out, const flow_unrolling *how);
const char *rungs_size(char *out, const flow_unrolling *how);

/* A KL as it is shown with four digits: no "-0.0000". */
double rungs_shown(double kl);

/* A new reference; NULL: no memory. */
json_t *rungs_json(const rungs_report *self);

/* The table on stderr. */
void rungs_print(const rungs_report *self);

#endif
