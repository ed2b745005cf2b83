/* pipeline/report/picture_ladder.h -- what each rung of a ladder costs and gives: KL in both directions over
 * rows a second, both axes logarithmic, and where the teacher's own sampler stands. */
#ifndef PIPELINE_REPORT_PICTURE_LADDER_H
#define PIPELINE_REPORT_PICTURE_LADDER_H

#include "student/ladder.h"

/* A KL below this is drawn there: it is no more than rounding and noise. */
#define PICTURE_LADDER_LEAST 1e-6

/* rungs (n), n > 0; wild ones are left out. teacher: rows a second of its own sampler. Atomically; errors as
 * picture_canvas_write. */
int picture_ladder(const char *path, const student_rung *rungs, size_t n, double teacher,
                   flow_err *err);

#endif
