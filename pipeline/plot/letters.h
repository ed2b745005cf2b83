/* pipeline/plot/letters.h -- text in a drawing: UTF-8, in the sans serif face of DejaVu, or what stands in for it. */
#ifndef PIPELINE_PLOT_LETTERS_H
#define PIPELINE_PLOT_LETTERS_H

#include "pipeline/plot/plot.h"

/* Sizes, points. */
#define LETTERS_SMALL 9.5
#define LETTERS_TEXT 11.0
#define LETTERS_TITLE 12.5

typedef enum letters_at { LETTERS_START, LETTERS_MIDDLE, LETTERS_END } letters_at;

typedef struct letters {
    double size;
    plot_ink ink;
    letters_at at;
    bool bold, upwards; /* from below to above */
} letters;

/* Points from its start to its end. */
double letters_width(plot *p, const char *text, letters l);

/* (x, y): start, middle or end of its base line. What is no UTF-8 is '?'. */
void letters_write(plot *p, const char *text, double x, double y, letters l);

/* The same, but no longer than `room`: the end of what is longer becomes an ellipsis. */
void letters_within(plot *p, const char *text, double room, double x, double y, letters l);

/* Whether this machine has a font. Without one Cairo draws ASCII in strokes of its own, and nothing else. */
bool letters_have_font(void);

#endif
