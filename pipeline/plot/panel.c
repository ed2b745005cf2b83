#include "pipeline/plot/panel.h"

#include <math.h>

enum { TICK = 4 };

static const plot_stroke GRID = {PLOT_GRID, 0.8, 0, 1}, FRAME = {PLOT_FAINT, 0.9, 0, 1};
static const letters NUMBER_BELOW = {LETTERS_SMALL, PLOT_INK, LETTERS_MIDDLE, false, false},
                     NUMBER_LEFT = {LETTERS_SMALL, PLOT_INK, LETTERS_END, false, false},
                     NAME_BELOW = {LETTERS_TEXT, PLOT_INK, LETTERS_MIDDLE, false, false},
                     NAME_LEFT = {LETTERS_TEXT, PLOT_INK, LETTERS_MIDDLE, false, true};

double panel_x(const plot_panel *self, double x)
{
    return self->left + self->width * plot_axis_share(&self->x, x);
}

double panel_y(const plot_panel *self, double y)
{
    return self->top + self->height * (1 - plot_axis_share(&self->y, y));
}

void panel_ticks(plot_panel *self)
{
    plot_axis_ticks(&self->x, self->width, LETTERS_SMALL);
    plot_axis_ticks(&self->y, self->height, LETTERS_SMALL / 2);
}

void panel_level(plot *p, const plot_panel *self, double y, plot_stroke s)
{
    double at = panel_y(self, y);
    plot_line(p, self->left, at, self->left + self->width, at, s);
}

void panel_upright(plot *p, const plot_panel *self, double x, plot_stroke s)
{
    double at = panel_x(self, x);
    plot_line(p, at, self->top, at, self->top + self->height, s);
}

void panel_grid(plot *p, const plot_panel *self)
{
    for (size_t i = 0; i < self->x.n; i++)
        panel_upright(p, self, self->x.at[i], GRID);
    for (size_t i = 0; i < self->y.n; i++)
        panel_level(p, self, self->y.at[i], GRID);
}

void panel_frame(plot *p, const plot_panel *self)
{
    cairo_rectangle(p->cairo, self->left, self->top, self->width, self->height);
    plot_stroke_path(p, FRAME);
}

/* A number at the end of an axis moves inwards. */
static double inwards(plot *p, const plot_panel *self, double x, const char *text)
{
    double reach = letters_width(p, text, NUMBER_BELOW) / 2 - 10;
    return fmin(self->left + self->width - reach, fmax(self->left + reach, x));
}

void panel_across(plot *p, const plot_panel *self, const char *name)
{
    double bottom = self->top + self->height;
    for (size_t i = 0; i < self->x.n; i++) {
        double x = panel_x(self, self->x.at[i]);
        plot_line(p, x, bottom, x, bottom + TICK, FRAME);
        letters_write(p, self->x.label[i], inwards(p, self, x, self->x.label[i]),
                      bottom + TICK + 3 + 0.75 * LETTERS_SMALL, NUMBER_BELOW);
    }
    if (name)
        letters_within(p, name, self->width + 40, self->left + self->width / 2,
                       bottom + TICK + 10 + 1.75 * LETTERS_TEXT, NAME_BELOW);
}

static double widest_number(plot *p, const plot_panel *self)
{
    double widest = 0;
    for (size_t i = 0; i < self->y.n; i++)
        widest = fmax(widest, letters_width(p, self->y.label[i], NUMBER_LEFT));
    return widest;
}

void panel_up(plot *p, const plot_panel *self, const char *name)
{
    double end = self->left - TICK - 3;
    for (size_t i = 0; i < self->y.n; i++) {
        double y = panel_y(self, self->y.at[i]);
        plot_line(p, self->left - TICK, y, self->left, y, FRAME);
        letters_write(p, self->y.label[i], end, y + 0.36 * LETTERS_SMALL, NUMBER_LEFT);
    }
    if (name)
        letters_within(p, name, self->height + 20,
                       fmax(LETTERS_TEXT, end - widest_number(p, self) - 6),
                       self->top + self->height / 2, NAME_LEFT);
}

void panel_cut(plot *p, const plot_panel *self)
{
    cairo_save(p->cairo);
    cairo_rectangle(p->cairo, self->left, self->top, self->width, self->height);
    cairo_clip(p->cairo);
}

void panel_uncut(plot *p)
{
    cairo_restore(p->cairo);
}

/* ---- legend */

enum { SIGN = 18, GAP = 6, APART = 16, LINE = 15 };

static void sign(plot *p, const legend_entry *e, double x, double y)
{
    if (e->area)
        plot_fill(p, x, y - 4, SIGN, 8, e->stroke.ink, e->stroke.cover);
    else
        plot_line(p, x, y, x + SIGN, y, e->stroke);
}

double panel_legend(plot *p, const legend_entry *entries, size_t n, double x, double y, double room)
{
    letters l = {LETTERS_SMALL, PLOT_INK, LETTERS_START, false, false};
    double at = x;
    for (size_t i = 0; i < n; i++) {
        double width = SIGN + GAP + letters_width(p, entries[i].text, l);
        if (at > x && at + width > x + room) {
            at = x;
            y += LINE;
        }
        sign(p, &entries[i], at, y);
        letters_write(p, entries[i].text, at + SIGN + GAP, y + 0.36 * LETTERS_SMALL, l);
        at += width + APART;
    }
    return y;
}
