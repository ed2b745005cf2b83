/* tests/pipeline/drawn.h -- a drawing as who looks at it sees it: its pixels. */
#ifndef TESTS_PIPELINE_DRAWN_H
#define TESTS_PIPELINE_DRAWN_H

#include "pipeline/plot/plot.h"

#include <stdint.h>

typedef struct drawn {
    cairo_surface_t *image;
    size_t width, height; /* pixels, of which there are two a point */
} drawn;

/* As PNG, and read back; must succeed. */
drawn drawn_open(const plot_drawing *drawing);
void drawn_close(drawn *self);

/* 0xrrggbb. */
uint32_t drawn_pixel(const drawn *self, size_t x, size_t y);
uint32_t drawn_ink(plot_ink ink);

/* Pixels of an ink, to a few steps of its tones, in a share of the width and below so many points. */
size_t drawn_count(const drawn *self, plot_ink ink, double from, double to, double below);

#endif
