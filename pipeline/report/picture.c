#include "pipeline/report/picture.h"

#include "pipeline/report/picture_axis.h"
#include "pipeline/report/picture_canvas.h"
#include "pipeline/report/picture_colour.h"
#include "pipeline/report/picture_text.h"

#include <assert.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

/* Pixels. */
enum {
    EDGE = 12,  /* of the sheet */
    HEAD = 34,  /* above the first row: titles */
    ABOVE = 26, /* above the others: shares outside */
    BELOW = 44, /* numbers and name of the axis */
    APART = 22, /* between two panels of a row */
    TICK = 4,
    SCALE = 12, /* width of the scale of colours */
    LINE = 20   /* of text, where lines stand next to each other */
};

static const picture_rgb INK = {40, 40, 40}, FRAME = {110, 110, 110}, FAINT = {125, 125, 125};

static picture_pen pen_title(void)
{
    return (picture_pen){.size = 11.5, .weight = 1.9, .ink = INK};
}

static picture_pen pen_name(void)
{
    return (picture_pen){.size = 9.5, .weight = 1.4, .ink = INK};
}

static picture_pen pen_number(picture_rgb ink)
{
    return (picture_pen){.size = 8.5, .weight = 1.25, .ink = ink};
}

/* The panels of a pair of columns. */
typedef struct row {
    bool bars;
    picture_axis across, up;
    size_t cells;                    /* a side */
    double *counts[PICTURE_SOURCES]; /* (cells, cells), or (cells) for bars, rows of the source per
                                        cell as if it had `rows` rows; from the lower left corner */
    double outside[PICTURE_SOURCES]; /* share of the rows */
    double rows;                     /* of the smallest source that has any */
    double peak;                     /* the largest count */
    long top;                        /* of the panels on the canvas */
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

/* Cells that are whole pixels. The constants give 100 cells at 50,000 rows. */
static size_t choose_cells(double rows, bool bars)
{
    static const size_t choice[] = {100, 75, 60, 50, 30, 25, 20, 15};
    double wanted = bars ? 2.72 * cbrt(rows) : 6.7 * sqrt(sqrt(rows));
    for (size_t i = 0; i < sizeof choice / sizeof choice[0]; i++)
        if ((double)choice[i] <= wanted)
            return choice[i];
    return 10;
}

/* The cell of x along an axis, or `cells` outside. */
static size_t cell_of(const picture_axis *axis, double x, size_t cells)
{
    double share = picture_axis_share(axis, x);
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

static int set_range(picture_axis *axis, const picture *p, size_t column, flow_err *err)
{
    const picture_source *s = p->sources;
    while (s->n == 0 && s + 1 < p->sources + p->n_sources)
        s++;
    return picture_axis_range(axis, s->x, s->n, p->dim, column, err);
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
    picture_axis_ticks(&r->across, PICTURE_PANEL, pen_number(INK));
    picture_axis_ticks(&r->up, PICTURE_PANEL, pen_number(INK));
    return 0;
}

static void row_release(row *r)
{
    for (size_t s = 0; s < PICTURE_SOURCES; s++)
        free(r->counts[s]);
}

/* ---- what is in a panel */

/* Place on the scale of colours: linear where a count is mostly noise, logarithmic above. */
static double tone(const row *r, double c)
{
    return log1p(c / 4) / log1p(r->peak / 4);
}

static void draw_cells(picture_canvas *canvas, const row *r, const double *counts, long left)
{
    long side = (long)(PICTURE_PANEL / r->cells), bottom = r->top + PICTURE_PANEL;
    for (size_t i = 0; i < r->cells * r->cells; i++) {
        long column = (long)(i % r->cells), line = (long)(i / r->cells);
        if (counts[i] > 0)
            picture_canvas_fill(canvas, left + column * side, bottom - (line + 1) * side, side,
                                side, picture_colour(tone(r, counts[i])));
    }
}

static long bar_height(const row *r, double c)
{
    return lround(PICTURE_PANEL * picture_axis_share(&r->up, density(r, c)));
}

static void draw_bars(picture_canvas *canvas, const row *r, const double *counts, long left)
{
    long side = (long)(PICTURE_PANEL / r->cells), bottom = r->top + PICTURE_PANEL;
    for (size_t i = 0; i < r->cells; i++) {
        long height = bar_height(r, counts[i]);
        picture_canvas_fill(canvas, left + (long)i * side, bottom - height, side, height,
                            picture_colour(0.45));
    }
}

static void draw_outline(picture_canvas *canvas, const row *r, const double *counts, long left)
{
    long side = (long)(PICTURE_PANEL / r->cells), bottom = r->top + PICTURE_PANEL, last = 0;
    for (size_t i = 0; i < r->cells; i++) {
        long height = bar_height(r, counts[i]), low = height < last ? height : last;
        long rise = labs(height - last), x = left + (long)i * side;
        picture_canvas_fill(canvas, x, bottom - height - 1, side, 2, INK);
        picture_canvas_fill(canvas, x - 1, bottom - low - rise - 1, 2, rise + 2, INK);
        last = height;
    }
}

/* ---- around it */

static void draw_outside(picture_canvas *canvas, const row *r, size_t source, long left)
{
    char text[48];
    double percent = 100 * r->outside[source];
    if (percent == 0)
        return;
    snprintf(text, sizeof text, percent < 9.95 ? "%.2g %% outside" : "%.0f %% outside", percent);
    picture_text(canvas, text, (double)left + PICTURE_PANEL, (double)r->top - 7, pen_number(FAINT),
                 PICTURE_END, PICTURE_ACROSS);
}

/* A number at the end of an axis moves inwards, away from the next panel's. */
static double inwards(double x, const char *text)
{
    double reach = picture_text_width(text, pen_number(INK)) / 2 - APART / 2 + 3;
    return reach > 0 ? fmin(PICTURE_PANEL - reach, fmax(reach, x)) : x;
}

static void draw_across(picture_canvas *canvas, const row *r, const char *name, long left)
{
    picture_pen pen = pen_number(INK);
    long bottom = r->top + PICTURE_PANEL;
    for (size_t i = 0; i < r->across.n; i++) {
        const char *label = r->across.label[i];
        double x = floor(PICTURE_PANEL * picture_axis_share(&r->across, r->across.at[i]));
        picture_canvas_fill(canvas, left + (long)x, bottom, 1, TICK + 1, FRAME);
        picture_text(canvas, label, (double)left + inwards(x + 0.5, label),
                     (double)bottom + TICK + 5 + pen.size, pen, PICTURE_MIDDLE, PICTURE_ACROSS);
    }
    picture_text_within(canvas, name, PICTURE_PANEL, (double)left + PICTURE_PANEL / 2,
                        (double)bottom + BELOW - 7, pen_name(), PICTURE_MIDDLE, PICTURE_ACROSS);
}

static void draw_up_ticks(picture_canvas *canvas, const row *r, long left)
{
    for (size_t i = 0; i < r->up.n; i++) {
        double y = floor(PICTURE_PANEL * (1 - picture_axis_share(&r->up, r->up.at[i])));
        picture_canvas_fill(canvas, left - TICK - 1, r->top + (long)y, TICK + 1, 1, FRAME);
    }
}

static double widest_number(const row *r)
{
    double widest = 0;
    for (size_t i = 0; i < r->up.n; i++)
        widest = fmax(widest, picture_text_width(r->up.label[i], pen_number(INK)));
    return widest;
}

/* Numbers and name of the axis upwards stand at the first panel alone. */
static void draw_up(picture_canvas *canvas, const row *r, const char *name, long left)
{
    picture_pen pen = pen_number(INK);
    double end = (double)left - TICK - 5;
    for (size_t i = 0; i < r->up.n; i++) {
        double y = floor(PICTURE_PANEL * (1 - picture_axis_share(&r->up, r->up.at[i])));
        picture_text(canvas, r->up.label[i], end, (double)r->top + y + 0.5 + pen.size / 2, pen,
                     PICTURE_END, PICTURE_ACROSS);
    }
    picture_text_within(canvas, name, PICTURE_PANEL, EDGE + pen_name().size,
                        (double)r->top + PICTURE_PANEL / 2, pen_name(), PICTURE_MIDDLE,
                        PICTURE_UPWARDS);
}

static void draw_panel(picture_canvas *canvas, const row *r, const picture *p,
                       const picture_pair *pair, size_t source, long left)
{
    if (r->bars)
        draw_bars(canvas, r, r->counts[source], left);
    else
        draw_cells(canvas, r, r->counts[source], left);
    if (r->bars && source > 0)
        draw_outline(canvas, r, r->counts[0], left);
    picture_canvas_frame(canvas, left, r->top, PICTURE_PANEL, PICTURE_PANEL, FRAME);
    draw_across(canvas, r, p->names[pair->across], left);
    draw_up_ticks(canvas, r, left);
    if (source == 0)
        draw_up(canvas, r, r->bars ? "density" : p->names[pair->up], left);
    draw_outside(canvas, r, source, left);
}

/* ---- the scale of colours, right of a row */

static const double DECADE[] = {1, 2, 5};

static double scale_value(int i)
{
    return DECADE[i % 3] * pow(10, i / 3);
}

/* Numbers 1, 2, 5, 10, ... where there is room. */
static void draw_scale_numbers(picture_canvas *canvas, const row *r, long right)
{
    picture_pen pen = pen_number(INK);
    double last = 0;
    for (int i = 0; scale_value(i) <= r->peak; i++) {
        double up = PICTURE_PANEL * tone(r, scale_value(i));
        if (up - last < LINE)
            continue;
        char text[32];
        double y = floor(fmax(0, PICTURE_PANEL - up));
        snprintf(text, sizeof text, "%.0f", scale_value(i));
        picture_canvas_fill(canvas, right, r->top + (long)y, TICK + 1, 1, FRAME);
        picture_text(canvas, text, (double)right + TICK + 5,
                     (double)r->top + y + 0.5 + pen.size / 2, pen, PICTURE_START, PICTURE_ACROSS);
        last = up;
    }
}

static void draw_scale(picture_canvas *canvas, const row *r, long left)
{
    char text[64];
    for (long y = 0; y < PICTURE_PANEL; y++)
        picture_canvas_fill(canvas, left, r->top + y, SCALE, 1,
                            picture_colour(1 - (double)y / (PICTURE_PANEL - 1)));
    picture_canvas_frame(canvas, left, r->top, SCALE, PICTURE_PANEL, FRAME);
    draw_scale_numbers(canvas, r, left + SCALE);
    snprintf(text, sizeof text, "rows in a cell, of %.0f", r->rows);
    picture_text(canvas, text, (double)canvas->width - EDGE, (double)r->top + PICTURE_PANEL / 2,
                 pen_name(), PICTURE_MIDDLE, PICTURE_UPWARDS);
}

/* ---- the sheet */

static long left_margin(const row *rows, size_t n)
{
    double widest = 0;
    for (size_t i = 0; i < n; i++)
        widest = fmax(widest, widest_number(&rows[i]));
    return EDGE + LINE + (long)ceil(widest) + TICK + 5;
}

/* Numbers of the scale have as many digits as its largest. */
static long right_margin(const row *rows, size_t n)
{
    long widest = EDGE;
    for (size_t i = 0; i < n; i++) {
        char text[32];
        snprintf(text, sizeof text, "%.0f", rows[i].peak);
        double number = picture_text_width(text, pen_number(INK));
        long needed = APART + SCALE + TICK + 5 + (long)ceil(number) + LINE + EDGE;
        if (!rows[i].bars && needed > widest)
            widest = needed;
    }
    return widest;
}

static void draw_titles(picture_canvas *canvas, const picture *p, long left)
{
    for (size_t s = 0; s < p->n_sources; s++) {
        const picture_source *of = &p->sources[s];
        double x = (double)left + (double)(s * (PICTURE_PANEL + APART));
        picture_text_within(canvas, of->title, 200, x, HEAD - 8, pen_title(), PICTURE_START,
                            PICTURE_ACROSS);
        if (of->note)
            picture_text_within(canvas, of->note, 210, x, HEAD + LINE - 7, pen_number(FAINT),
                                PICTURE_START, PICTURE_ACROSS);
    }
}

/* Of the first row's panels: below the titles, and the notes where there are any. */
static long first_top(const picture *p)
{
    long top = HEAD;
    for (size_t s = 0; s < p->n_sources; s++)
        if (p->sources[s].note)
            top = HEAD + LINE;
    return top;
}

static int draw(picture_canvas *canvas, const picture *p, row *rows, flow_err *err)
{
    long left = left_margin(rows, p->n_pairs), step = PICTURE_PANEL + APART;
    long end = left + (long)p->n_sources * step - APART, top = first_top(p);
    for (size_t i = 0; i < p->n_pairs; i++, top += PICTURE_PANEL + BELOW + ABOVE)
        rows[i].top = top;
    if (picture_canvas_init(canvas, (size_t)(end + right_margin(rows, p->n_pairs)),
                            (size_t)(top - ABOVE + EDGE), err))
        return err->code;
    draw_titles(canvas, p, left);
    for (size_t i = 0; i < p->n_pairs; i++) {
        for (size_t s = 0; s < p->n_sources; s++)
            draw_panel(canvas, &rows[i], p, &p->pairs[i], s, left + (long)s * step);
        if (!rows[i].bars && rows[i].peak > 0)
            draw_scale(canvas, &rows[i], end + APART);
    }
    return 0;
}

int picture_write(const char *path, const picture *self, flow_err *err)
{
    row rows[PICTURE_PAIRS] = {0};
    picture_canvas canvas = {0};
    int code = 0;
    assert(self->n_sources >= 1 && self->n_sources <= PICTURE_SOURCES);
    assert(self->n_pairs >= 1 && self->n_pairs <= PICTURE_PAIRS);
    for (size_t i = 0; i < self->n_pairs && !code; i++)
        code = row_init(&rows[i], self, &self->pairs[i], err);
    if (!code)
        code = draw(&canvas, self, rows, err);
    if (!code)
        code = picture_canvas_write(&canvas, path, err);
    picture_canvas_release(&canvas);
    for (size_t i = 0; i < self->n_pairs; i++)
        row_release(&rows[i]);
    return code;
}
