/* pipeline/plot/series.c -- lines, dots and histograms in a panel. */
#include "pipeline/plot/panel.h"

#include <math.h>

/* Far outside is where nothing is seen and nothing overflows. */
static double near(double at, double from, double length)
{
    return fmin(from + 2 * length, fmax(from - length, at));
}

static double x_near(const plot_panel *self, double x)
{
    return near(panel_x(self, x), self->left, self->width);
}

static double y_near(const plot_panel *self, double y)
{
    return near(panel_y(self, y), self->top, self->height);
}

void panel_line(plot *p, const plot_panel *self, const double *x, const double *y, size_t n,
                plot_stroke s)
{
    bool down = false;
    for (size_t i = 0; i < n; i++) {
        bool there = !isnan(x[i]) && !isnan(y[i]);
        if (there && down)
            cairo_line_to(p->cairo, x_near(self, x[i]), y_near(self, y[i]));
        else if (there)
            cairo_move_to(p->cairo, x_near(self, x[i]), y_near(self, y[i]));
        down = there;
    }
    plot_stroke_path(p, s);
}

static void circle(plot *p, const plot_panel *self, double x, double y, double radius)
{
    cairo_new_sub_path(p->cairo);
    cairo_arc(p->cairo, x_near(self, x), y_near(self, y), radius, 0, 6.2831853071795862);
}

void panel_dots(plot *p, const plot_panel *self, const double *x, const double *y, size_t n,
                double radius, plot_ink ink, double cover)
{
    for (size_t i = 0; i < n; i++)
        if (!isnan(x[i]) && !isnan(y[i]))
            circle(p, self, x[i], y[i], radius);
    plot_use(p, ink, cover);
    cairo_fill(p->cairo);
}

void panel_rings(plot *p, const plot_panel *self, const double *x, const double *y, size_t n,
                 double radius, plot_stroke s)
{
    for (size_t i = 0; i < n; i++)
        if (!isnan(x[i]) && !isnan(y[i]))
            circle(p, self, x[i], y[i], radius);
    plot_stroke_path(p, s);
}

/* ---- bins */

static double edge(const plot_panel *self, plot_bins b, size_t i)
{
    double lo = panel_x(self, b.lo), hi = panel_x(self, b.hi);
    if (b.edge)
        return x_near(self, b.edge[i]);
    return near(lo + (hi - lo) * (double)i / (double)b.n, self->left, self->width);
}

void panel_steps(plot *p, const plot_panel *self, plot_bins bins, const double *y, plot_stroke s)
{
    bool down = false;
    for (size_t i = 0; i < bins.n; i++) {
        if (isnan(y[i])) {
            down = false;
            continue;
        }
        double at = y_near(self, y[i]);
        if (!down)
            cairo_move_to(p->cairo, edge(self, bins, i), at);
        else if (y[i] != y[i - 1])
            cairo_line_to(p->cairo, edge(self, bins, i), at);
        if (i + 1 == bins.n || !(y[i + 1] == y[i]))
            cairo_line_to(p->cairo, edge(self, bins, i + 1), at);
        down = true;
    }
    plot_stroke_path(p, s);
}

/* Of the bins from `first` on that have both, along `high` and back along `low`; returns the one behind them. */
static size_t band_piece(plot *p, const plot_panel *self, plot_bins b, const double *low,
                         const double *high, size_t first)
{
    size_t end = first;
    cairo_new_sub_path(p->cairo);
    for (; end < b.n && !isnan(high[end]) && !(low && isnan(low[end])); end++) {
        cairo_line_to(p->cairo, edge(self, b, end), y_near(self, high[end]));
        cairo_line_to(p->cairo, edge(self, b, end + 1), y_near(self, high[end]));
    }
    for (size_t i = end; i-- > first;) {
        double y = low ? y_near(self, low[i]) : self->top + self->height;
        cairo_line_to(p->cairo, edge(self, b, i + 1), y);
        cairo_line_to(p->cairo, edge(self, b, i), y);
    }
    if (end > first)
        cairo_close_path(p->cairo);
    return end > first ? end : first + 1;
}

void panel_band(plot *p, const plot_panel *self, plot_bins bins, const double *low,
                const double *high, plot_ink ink, double cover)
{
    for (size_t i = 0; i < bins.n;)
        i = band_piece(p, self, bins, low, high, i);
    plot_use(p, ink, cover);
    cairo_fill(p->cairo);
}

void panel_bars(plot *p, const plot_panel *self, plot_bins bins, const double *y, plot_ink ink,
                double cover)
{
    panel_band(p, self, bins, NULL, y, ink, cover);
}
