/* pipeline/export/c_units.c -- between the user's units and the flow's, as tables. */
#include "pipeline/export/c_file.h"

#include "flow/units_points.h"

#include <math.h>
#include <stdlib.h>

static void write_unit(FILE *out, const flow_unit *u)
{
    static const char *const supports[] = {[FLOW_LINE] = "LINE",
                                           [FLOW_ABOVE] = "ABOVE",
                                           [FLOW_BELOW] = "BELOW",
                                           [FLOW_BETWEEN] = "BETWEEN"};
    const double numbers[] = {u->shift, u->scale, u->lo,     u->hi,  u->alpha, u->soft,
                              u->edge,  u->step,  u->period, u->cut, u->start, u->stretch};
    fputs("    {", out);
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        c_double(out, numbers[i]);
        fputs(i % 6 == 5 ? ",\n     " : ", ", out);
    }
    fprintf(out, "%s, %d},\n", supports[u->support], flow_unit_is_angle(u));
}

static void write_table(FILE *out, const char *name, const flow_units *units)
{
    fprintf(out, "static const unit %s[] = {\n", name);
    for (size_t i = 0; units && i < units->dim; i++)
        write_unit(out, &units->column[i]);
    fputs(units ? "};\n\n" : "    {0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, LINE, 0}};\n\n", out);
}

/* What of log|det du/dx| is the same for all rows. */
static double constant(const flow_unit *u)
{
    double sum = -log(u->scale);
    if (u->support == FLOW_BETWEEN)
        sum += log1p(-2 * u->alpha) - log(u->hi - u->lo);
    if (u->soft > 0)
        sum -= log(u->soft);
    return u->step > 0 ? sum + log(u->step) : sum;
}

int c_units(c_file *self, FILE *out, flow_err *err)
{
    const flow_units *units = self->model->units;
    double sum = 0;
    for (size_t i = 0; i < units->dim; i++)
        sum += constant(&units->column[i]);
    c_piece_write(out, "units_type");
    fputs("#define UNITS_LOGDET (", out);
    c_double(out, sum);
    fputs(") /* what of it is the same for all rows */\n\n", out);
    write_table(out, "units", units);
    write_table(out, "context_units", self->model->context_units);
    c_piece_write(out, "units");
    return flow_units_check_periods(units, err);
}

/* ---- points of cells */

/* Where in its cell each grid column is: that of cells of size 1 that begin at 0. */
static flow_units *unit_cells(const flow_units *units, flow_err *err)
{
    flow_units *cells = flow_units_create(units->dim, err);
    for (size_t i = 0; cells && i < units->dim; i++)
        cells->column[i].step = units->column[i].step > 0 ? 1 : 0;
    return cells;
}

static int write_places(const c_file *self, FILE *out, size_t cell, flow_err *err)
{
    size_t dim = self->model->units->dim;
    flow_units *cells = unit_cells(self->model->units, err);
    double *place = calloc((cell + 1) * dim, sizeof *place), logdet;
    if (cells && !place)
        flow_fail(err, FLOW_ENOMEM, "out of memory for the points of a cell");
    for (size_t k = 0; cells && place && cell > 1 && k < cell; k++)
        flow_units_point(cells, place + k * dim, &logdet, place + cell * dim, 1, k);
    if (cells && place)
        c_doubles(out, "cell_place", place, cell * dim);
    int code = cells && place ? 0 : err->code;
    flow_units_free(cells);
    free(place);
    return code;
}

int c_points(const c_file *self, FILE *out, flow_err *err)
{
    const flow_units *units = self->model->units;
    size_t points = flow_units_points(units), cell = 1;
    for (size_t i = 0; i < units->dim; i++)
        if (units->column[i].step > 0)
            cell = FLOW_CELL_POINTS;
    fprintf(out, "enum { POINTS = %zu, CELL = %zu }; /* of a row; of the cell of a grid */\n\n",
            points, cell);
    if (points == 1) {
        c_piece_write(out, "one_point");
        return 0;
    }
    int code = write_places(self, out, cell, err);
    c_piece_write(out, "points");
    return code;
}
