/* pipeline/report/picture_energies.h -- how log p~ is distributed over a student's samples, over those weighed by p / q,
 * and over long chains on the target. */
#ifndef PIPELINE_REPORT_PICTURE_ENERGIES_H
#define PIPELINE_REPORT_PICTURE_ENERGIES_H

#include "student/against_chain.h"

/* Of a chain with rows. Atomically; errors as picture_canvas_write. */
int picture_energies(const char *path, const student_against_chain *chain, flow_err *err);

#endif
