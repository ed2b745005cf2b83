/* pipeline/plot/plot.h -- drawings made once and written as SVG, PDF or PNG, through Cairo.
 *
 * A drawing is a function that draws on a sheet of so many points; y goes down. It allocates nothing and cannot fail: Cairo
 * remembers what went wrong, and plot_render says it. The same drawing has the same bytes, whatever the time: they depend on the
 * versions of Cairo and of the font, and on nothing else. */
#ifndef PIPELINE_PLOT_PLOT_H
#define PIPELINE_PLOT_PLOT_H

#include "flow/err.h"
#include "pipeline/plot/ink.h"

#include <cairo.h>
#include <stdbool.h>
#include <stddef.h>

typedef struct plot {
    cairo_t *cairo;
    double width, height; /* points */
    bool marks;           /* inks are written as what stands for them (ink.h) */
} plot;

/* What is drawn. */
typedef struct plot_drawing {
    double width, height; /* points */
    void (*draw)(plot *p, const void *of);
    const void *of;
} plot_drawing;

typedef enum plot_format {
    PLOT_PAGE, /* SVG for a page, in marks (svg.h) */
    PLOT_PDF,
    PLOT_PNG /* two pixels a point, on white */
} plot_format;

typedef struct plot_bytes {
    char *at; /* and a 0 behind the last */
    size_t n, room;
} plot_bytes;

void plot_bytes_release(plot_bytes *self);
/* False: no memory. */
bool plot_bytes_add(plot_bytes *self, const void *from, size_t n);

/* *out is empty before, and to be released also after an error. FLOW_ENOMEM; FLOW_EBUG: what Cairo says else. */
int plot_render(plot_bytes *out, const plot_drawing *drawing, plot_format format, flow_err *err);

/* Into a file, atomically. FLOW_ECREATE and FLOW_EIO, too. */
int plot_write(const char *path, const plot_drawing *drawing, plot_format format, flow_err *err);

/* ---- for drawings */

typedef struct plot_stroke {
    plot_ink ink;
    double width; /* points */
    double dash;  /* points on and off; 0: a whole line */
    double cover; /* 0: nothing seen, up to 1 */
} plot_stroke;

void plot_use(plot *p, plot_ink ink, double cover);
/* Strokes the path, and forgets it. */
void plot_stroke_path(plot *p, plot_stroke s);
void plot_line(plot *p, double x0, double y0, double x1, double y1, plot_stroke s);
void plot_fill(plot *p, double left, double top, double width, double height, plot_ink ink,
               double cover);

#endif
