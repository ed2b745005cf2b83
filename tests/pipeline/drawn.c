#include "tests/pipeline/drawn.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct reading {
    const plot_bytes *from;
    size_t at;
} reading;

static cairo_status_t more(void *arg, unsigned char *to, unsigned n)
{
    reading *r = arg;
    if (r->at + n > r->from->n)
        return CAIRO_STATUS_READ_ERROR;
    memcpy(to, r->from->at + r->at, n);
    r->at += n;
    return CAIRO_STATUS_SUCCESS;
}

drawn drawn_open(const plot_drawing *drawing)
{
    flow_err err = FLOW_ERR_INIT;
    plot_bytes bytes = {0};
    cr_assert_eq(plot_render(&bytes, drawing, PLOT_PNG, &err), 0, "%s", err.text);
    reading r = {&bytes, 0};
    drawn out = {.image = cairo_image_surface_create_from_png_stream(more, &r)};
    cr_assert_eq(cairo_surface_status(out.image), CAIRO_STATUS_SUCCESS);
    out.width = (size_t)cairo_image_surface_get_width(out.image);
    out.height = (size_t)cairo_image_surface_get_height(out.image);
    plot_bytes_release(&bytes);
    return out;
}

void drawn_close(drawn *self)
{
    cairo_surface_destroy(self->image);
}

uint32_t drawn_pixel(const drawn *self, size_t x, size_t y)
{
    uint32_t value;
    cr_assert(x < self->width && y < self->height);
    size_t stride = (size_t)cairo_image_surface_get_stride(self->image);
    memcpy(&value, cairo_image_surface_get_data(self->image) + y * stride + 4 * x, sizeof value);
    return value & 0xffffff;
}

uint32_t drawn_ink(plot_ink ink)
{
    return (uint32_t)strtoul(plot_tones[ink].light + 1, NULL, 16);
}

static int apart(uint32_t a, uint32_t b)
{
    int most = 0;
    for (int shift = 0; shift < 24; shift += 8) {
        int d = abs((int)(a >> shift & 0xff) - (int)(b >> shift & 0xff));
        most = d > most ? d : most;
    }
    return most;
}

size_t drawn_count(const drawn *self, plot_ink ink, double from, double to, double below)
{
    size_t n = 0, first = (size_t)(from * (double)self->width);
    for (size_t y = (size_t)(2 * below); y < self->height; y++)
        for (size_t x = first; (double)x < to * (double)self->width; x++)
            n += apart(drawn_pixel(self, x, y), drawn_ink(ink)) <= 3;
    return n;
}
