#include "pipeline/report/picture.h"

#include "pipeline/plot/panel.h"

#include <assert.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

/* Points. */
enum {
    HEAD = 24,  /* above the first row: titles */
    NOTE = 15,  /* and notes */
    ABOVE = 18, /* above the others: shares outside */
    BELOW = 40, /* numbers and name of the axis */
    LEFT = 66,
    APART = 16, /* between two panels of a row */
    SCALE = 9,  /* width of the scale of shades */
    RIGHT = 62  /* of the panels, where there is one */
};

/* The panels of a pair of columns. */
typedef struct row {
    bool bars;
    plot_axis across, up;
    size_t cells;                    /* a side */
    double *counts[PICTURE_SOURCES]; /* (cells, cells), or (cells) for bars, rows of the source per
                                        cell as if it had `rows` rows; from the lower left corner */
    double outside[PICTURE_SOURCES]; /* share of the rows */
    double rows;                     /* of the smallest source that has any */
    double peak;                     /* the largest count */
    double top;                      /* of the panels on the sheet */
} row;

/* ---- counting */

static double fewest_rows(const picture *p)
{
    double fewest = 0;
    for (size_t s = 0; s < p->n_sources; s++)
        if (p->sources[s].n && (fewest == 0 || (double)p->sources[s].n < fewest))
            fewest = (double)p->sources[s].n;
    return fewest;
}

/* The constants give 90 cells at 50,000 rows. */
static size_t choose_cells(double rows, bool bars)
{
    static const size_t choice[] = {90, 72, 60, 45, 36, 30, 24, 20, 15};
    double wanted = bars ? 2.72 * cbrt(rows) : 6.7 * sqrt(sqrt(rows));
    for (size_t i = 0; i < sizeof choice / sizeof choice[0]; i++)
        if ((double)choice[i] <= wanted)
            return choice[i];
    return 10;
}

/* The cell of x along an axis, or `cells` outside. */
static size_t cell_of(const plot_axis *axis, double x, size_t cells)
{
    double share = plot_axis_share(axis, x);
    return share >= 0 && share < 1 ? (size_t)(share * (double)cells) : cells;
}

static void count(row *r, const picture *p, size_t source, const picture_pair *pair)
{
    const picture_source *s = &p->sources[source];
    double weight = s->n ? r->rows / (double)s->n : 0;
    size_t outside = 0;
    for (size_t i = 0; i < s->n; i++) {
        const double *x = s->x + i * p->dim;
        size_t column = cell_of(&r->across, x[pair->across], r->cells);
        size_t line = r->bars ? 0 : cell_of(&r->up, x[pair->up], r->cells);
        if (column == r->cells || line == r->cells) {
            outside++;
            continue;
        }
        double *c = &r->counts[source][line * r->cells + column];
        *c += weight;
        r->peak = fmax(r->peak, *c);
    }
    r->outside[source] = s->n ? (double)outside / (double)s->n : 0;
}

static int set_range(plot_axis *axis, const picture *p, size_t column, flow_err *err)
{
    const picture_source *s = p->sources;
    while (s->n == 0 && s + 1 < p->sources + p->n_sources)
        s++;
    return plot_axis_central(axis, s->x, s->n, p->dim, column, err);
}

/* Bars have their density upwards, in rows per unit of x and row. */
static double density(const row *r, double c)
{
    double width = (r->across.hi - r->across.lo) / (double)r->cells;
    return r->rows > 0 ? c / r->rows / width : 0;
}

static int row_init(row *r, const picture *p, const picture_pair *pair, flow_err *err)
{
    assert(pair->across < p->dim && pair->up < p->dim);
    r->bars = pair->across == pair->up;
    r->rows = fewest_rows(p);
    r->cells = choose_cells(r->rows, r->bars);
    if (set_range(&r->across, p, pair->across, err) ||
        (!r->bars && set_range(&r->up, p, pair->up, err)))
        return err->code;
    for (size_t s = 0; s < p->n_sources; s++) {
        r->counts[s] = calloc(r->bars ? r->cells : r->cells * r->cells, sizeof *r->counts[s]);
        if (!r->counts[s])
            return flow_fail(err, FLOW_ENOMEM, "out of memory for the cells of a picture");
        count(r, p, s, pair);
    }
    if (r->bars) {
        r->up.lo = 0;
        r->up.hi = r->peak > 0 ? 1.08 * density(r, r->peak) : 1;
    }
    plot_axis_ticks(&r->across, PICTURE_PANEL, LETTERS_SMALL);
    plot_axis_ticks(&r->up, PICTURE_PANEL, LETTERS_SMALL);
    return 0;
}

