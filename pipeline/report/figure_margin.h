/* pipeline/report/figure_margin.h -- one column: its margin over data, teacher and student on a linear and a logarithmic axis, over the
 * whole range that any of them has; the ratios to the first of them; and by ranks how each is spread over the next.
 *
 * Kinds of columns are honoured: bins of a grid are whole steps of it, the more of them the farther out they are if a few values are far
 * from all others, of a circle once round, of a column that ends nothing beyond its
 * ends. */
#ifndef PIPELINE_REPORT_FIGURE_MARGIN_H
#define PIPELINE_REPORT_FIGURE_MARGIN_H

#include "pipeline/report/bank.h"
#include "pipeline/report/tally.h"

enum { MARGIN_RANKS = 20, MARGIN_PAIRS = 2 };

typedef struct margin_side {
    const char *text;
    plot_stroke stroke;
    const double *x; /* (n, D) */
    const double *weight;
    double *sorted; /* (n_sorted) of the column, what is finite; NULL after the count */
    size_t n, n_sorted;
    double worth; /* independent rows that it is worth */
    tally rows;
} margin_side;

/* Rows of one side by their ranks among those of another: share of each of MARGIN_RANKS classes times their number, so 1 everywhere if
 * both are the same; and three standard deviations of that. */
typedef struct margin_ranks {
    const margin_side *of;
    char text[48];
    double share[MARGIN_RANKS], band;
} margin_ranks;

typedef struct figure_margin {
    const char *name;
    flow_unit unit;
    plot_axis axis;
    tally_bins bins;
    margin_side sides[BANK_SIDES]; /* the first is what others are held against */
    size_t n_sides;
    margin_ranks ranks[MARGIN_PAIRS];
    size_t n_ranks;
} figure_margin;

/* FLOW_ENOMEM. It owns nothing, but must not move: the drawing is of self, and so are its ranks. */
int figure_margin_count(figure_margin *self, const bank *rows, size_t column, flow_err *err);
/* How far its sides are apart: the largest excess of a class of ranks over its band; without ranks, of shares of bins over 0. */
double figure_margin_apart(const figure_margin *self);
plot_drawing figure_margin_of(const figure_margin *self);

#endif
