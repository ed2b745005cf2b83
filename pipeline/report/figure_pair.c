#include "pipeline/report/figure_pair.h"

#include "flow/sort.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- axes */

/* All but a thousandth at both ends of the rows of one side. */
static int reach(double *lo, double *hi, const bank_rows *rows, size_t dim, size_t column,
                 flow_err *err)
{
    size_t n;
    double *sorted = plot_column_sorted(&n, rows->x, rows->n, dim, column, err);
    if (n > 0) {
        *lo = fmin(*lo, sorted[n / 1000]);
        *hi = fmax(*hi, sorted[n - 1 - n / 1000]);
    }
    free(sorted);
    return sorted ? FLOW_OK : FLOW_ENOMEM;
}

static int axis_of(plot_axis *out, const bank *rows, size_t column, flow_err *err)
{
    bank_side sides[BANK_SIDES];
    const flow_unit *u = &rows->units->column[column];
    double lo = INFINITY, hi = -INFINITY;
    int code = 0;
    for (size_t k = 0, n = bank_sides(sides, rows); k < n && !code; k++)
        code = reach(&lo, &hi, sides[k].rows, rows->dim, column, err);
    *out = u->period > 0 ? (plot_axis){.lo = u->start, .hi = u->start + u->period}
                         : plot_axis_of(lo, hi, 0.04);
    return code;
}

/* ---- cells */

static size_t cell(const plot_axis *axis, double x, size_t n)
{
    double share = plot_axis_share(axis, x);
    return share >= 0 && share < 1 ? (size_t)(share * (double)n) : n;
}

static void count(double *cells, size_t a_side, const figure_pair *self, const bank_rows *rows,
                  size_t dim, picture_pair pair)
{
    double each = 1 / (double)rows->n;
    for (size_t r = 0; r < rows->n; r++) {
        size_t i = cell(&self->x, rows->x[r * dim + pair.across], a_side),
               j = cell(&self->y, rows->x[r * dim + pair.up], a_side);
        if (i < a_side && j < a_side)
            cells[j * a_side + i] += rows->weight ? each * rows->weight[r] : each;
    }
}

/* With weights 1 2 1 along one way, twice. */
static void smooth_line(double *x, size_t stride)
{
    for (int times = 0; times < 2; times++) {
        double before = 0;
        for (size_t i = 0; i < PAIR_CELLS; i++) {
            double own = x[i * stride], behind = i + 1 < PAIR_CELLS ? x[(i + 1) * stride] : 0;
            x[i * stride] = (before + 2 * own + behind) / 4;
            before = own;
        }
    }
}

static void smooth(double *cells)
{
    for (size_t k = 0; k < PAIR_CELLS; k++) {
        smooth_line(cells + k * PAIR_CELLS, 1);
        smooth_line(cells + k, PAIR_CELLS);
    }
}

/* Above the level are cells that hold the share of all. */
static double level_of(const double *cells, double share)
{
    double sorted[PAIR_CELLS * PAIR_CELLS], sum = 0;
    size_t n = PAIR_CELLS * PAIR_CELLS;
    memcpy(sorted, cells, sizeof sorted);
    flow_sort_numbers(sorted, n);
    for (size_t i = n; i-- > 0;) {
        sum += sorted[i];
        if (sum >= share)
            return sorted[i];
    }
    return 0;
}

static void add_side(figure_pair *self, const bank_side *of, size_t dim, picture_pair pair)
{
    static const double share[PAIR_LEVELS] = {0.95, 0.68};
    const bank_rows *rows = of->rows;
    if (rows->n == 0)
        return;
    pair_side *s = &self->sides[self->n_sides++];
    s->text = of->name;
    s->stroke = (plot_stroke){of->ink, 1.3, of->dash, 1};
    count(s->cells, PAIR_CELLS, self, rows, dim, pair);
    smooth(s->cells);
    for (size_t k = 0; k < PAIR_LEVELS; k++)
        s->level[k] = level_of(s->cells, share[k]);
    if (self->n_sides == 1)
        count(self->fine, PAIR_FINE, self, rows, dim, pair);
}

