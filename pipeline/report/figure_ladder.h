/* pipeline/report/figure_ladder.h -- what each rung of a ladder costs and gives: KL in both directions over
 * rows a second, both axes logarithmic, and where the teacher's own sampler stands. */
#ifndef PIPELINE_REPORT_FIGURE_LADDER_H
#define PIPELINE_REPORT_FIGURE_LADDER_H

#include "pipeline/plot/plot.h"
#include "student/ladder.h"

/* A KL below this is drawn there: it is no more than rounding and noise. */
#define FIGURE_LADDER_LEAST 1e-6

typedef struct figure_ladder {
    const student_rung *rungs; /* (n), n > 0; wild ones are left out */
    size_t n;
    double teacher;    /* rows a second of its own sampler */
    double x[2], y[2]; /* the spans of the axes */
} figure_ladder;

/* self is filled, and kept as long as the drawing is. */
plot_drawing figure_ladder_of(figure_ladder *self, const student_rung *rungs, size_t n,
                              double teacher);

#endif
