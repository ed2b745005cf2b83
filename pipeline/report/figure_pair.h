/* pipeline/report/figure_pair.h -- two columns: rows of the first side as shades, regions of the highest density that hold 68 and 95 %
 * of each side's rows as contours, and what the student misses as rings.
 *
 * Contours are of counts in PAIR_CELLS^2 cells, smoothed by a normal as wide as a cell. */
#ifndef PIPELINE_REPORT_FIGURE_PAIR_H
#define PIPELINE_REPORT_FIGURE_PAIR_H

#include "pipeline/report/bank.h"
#include "pipeline/report/picture.h"
#include "pipeline/report/tally.h"

enum { PAIR_CELLS = 44, PAIR_FINE = 110, PAIR_LEVELS = 2, PAIR_MISSED = 200 };

typedef struct pair_side {
    const char *text;
    plot_stroke stroke;
    double cells[PAIR_CELLS * PAIR_CELLS]; /* shares of the rows */
    double level[PAIR_LEVELS];
} pair_side;

typedef struct figure_pair {
    const char *across, *up;
    plot_axis x, y;
    size_t n_sides;
    pair_side sides[BANK_SIDES];
    double fine[PAIR_FINE * PAIR_FINE], peak; /* rows of the first side */
    double missed_x[PAIR_MISSED], missed_y[PAIR_MISSED];
    size_t n_missed;
} figure_pair;

/* FLOW_ENOMEM. The drawing is of self. */
int figure_pair_count(figure_pair *self, const bank *rows, picture_pair pair, flow_err *err);
plot_drawing figure_pair_of(const figure_pair *self);

#endif
