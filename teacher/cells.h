/* teacher/cells.h -- points of grids in single precision. */
#ifndef TEACHER_CELLS_H
#define TEACHER_CELLS_H

#include "flow/units.h"

/* u (n, dim), points in the units of a flow, rounded to single precision so that no one leaves the cell of its grid value:
 * where the nearest number would, the one on the other side is taken. Cells narrower than a step of single precision cannot
 * be kept. work: (2 n, dim). */
void data_cells_round(const flow_units *units, double *u, size_t n, double *work);

#endif
