/* pipeline/report/picture_text.h -- lettering for pictures: an alphabet of strokes, drawn smoothly at any
 * size, so that no font has to be found on the machine. Printable ASCII; every other character of
 * UTF-8 is a box. */
#ifndef PIPELINE_REPORT_PICTURE_TEXT_H
#define PIPELINE_REPORT_PICTURE_TEXT_H

#include "pipeline/report/picture_canvas.h"

typedef struct picture_pen {
    double size;   /* height of a capital letter, pixels */
    double weight; /* width of a stroke, pixels */
    picture_rgb ink;
} picture_pen;

typedef enum picture_align { PICTURE_START, PICTURE_MIDDLE, PICTURE_END } picture_align;
typedef enum picture_turn { PICTURE_ACROSS, PICTURE_UPWARDS } picture_turn;

/* From the left edge of the first letter to the right edge of the last, pixels. */
double picture_text_width(const char *text, picture_pen pen);

/* (x, y), from the top left corner of the canvas, is the start, middle or end of the base line. */
void picture_text(picture_canvas *canvas, const char *text, double x, double y, picture_pen pen,
                  picture_align align, picture_turn turn);

/* The same, but no longer than `room` pixels: the end of a longer text becomes "...". */
void picture_text_within(picture_canvas *canvas, const char *text, double room, double x, double y,
                         picture_pen pen, picture_align align, picture_turn turn);

#endif