static void row_release(row *r)
{
    for (size_t s = 0; s < PICTURE_SOURCES; s++)
        free(r->counts[s]);
}

struct picture_counted {
    picture of;
    row rows[PICTURE_PAIRS];
};

/* ---- what is in a panel */

/* Linear where a count is mostly noise, logarithmic above. */
static double tone(const void *of, double c)
{
    const row *r = of;
    return log1p(c / 4) / log1p(r->peak / 4);
}

static plot_bins cells_of(const plot_axis *axis, size_t n)
{
    return (plot_bins){axis->lo, axis->hi, n, NULL};
}

static void draw_bars(plot *p, const plot_panel *panel, const row *r, size_t source)
{
    plot_bins bins = cells_of(&r->across, r->cells);
    double up[128], first[128]; /* room for choose_cells */
    for (size_t i = 0; i < r->cells; i++) {
        up[i] = density(r, r->counts[source][i]);
        first[i] = density(r, r->counts[0][i]);
    }
    panel_bars(p, panel, bins, up, PLOT_STUDENT, 0.5);
    if (source > 0)
        panel_steps(p, panel, bins, first, (plot_stroke){PLOT_INK, 1.1, 0, 1});
}

static void draw_cells(plot *p, const plot_panel *panel, const row *r, size_t source)
{
    plot_grid grid = {cells_of(&r->across, r->cells), cells_of(&r->up, r->cells),
                      r->counts[source]};
    if (r->peak > 0)
        panel_heat(p, panel, &grid, (plot_tones_of){PLOT_STUDENT, tone, r});
}

static void draw_outside(plot *p, const plot_panel *panel, double share)
{
    char text[48];
    if (share == 0)
        return;
    snprintf(text, sizeof text, 100 * share < 9.95 ? "%.2g %% outside" : "%.0f %% outside",
             100 * share);
    letters_write(p, text, panel->left + panel->width, panel->top - 5,
                  (letters){LETTERS_SMALL, PLOT_FAINT, LETTERS_END, false, false});
}

static void draw_panel(plot *p, const picture_counted *self, size_t i, size_t source)
{
    const row *r = &self->rows[i];
    const picture_pair *pair = &self->of.pairs[i];
    const char *const *names = self->of.names;
    double left = LEFT + (double)source * (PICTURE_PANEL + APART);
    plot_panel panel = {left, r->top, PICTURE_PANEL, PICTURE_PANEL, r->across, r->up};
    if (r->bars)
        draw_bars(p, &panel, r, source);
    else
        draw_cells(p, &panel, r, source);
    panel_frame(p, &panel);
    panel_across(p, &panel, names[pair->across]);
    if (source == 0) /* numbers and name of the axis upwards stand at the first panel alone */
        panel_up(p, &panel, r->bars ? "density" : names[pair->up]);
    draw_outside(p, &panel, r->outside[source]);
}

/* ---- the scale of shades, right of a row */

static const double DECADE[] = {1, 2, 5};

static double scale_value(int i)
{
    return DECADE[i % 3] * pow(10, i / 3);
}

/* Numbers 1, 2, 5, 10, ... where there is room. */
static void draw_scale_numbers(plot *p, const row *r, double right)
{
    double last = 0;
    for (int i = 0; scale_value(i) <= r->peak; i++) {
        double up = PICTURE_PANEL * tone(r, scale_value(i)), y = r->top + PICTURE_PANEL - up;
        char text[32];
        if (up - last < 1.3 * LETTERS_SMALL)
            continue;
        snprintf(text, sizeof text, "%.0f", scale_value(i));
        plot_line(p, right, y, right + 3, y, (plot_stroke){PLOT_FAINT, 0.9, 0, 1});
        letters_write(p, text, right + 5, y + 0.36 * LETTERS_SMALL,
                      (letters){LETTERS_SMALL, PLOT_INK, LETTERS_START, false, false});
        last = up;
    }
}

