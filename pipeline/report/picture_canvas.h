/* pipeline/report/picture_canvas.h -- a raster of 8-bit sRGB and its way into a PNG file. */
#ifndef PIPELINE_REPORT_PICTURE_CANVAS_H
#define PIPELINE_REPORT_PICTURE_CANVAS_H

#include "flow/err.h"

#include <stddef.h>

typedef struct picture_rgb {
    unsigned char r, g, b;
} picture_rgb;

/* Row 0 is the top one. Whatever is drawn outside is cut off. */
typedef struct picture_canvas {
    size_t width, height;
    picture_rgb *pixels; /* (height, width) */
} picture_canvas;

/* All white. FLOW_ENOMEM; release is fine after a failure, too. */
int picture_canvas_init(picture_canvas *self, size_t width, size_t height, flow_err *err);
void picture_canvas_release(picture_canvas *self);

/* A filled rectangle. */
void picture_canvas_fill(picture_canvas *self, long left, long top, long width, long height,
                         picture_rgb ink);

/* The outline, one pixel wide, of a rectangle just around the given one. */
void picture_canvas_frame(picture_canvas *self, long left, long top, long width, long height,
                          picture_rgb ink);

/* One pixel becomes a mixture: cover = 1 is all ink, 0 leaves it. */
void picture_canvas_blend(picture_canvas *self, long x, long y, picture_rgb ink, double cover);

/* From the point (x, y) to the nearest one of the straight line between two others. */
double picture_distance(double x, double y, double x0, double y0, double x1, double y1);

/* A straight line between two points, with round ends and smooth edges; a dot if they are one. */
void picture_canvas_stroke(picture_canvas *self, double x0, double y0, double x1, double y1,
                           double width, picture_rgb ink);

/* Atomically. The bytes depend on the pixels and the versions of libpng and zlib, on nothing else.
 * FLOW_ECREATE, FLOW_EIO, FLOW_ENOMEM. */
int picture_canvas_write(const picture_canvas *self, const char *path, flow_err *err);

#endif
