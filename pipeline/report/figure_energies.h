/* pipeline/report/figure_energies.h -- how log p~ is distributed over a student's samples, over those weighed by p / q,
 * and over long chains on the target. */
#ifndef PIPELINE_REPORT_FIGURE_ENERGIES_H
#define PIPELINE_REPORT_FIGURE_ENERGIES_H

#include "pipeline/plot/plot.h"
#include "student/against_chain.h"

/* Of a chain with rows, which is kept as long as the drawing is. */
plot_drawing figure_energies_of(const student_against_chain *chain);

#endif