static void take_missed(figure_pair *self, const bank *rows, picture_pair pair)
{
    for (size_t r = 0; r < rows->missed.n && self->n_missed < PAIR_MISSED; r++) {
        self->missed_x[self->n_missed] = rows->missed.x[r * rows->dim + pair.across];
        self->missed_y[self->n_missed++] = rows->missed.x[r * rows->dim + pair.up];
    }
}

int figure_pair_count(figure_pair *self, const bank *rows, picture_pair pair, flow_err *err)
{
    bank_side sides[BANK_SIDES];
    size_t n = bank_sides(sides, rows);
    *self = (figure_pair){.across = rows->names[pair.across], .up = rows->names[pair.up]};
    if (axis_of(&self->x, rows, pair.across, err) || axis_of(&self->y, rows, pair.up, err))
        return err->code;
    for (size_t k = 0; k < n; k++)
        add_side(self, &sides[k], rows->dim, pair);
    for (size_t i = 0; i < PAIR_FINE * PAIR_FINE; i++)
        self->peak = fmax(self->peak, self->fine[i]);
    take_missed(self, rows, pair);
    return FLOW_OK;
}

/* ---- drawing */

enum { WIDTH = 340, HEIGHT = 330, LEFT = 56, RIGHT = 10, TOP = 30, BOTTOM = 46 };

/* A single row is seen. */
static double tone(const void *of, double value)
{
    const figure_pair *self = of;
    return value > 0 ? 0.16 + 0.55 * sqrt(value / self->peak) : 0;
}

static void draw_shades(plot *p, const plot_panel *panel, const figure_pair *self)
{
    plot_grid grid = {{self->x.lo, self->x.hi, PAIR_FINE, NULL},
                      {self->y.lo, self->y.hi, PAIR_FINE, NULL},
                      self->fine};
    panel_heat(p, panel, &grid, (plot_tones_of){PLOT_FAINT, tone, self});
}

static void draw_contours(plot *p, const plot_panel *panel, const figure_pair *self)
{
    for (size_t k = 0; k < self->n_sides; k++) {
        plot_grid grid = {{self->x.lo, self->x.hi, PAIR_CELLS, NULL},
                          {self->y.lo, self->y.hi, PAIR_CELLS, NULL},
                          self->sides[k].cells};
        for (size_t l = 0; l < PAIR_LEVELS; l++)
            if (self->sides[k].level[l] > 0)
                panel_contour(p, panel, &grid, self->sides[k].level[l], self->sides[k].stroke);
    }
}

static void head(plot *p, const figure_pair *self)
{
    legend_entry entries[BANK_SIDES + 1];
    size_t n = 0;
    for (; n < self->n_sides; n++)
        entries[n] = (legend_entry){self->sides[n].text, self->sides[n].stroke, false};
    if (self->n_missed)
        entries[n++] = (legend_entry){"missed", {PLOT_ALARM, 2, 0, 1}, false};
    panel_legend(p, entries, n, LEFT, 13, WIDTH - LEFT);
}

static void draw(plot *p, const void *of)
{
    const figure_pair *self = of;
    plot_panel panel = {.left = LEFT,
                        .top = TOP,
                        .width = WIDTH - LEFT - RIGHT,
                        .height = HEIGHT - TOP - BOTTOM,
                        .x = self->x,
                        .y = self->y};
    plot_axis_ticks(&panel.x, panel.width, LETTERS_SMALL);
    plot_axis_ticks(&panel.y, panel.height, LETTERS_SMALL / 2);
    panel_cut(p, &panel);
    draw_shades(p, &panel, self);
    draw_contours(p, &panel, self);
    panel_rings(p, &panel, self->missed_x, self->missed_y, self->n_missed, 3,
                (plot_stroke){PLOT_ALARM, 1.4, 0, 1});
    panel_uncut(p);
    panel_frame(p, &panel);
    panel_across(p, &panel, self->across);
    panel_up(p, &panel, self->up);
    head(p, self);
}

plot_drawing figure_pair_of(const figure_pair *self)
{
    return (plot_drawing){WIDTH, HEIGHT, draw, self};
}
