/* pipeline/plot/panel.h -- a rectangle with two axes, and what is drawn in it. Arrays are of numbers as the axes have them; what is
 * not a number leaves a gap. */
#ifndef PIPELINE_PLOT_PANEL_H
#define PIPELINE_PLOT_PANEL_H

#include "pipeline/plot/axis.h"
#include "pipeline/plot/letters.h"

typedef struct plot_panel {
    double left, top, width, height; /* points, of the frame */
    plot_axis x, y;
} plot_panel;

/* Ticks of both axes, as many as there is room for. */
void panel_ticks(plot_panel *self);

/* Lines to read values by; before what is drawn, as the frame is after it. */
void panel_grid(plot *p, const plot_panel *self);
void panel_frame(plot *p, const plot_panel *self);
/* Numbers below and left, with the axis's name. NULL: no name. */
void panel_across(plot *p, const plot_panel *self, const char *name);
void panel_up(plot *p, const plot_panel *self, const char *name);
/* What is drawn between these is cut off at the frame. */
void panel_cut(plot *p, const plot_panel *self);
void panel_uncut(plot *p);

/* Points on the sheet. */
double panel_x(const plot_panel *self, double x);
double panel_y(const plot_panel *self, double y);

/* ---- in it */

void panel_line(plot *p, const plot_panel *self, const double *x, const double *y, size_t n,
                plot_stroke s);
void panel_dots(plot *p, const plot_panel *self, const double *x, const double *y, size_t n,
                double radius, plot_ink ink, double cover);
void panel_rings(plot *p, const plot_panel *self, const double *x, const double *y, size_t n,
                 double radius, plot_stroke s);
/* Straight across, or up, through all of it. */
void panel_level(plot *p, const plot_panel *self, double y, plot_stroke s);
void panel_upright(plot *p, const plot_panel *self, double x, plot_stroke s);

/* n bins from lo to hi, equally long on the axis if they have no edges of their own. Steps are an outline, bars an area down to the lower end of the axis; a band lies between two. */
typedef struct plot_bins {
    double lo, hi;
    size_t n;
    const double *edge; /* (n + 1) from lo to hi, or NULL */
} plot_bins;
void panel_steps(plot *p, const plot_panel *self, plot_bins bins, const double *y, plot_stroke s);
void panel_bars(plot *p, const plot_panel *self, plot_bins bins, const double *y, plot_ink ink,
                double cover);
void panel_band(plot *p, const plot_panel *self, plot_bins bins, const double *low,
                const double *high, plot_ink ink, double cover);

/* Where a surface over a grid has a level: values (ny, nx) at the middles of cells, PANEL_CELLS a side at most; closed lines, for
 * outside of the grid it is 0, and the level is above that. */
enum { PANEL_CELLS = 64 };
typedef struct plot_grid {
    plot_bins x, y;
    const double *value; /* (y.n, x.n) from the lower left */
} plot_grid;
void panel_contour(plot *p, const plot_panel *self, const plot_grid *grid, double level,
                   plot_stroke s);

/* The cells of a grid: tone(value) of 0 to 1 is how much ink covers. */
typedef struct plot_tones_of {
    plot_ink ink;
    double (*tone)(const void *of, double value);
    const void *of;
} plot_tones_of;
void panel_heat(plot *p, const plot_panel *self, const plot_grid *grid, plot_tones_of tones);

/* ---- around it */

typedef struct legend_entry {
    const char *text;
    plot_stroke stroke; /* of its sign */
    bool area;          /* the sign is a filled box */
} legend_entry;

/* From (x, y), the middle of the first line, as many beside each other as fit in `room`. Returns the y of the last line. */
double panel_legend(plot *p, const legend_entry *entries, size_t n, double x, double y,
                    double room);

#endif
