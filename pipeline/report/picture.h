/* pipeline/report/picture.h -- samples side by side: a grid of small histograms.
 *
 * One column of panels per source, one row per pair of columns of the data. A panel is a
 * two-dimensional histogram, or one of bars where both columns of the pair are the same; there the
 * outline of the first source lies over the others.
 *
 * Panels of a row share axes and shades, so that equal densities look equal:
 *   range   the central 99.5 % of the first source that has rows, in each column, plus a margin
 *   cells   about n^(1/4) a side, or n^(1/3) for bars, n the rows of the smallest source (Scott
 *           1979, "On optimal and data-based histograms": the optimal width shrinks as n^(-1 / (2 + d)))
 *   shade   log(1 + c / 4) / log(1 + largest c / 4), c the rows in a cell, scaled to n; no rows: paper
 * Rows outside the range, or not finite, are not silent: their share stands above the panel. */
#ifndef PIPELINE_REPORT_PICTURE_H
#define PIPELINE_REPORT_PICTURE_H

#include "pipeline/plot/plot.h"

#include <stddef.h>

enum {
    PICTURE_PANEL = 180, /* points, both ways, without the frame */
    PICTURE_SOURCES = 4, /* at most */
    PICTURE_PAIRS = 4    /* at most */
};

typedef struct picture_source {
    const char *title;
    const double *x; /* (n, D) */
    size_t n;
    const char *note; /* a few words below the title; NULL: none */
} picture_source;

typedef struct picture_pair {
    size_t across, up; /* columns; the same one twice: bars */
} picture_pair;

typedef struct picture {
    size_t dim;               /* D */
    const char *const *names; /* (D) */
    picture_source sources[PICTURE_SOURCES];
    size_t n_sources; /* >= 1 */
    picture_pair pairs[PICTURE_PAIRS];
    size_t n_pairs; /* >= 1 */
} picture;

typedef struct picture_counted picture_counted;

/* What is to be drawn, counted; self may go then, but for its names and texts. NULL: FLOW_ENOMEM. */
picture_counted *picture_count(const picture *self, flow_err *err);
plot_drawing picture_drawing(const picture_counted *self);
void picture_free(picture_counted *self); /* accepts NULL */

#endif
