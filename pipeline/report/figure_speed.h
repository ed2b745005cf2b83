/* pipeline/report/figure_speed.h -- rows a second of all that was timed, as bars on a logarithmic axis. */
#ifndef PIPELINE_REPORT_FIGURE_SPEED_H
#define PIPELINE_REPORT_FIGURE_SPEED_H

#include "pipeline/plot/plot.h"

#include <jansson.h>

enum { FIGURE_SPEEDS = 5 };

typedef struct figure_speed {
    const char *text[FIGURE_SPEEDS];
    plot_ink ink[FIGURE_SPEEDS];
    double rate[FIGURE_SPEEDS];
    size_t n;
} figure_speed;

/* From validation.json; false: nothing was timed. The drawing is of self. */
bool figure_speed_read(figure_speed *self, const json_t *verdict);
plot_drawing figure_speed_of(const figure_speed *self);

#endif
