/* teacher/look_grid.h -- whether numbers lie on a grid: whole numbers, prices, counts, readings. */
#ifndef TEACHER_LOOK_GRID_H
#define TEACHER_LOOK_GRID_H

#include <stddef.h>

/* The step of the grid that all of sorted (n) lie on; 0 if there is none. gaps (n_gaps): the differences
 * between its different values, of which gap is the smallest; they may be sorted on return. */
double look_grid_step(const double *sorted, size_t n, double *gaps, size_t n_gaps, double gap);

#endif
