/* flow/units_points.h -- the points of a flow's space that a row of a table stands for.
 *
 * Of a continuous column a row is one point. A grid value is its cell: its probability is the density's
 * average over the cell (units.h: it counts in steps), estimated from FLOW_CELL_POINTS fixed points, the same in every
 * cell, which together lie once in each of as many strips of every grid column (a Latin hypercube: McKay,
 * Beckman, Conover 1979; for one grid column the midpoint rule). A wrapped column is also its image one
 * period further, on the side where it is nearer to the cut; images further off are left out: a density
 * that is fitted between the cuts has nothing there. */
#ifndef FLOW_UNITS_POINTS_H
#define FLOW_UNITS_POINTS_H

#include "flow/units.h"

enum {
    FLOW_CELL_POINTS = 64,
    FLOW_MAX_PERIODS = 6 /* wrapped columns: each doubles the points */
};

/* 1 if no column has a step or is wrapped. */
size_t flow_units_points(const flow_units *self);

/* FLOW_EDATA if more than FLOW_MAX_PERIODS columns are wrapped. */
int flow_units_check_periods(const flow_units *self, flow_err *err);

/* u (n, dim) = point `index` of each row x (n, dim), logdet (n) = log|det du/dx| plus the log of the
 * point's share, so that log p(x) is the log of the sum over points of exp(log p_flow(u) + logdet): a
 * density in the continuous columns and a probability in those of a grid. u is not x. */
void flow_units_point(const flow_units *self, double *u, double *logdet, const double *x, size_t n,
                      size_t index);

#endif