static double own(const void *of, double value)
{
    (void)of;
    return value;
}

static void draw_scale(plot *p, const row *r, double left)
{
    char text[64];
    double tones[PICTURE_PANEL];
    for (int i = 0; i < PICTURE_PANEL; i++)
        tones[i] = i / (PICTURE_PANEL - 1.0);
    plot_panel panel = {left, r->top, SCALE, PICTURE_PANEL, {.hi = 1}, {.hi = 1}};
    plot_grid grid = {{0, 1, 1, NULL}, {0, 1, PICTURE_PANEL, NULL}, tones};
    panel_heat(p, &panel, &grid, (plot_tones_of){PLOT_STUDENT, own, NULL});
    panel_frame(p, &panel);
    draw_scale_numbers(p, r, left + SCALE);
    snprintf(text, sizeof text, "rows in a cell, of %.0f", r->rows);
    letters_write(p, text, p->width - 5, r->top + PICTURE_PANEL / 2.0,
                  (letters){LETTERS_SMALL, PLOT_FAINT, LETTERS_MIDDLE, false, true});
}

/* ---- the sheet */

static void draw_titles(plot *p, const picture *of)
{
    letters title = {LETTERS_TITLE, PLOT_INK, LETTERS_START, true, false},
            note = {LETTERS_SMALL, PLOT_FAINT, LETTERS_START, false, false};
    for (size_t s = 0; s < of->n_sources; s++) {
        double x = LEFT + (double)(s * (PICTURE_PANEL + APART));
        letters_within(p, of->sources[s].title, PICTURE_PANEL, x, HEAD - 8, title);
        if (of->sources[s].note)
            letters_within(p, of->sources[s].note, PICTURE_PANEL, x, HEAD + NOTE - 8, note);
    }
}

/* Of the first row's panels: below the titles, and the notes where there are any. */
static double first_top(const picture *p)
{
    double top = HEAD;
    for (size_t s = 0; s < p->n_sources; s++)
        if (p->sources[s].note)
            top = HEAD + NOTE;
    return top + 8;
}

static bool has_scale(const row *r)
{
    return !r->bars && r->peak > 0;
}

static double end_of(const picture *p)
{
    return LEFT + (double)p->n_sources * (PICTURE_PANEL + APART) - APART;
}

static void draw(plot *p, const void *of)
{
    const picture_counted *self = of;
    draw_titles(p, &self->of);
    for (size_t i = 0; i < self->of.n_pairs; i++) {
        for (size_t s = 0; s < self->of.n_sources; s++)
            draw_panel(p, self, i, s);
        if (has_scale(&self->rows[i]))
            draw_scale(p, &self->rows[i], end_of(&self->of) + 8);
    }
}

plot_drawing picture_drawing(const picture_counted *self)
{
    const row *last = &self->rows[self->of.n_pairs - 1];
    bool scale = false;
    for (size_t i = 0; i < self->of.n_pairs; i++)
        scale = scale || has_scale(&self->rows[i]);
    return (plot_drawing){.width = end_of(&self->of) + (scale ? RIGHT : 10),
                          .height = last->top + PICTURE_PANEL + BELOW,
                          .draw = draw,
                          .of = self};
}

picture_counted *picture_count(const picture *self, flow_err *err)
{
    assert(self->n_sources >= 1 && self->n_sources <= PICTURE_SOURCES);
    assert(self->n_pairs >= 1 && self->n_pairs <= PICTURE_PAIRS);
    picture_counted *out = calloc(1, sizeof *out);
    int code = out ? FLOW_OK : flow_fail(err, FLOW_ENOMEM, "out of memory for a picture");
    if (out)
        out->of = *self;
    double top = first_top(self);
    for (size_t i = 0; i < self->n_pairs && !code; i++) {
        code = row_init(&out->rows[i], self, &self->pairs[i], err);
        out->rows[i].top = top;
        top += PICTURE_PANEL + BELOW + ABOVE;
    }
    if (code) {
        picture_free(out);
        return NULL;
    }
    return out;
}

void picture_free(picture_counted *self)
{
    for (size_t i = 0; self && i < PICTURE_PAIRS; i++)
        row_release(&self->rows[i]);
    free(self);
}
