#include "pipeline/plot/plot.h"

#include "files/atomic.h"

#include <cairo-pdf.h>
#include <cairo-svg.h>
#include <stdlib.h>
#include <string.h>

enum { PIXELS = 2 }; /* a point */

/* ---- bytes */

void plot_bytes_release(plot_bytes *self)
{
    free(self->at);
    *self = (plot_bytes){0};
}

bool plot_bytes_add(plot_bytes *self, const void *from, size_t n)
{
    if (self->room < self->n + n + 1) {
        size_t room = 2 * (self->n + n) + 256;
        char *grown = realloc(self->at, room);
        if (!grown)
            return false;
        self->at = grown;
        self->room = room;
    }
    if (n)
        memcpy(self->at + self->n, from, n);
    self->n += n;
    self->at[self->n] = 0;
    return true;
}

static cairo_status_t take(void *to, const unsigned char *from, unsigned n)
{
    return plot_bytes_add(to, from, n) ? CAIRO_STATUS_SUCCESS : CAIRO_STATUS_NO_MEMORY;
}

/* ---- surfaces */

/* A date would differ from run to run. */
static cairo_surface_t *pdf(plot_bytes *out, double width, double height)
{
    cairo_surface_t *made = cairo_pdf_surface_create_for_stream(take, out, width, height);
    cairo_pdf_surface_set_metadata(made, CAIRO_PDF_METADATA_CREATE_DATE, "");
    return made;
}

static cairo_surface_t *image(double width, double height)
{
    cairo_surface_t *made = cairo_image_surface_create(CAIRO_FORMAT_RGB24, (int)(PIXELS * width),
                                                       (int)(PIXELS * height));
    cairo_surface_set_device_scale(made, PIXELS, PIXELS);
    return made;
}

static cairo_surface_t *open_surface(plot_bytes *out, const plot_drawing *d, plot_format format)
{
    switch (format) {
    case PLOT_PAGE:
        return cairo_svg_surface_create_for_stream(take, out, d->width, d->height);
    case PLOT_PDF:
        return pdf(out, d->width, d->height);
    default:
        return image(d->width, d->height);
    }
}

/* Letters are where their outlines want to be, on every surface alike. */
static void set_letters(cairo_t *cairo)
{
    cairo_font_options_t *options = cairo_font_options_create();
    cairo_font_options_set_hint_style(options, CAIRO_HINT_STYLE_NONE);
    cairo_font_options_set_hint_metrics(options, CAIRO_HINT_METRICS_OFF);
    cairo_font_options_set_antialias(options, CAIRO_ANTIALIAS_GRAY);
    cairo_set_font_options(cairo, options);
    cairo_font_options_destroy(options);
}

static cairo_status_t draw(cairo_surface_t *on, const plot_drawing *d, plot_format format)
{
    plot p = {cairo_create(on), d->width, d->height, format == PLOT_PAGE};
    set_letters(p.cairo);
    if (format == PLOT_PNG)
        plot_fill(&p, 0, 0, d->width, d->height, PLOT_PAPER, 1);
    d->draw(&p, d->of);
    cairo_status_t status = cairo_status(p.cairo);
    cairo_destroy(p.cairo);
    return status;
}

/* Writes what is not yet written. */
static cairo_status_t finish(cairo_surface_t *surface, plot_bytes *out, plot_format format)
{
    if (format == PLOT_PNG)
        return cairo_surface_write_to_png_stream(surface, take, out);
    cairo_surface_finish(surface);
    return cairo_surface_status(surface);
}

static int told(cairo_status_t status, flow_err *err)
{
    if (status == CAIRO_STATUS_SUCCESS)
        return FLOW_OK;
    if (status == CAIRO_STATUS_NO_MEMORY)
        return flow_fail(err, FLOW_ENOMEM, "out of memory for a picture");
    return flow_fail(err, FLOW_EBUG, "a picture cannot be drawn: %s",
                     cairo_status_to_string(status));
}

int plot_render(plot_bytes *out, const plot_drawing *drawing, plot_format format, flow_err *err)
{
    cairo_surface_t *surface = open_surface(out, drawing, format);
    cairo_status_t status = draw(surface, drawing, format);
    if (!status)
        status = finish(surface, out, format);
    cairo_surface_destroy(surface);
    return told(status, err);
}

int plot_write(const char *path, const plot_drawing *drawing, plot_format format, flow_err *err)
{
    plot_bytes bytes = {0};
    int code = plot_render(&bytes, drawing, format, err);
    if (!code)
        code = file_atomic_write(path, bytes.at, bytes.n, err);
    plot_bytes_release(&bytes);
    return code;
}

/* ---- for drawings */

void plot_use(plot *p, plot_ink ink, double cover)
{
    double rgb[3];
    if (p->marks)
        plot_ink_mark(rgb, ink);
    else
        plot_ink_light(rgb, ink);
    cairo_set_source_rgba(p->cairo, rgb[0], rgb[1], rgb[2], cover);
}

void plot_stroke_path(plot *p, plot_stroke s)
{
    plot_use(p, s.ink, s.cover);
    cairo_set_line_width(p->cairo, s.width);
    cairo_set_line_join(p->cairo, CAIRO_LINE_JOIN_ROUND);
    cairo_set_dash(p->cairo, &s.dash, s.dash > 0, 0);
    cairo_stroke(p->cairo);
}

void plot_line(plot *p, double x0, double y0, double x1, double y1, plot_stroke s)
{
    cairo_move_to(p->cairo, x0, y0);
    cairo_line_to(p->cairo, x1, y1);
    plot_stroke_path(p, s);
}

void plot_fill(plot *p, double left, double top, double width, double height, plot_ink ink,
               double cover)
{
    plot_use(p, ink, cover);
    cairo_rectangle(p->cairo, left, top, width, height);
    cairo_fill(p->cairo);
}
