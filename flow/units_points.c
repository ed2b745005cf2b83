#include "flow/units_points.h"

#include "flow/pcg.h"

#include <math.h>
#include <string.h>

static size_t periods(const flow_units *self)
{
    size_t n = 0;
    for (size_t col = 0; col < self->dim; col++)
        n += self->column[col].wrapped;
    return n;
}

static bool has_grid(const flow_units *self)
{
    size_t col = 0;
    while (col < self->dim && !(self->column[col].step > 0))
        col++;
    return col < self->dim;
}

size_t flow_units_points(const flow_units *self)
{
    return (has_grid(self) ? (size_t)FLOW_CELL_POINTS : 1) << periods(self);
}

int flow_units_check_periods(const flow_units *self, flow_err *err)
{
    size_t n = periods(self);
    return n <= FLOW_MAX_PERIODS
               ? FLOW_OK
               : flow_fail(err, FLOW_EDATA,
                           "%zu columns are wrapped round circles, %d at most can be", n,
                           FLOW_MAX_PERIODS);
}

/* Where in the cell of grid column number `rank` point `index` is, a share of the step. */
static double place_in_cell(size_t rank, size_t index)
{
    static const pcg_stream stream = {.stage = PCG_FLOW, .purpose = PCG_DEQUANTISE};
    size_t strip[FLOW_CELL_POINTS];
    if (rank == 0)
        strip[index] = index;
    else
        pcg_permutation(strip, FLOW_CELL_POINTS, stream, rank);
    return ((double)strip[index] + 0.5) / FLOW_CELL_POINTS;
}

/* Moves a column of x (n, dim), which is a grid's, to the place in its cell. */
static void spread(const flow_unit *unit, double *x, size_t n, size_t dim, double place)
{
    for (size_t row = 0; row < n; row++)
        x[row * dim] = flow_unit_snap(unit, x[row * dim]) + place * unit->step;
}

/* u (n, dim) of a wrapped column, which lies between the cuts, to its image beyond the nearer. */
static void turn(const flow_unit *unit, double *u, size_t n, size_t dim)
{
    double middle = (unit->cut + 0.5 * unit->period - unit->shift) / unit->scale;
    double turned = unit->period / unit->scale;
    for (size_t row = 0; row < n; row++)
        u[row * dim] += u[row * dim] < middle ? turned : -turned;
}

void flow_units_point(const flow_units *self, double *u, double *logdet, const double *x, size_t n,
                      size_t index)
{
    size_t dim = self->dim, rank = 0, images = index;
    double share = 0;
    memcpy(u, x, n * dim * sizeof *u);
    if (has_grid(self)) {
        images /= FLOW_CELL_POINTS;
        share = -log((double)FLOW_CELL_POINTS);
    }
    for (size_t col = 0; col < dim; col++)
        if (self->column[col].step > 0)
            spread(&self->column[col], u + col, n, dim,
                   place_in_cell(rank++, index % FLOW_CELL_POINTS));
    for (size_t row = 0; row < n; row++)
        logdet[row] = share;
    flow_units_to_flow(self, u, logdet, u, n);
    for (size_t col = 0; col < dim; col++)
        if (self->column[col].wrapped) {
            if (images & 1)
                turn(&self->column[col], u + col, n, dim);
            images >>= 1;
        }
}
