/* pipeline/plot/surface.c -- numbers over a grid in a panel, as contours and as shades. */
#include "pipeline/plot/panel.h"

#include <assert.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

/* ---- contours */

/* Of bin i, on an axis that is not bent; bins have no edges of their own. */
static double middle(plot_bins b, double i)
{
    return b.lo + (b.hi - b.lo) * (i + 0.5) / (double)b.n;
}

typedef struct square {
    const plot_grid *grid;
    size_t i,
        j; /* of its lower left corner; 0 is outside of the grid, which is closed by a rim of zeros */
    double level;
    double v[4]; /* at the corners: lower left, lower right, upper right, upper left */
} square;

static double value_at(const plot_grid *g, size_t i, size_t j)
{
    if (i == 0 || j == 0 || i > g->x.n || j > g->y.n)
        return 0;
    return g->value[(j - 1) * g->x.n + i - 1];
}

static square square_at(const plot_grid *g, double level, size_t i, size_t j)
{
    return (square){g,
                    i,
                    j,
                    level,
                    {value_at(g, i, j), value_at(g, i + 1, j), value_at(g, i + 1, j + 1),
                     value_at(g, i, j + 1)}};
}

/* Side k is from corner k to the next. */
static bool crosses(const square *s, int k)
{
    return (s->v[k] > s->level) != (s->v[(k + 1) % 4] > s->level);
}

/* The side by which a line leaves that comes in by `side`. In a saddle what is high is kept apart. */
static int way_out(const square *s, int side)
{
    if (crosses(s, 0) && crosses(s, 1) && crosses(s, 2) && crosses(s, 3))
        return s->v[side] > s->level ? (side + 3) % 4 : (side + 1) % 4;
    for (int k = 1; k < 4; k++)
        if (crosses(s, (side + k) % 4))
            return (side + k) % 4;
    return side;
}

static void line_to(plot *p, const plot_panel *panel, const square *s, int k)
{
    static const double cx[] = {0, 1, 1, 0}, cy[] = {0, 0, 1, 1};
    int to = (k + 1) % 4;
    double t = (s->level - s->v[k]) / (s->v[to] - s->v[k]);
    double i = (double)s->i - 1 + cx[k] + t * (cx[to] - cx[k]);
    double j = (double)s->j - 1 + cy[k] + t * (cy[to] - cy[k]);
    cairo_line_to(p->cairo, panel_x(panel, middle(s->grid->x, i)),
                  panel_y(panel, middle(s->grid->y, j)));
}

/* A bit for each side that a line has crossed. */
typedef unsigned char seen_sides[PANEL_CELLS + 1][PANEL_CELLS + 1];

/* From a side of a square round to it again. */
static void follow(plot *p, const plot_panel *panel, square s, int side, seen_sides seen)
{
    static const int right[] = {0, 1, 0, -1}, up[] = {-1, 0, 1, 0};
    cairo_new_sub_path(p->cairo);
    while (!(seen[s.j][s.i] & 1 << side)) {
        int out = way_out(&s, side);
        seen[s.j][s.i] = (unsigned char)(seen[s.j][s.i] | 1 << side | 1 << out);
        line_to(p, panel, &s, out);
        s = square_at(s.grid, s.level, (size_t)((long)s.i + right[out]),
                      (size_t)((long)s.j + up[out]));
        side = (out + 2) % 4;
    }
    cairo_close_path(p->cairo);
}

void panel_contour(plot *p, const plot_panel *self, const plot_grid *grid, double level,
                   plot_stroke s)
{
    seen_sides seen = {{0}};
    assert(grid->x.n <= PANEL_CELLS && grid->y.n <= PANEL_CELLS && level > 0);
    for (size_t j = 0; j <= grid->y.n; j++)
        for (size_t i = 0; i <= grid->x.n; i++)
            for (int side = 0; side < 4; side++) {
                square at = square_at(grid, level, i, j);
                if (crosses(&at, side) && !(seen[j][i] & 1 << side))
                    follow(p, self, at, side, seen);
            }
    plot_stroke_path(p, s);
}

/* ---- shades */

/* One ink that covers more or less: so it is right on white paper and on dark. Premultiplied, as Cairo wants it. */
static uint32_t shade(const double rgb[3], double cover)
{
    double a = 255 * fmin(1, fmax(0, cover));
    return (uint32_t)lround(a) << 24 | (uint32_t)lround(a * rgb[0]) << 16 |
           (uint32_t)lround(a * rgb[1]) << 8 | (uint32_t)lround(a * rgb[2]);
}

static void paint_cells(unsigned char *at, size_t stride, const plot_grid *g, plot_tones_of tones)
{
    double rgb[3];
    plot_ink_light(rgb, tones.ink);
    for (size_t j = 0; j < g->y.n; j++)
        for (size_t i = 0; i < g->x.n; i++) {
            uint32_t pixel = shade(rgb, tones.tone(tones.of, g->value[j * g->x.n + i]));
            memcpy(at + (g->y.n - 1 - j) * stride + i * sizeof pixel, &pixel, sizeof pixel);
        }
}

static cairo_surface_t *image_of(const plot_grid *g, plot_tones_of tones)
{
    cairo_surface_t *made =
        cairo_image_surface_create(CAIRO_FORMAT_ARGB32, (int)g->x.n, (int)g->y.n);
    unsigned char *at = cairo_image_surface_get_data(made);
    cairo_surface_flush(made);
    if (at) /* no memory shows when it is drawn */
        paint_cells(at, (size_t)cairo_image_surface_get_stride(made), g, tones);
    cairo_surface_mark_dirty(made);
    return made;
}

void panel_heat(plot *p, const plot_panel *self, const plot_grid *grid, plot_tones_of tones)
{
    cairo_surface_t *image = image_of(grid, tones);
    double left = panel_x(self, grid->x.lo), top = panel_y(self, grid->y.hi);
    cairo_save(p->cairo);
    cairo_translate(p->cairo, left, top);
    cairo_scale(p->cairo, (panel_x(self, grid->x.hi) - left) / (double)grid->x.n,
                (panel_y(self, grid->y.lo) - top) / (double)grid->y.n);
    cairo_set_source_surface(p->cairo, image, 0, 0);
    cairo_pattern_set_filter(cairo_get_source(p->cairo), CAIRO_FILTER_NEAREST);
    cairo_paint(p->cairo);
    cairo_restore(p->cairo);
    cairo_surface_destroy(image);
}
