/* pipeline/report/picture_colour.h -- a scale of colours for densities: equal steps look equally large. */
#ifndef PIPELINE_REPORT_PICTURE_COLOUR_H
#define PIPELINE_REPORT_PICTURE_COLOUR_H

#include "pipeline/report/picture_canvas.h"

/* t from 0, nearly the white of the paper, to 1, the darkest; what lies outside is taken to the
 * nearer end. */
picture_rgb picture_colour(double t);

#endif
