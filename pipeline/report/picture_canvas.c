#include "pipeline/report/picture_canvas.h"

#include "files/atomic.h"

#include <assert.h>
#include <errno.h>
#include <math.h>
#include <png.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static_assert(sizeof(picture_rgb) == 3, "rows are handed to libpng as they are");

int picture_canvas_init(picture_canvas *self, size_t width, size_t height, flow_err *err)
{
    *self = (picture_canvas){.width = width, .height = height};
    assert(width > 0 && height > 0);
    if (width <= PNG_USER_WIDTH_MAX && height <= SIZE_MAX / sizeof *self->pixels / width)
        self->pixels = malloc(height * width * sizeof *self->pixels);
    if (!self->pixels)
        return flow_fail(err, FLOW_ENOMEM, "out of memory for a picture of %zu x %zu pixels", width,
                         height);
    memset(self->pixels, 0xff, height * width * sizeof *self->pixels);
    return 0;
}

void picture_canvas_release(picture_canvas *self)
{
    free(self->pixels);
    self->pixels = NULL;
}

static long clamp(long value, size_t most)
{
    return value < 0 ? 0 : value > (long)most ? (long)most : value;
}

void picture_canvas_fill(picture_canvas *self, long left, long top, long width, long height,
                         picture_rgb ink)
{
    long right = clamp(left + width, self->width), bottom = clamp(top + height, self->height);
    for (long y = clamp(top, self->height); y < bottom; y++)
        for (long x = clamp(left, self->width); x < right; x++)
            self->pixels[(size_t)y * self->width + (size_t)x] = ink;
}

void picture_canvas_frame(picture_canvas *self, long left, long top, long width, long height,
                          picture_rgb ink)
{
    picture_canvas_fill(self, left - 1, top - 1, width + 2, 1, ink);
    picture_canvas_fill(self, left - 1, top + height, width + 2, 1, ink);
    picture_canvas_fill(self, left - 1, top, 1, height, ink);
    picture_canvas_fill(self, left + width, top, 1, height, ink);
}

static unsigned char mix(unsigned char under, unsigned char over, double cover)
{
    return (unsigned char)lround(under + cover * (over - under));
}

void picture_canvas_blend(picture_canvas *self, long x, long y, picture_rgb ink, double cover)
{
    if (x < 0 || y < 0 || x >= (long)self->width || y >= (long)self->height)
        return;
    picture_rgb *p = &self->pixels[(size_t)y * self->width + (size_t)x];
    *p = (picture_rgb){mix(p->r, ink.r, cover), mix(p->g, ink.g, cover), mix(p->b, ink.b, cover)};
}

double picture_distance(double x, double y, double x0, double y0, double x1, double y1)
{
    double dx = x1 - x0, dy = y1 - y0, length2 = dx * dx + dy * dy;
    double t = length2 > 0 ? ((x - x0) * dx + (y - y0) * dy) / length2 : 0;
    t = fmin(1, fmax(0, t));
    return hypot(x - (x0 + t * dx), y - (y0 + t * dy));
}

void picture_canvas_stroke(picture_canvas *self, double x0, double y0, double x1, double y1,
                           double width, picture_rgb ink)
{
    double reach = width / 2 + 1;
    for (long y = (long)floor(fmin(y0, y1) - reach); y <= (long)ceil(fmax(y0, y1) + reach); y++)
        for (long x = (long)floor(fmin(x0, x1) - reach); x <= (long)ceil(fmax(x0, x1) + reach);
             x++) {
            double off = picture_distance((double)x + 0.5, (double)y + 0.5, x0, y0, x1, y1);
            picture_canvas_blend(self, x, y, ink, fmin(1, fmax(0, width / 2 + 0.5 - off)));
        }
}

/* ---- PNG */

/* libpng reports by leaving through longjmp, and prints unless it is given both of these. */
static void keep_reason(png_structp png, png_const_charp why)
{
    flow_err *err = png_get_error_ptr(png);
    flow_fail(err, FLOW_EIO, "cannot be written: %s", errno ? strerror(errno) : why);
    png_longjmp(png, 1);
}

static void keep_quiet(png_structp png, png_const_charp why)
{
    (void)png;
    (void)why;
}

/* All parameters, so that nothing that setjmp could spoil lives in this function. Level 9 and the
 * filter that suits flat areas; no time stamp. */
static int encode(png_structp png, png_infop info, const picture_canvas *canvas, FILE *file)
{
    if (setjmp(png_jmpbuf(png)))
        return -1;
    png_init_io(png, file);
    png_set_compression_level(png, 9);
    png_set_filter(png, 0, PNG_FILTER_NONE);
    png_set_IHDR(png, info, (png_uint_32)canvas->width, (png_uint_32)canvas->height, 8,
                 PNG_COLOR_TYPE_RGB, PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT,
                 PNG_FILTER_TYPE_DEFAULT);
    png_set_sRGB_gAMA_and_cHRM(png, info, PNG_sRGB_INTENT_PERCEPTUAL);
    png_write_info(png, info);
    for (size_t y = 0; y < canvas->height; y++)
        png_write_row(png, (png_const_bytep)(canvas->pixels + y * canvas->width));
    png_write_end(png, info);
    return 0;
}

static int write_png(const picture_canvas *canvas, FILE *file, flow_err *err)
{
    flow_err why = FLOW_ERR_INIT;
    png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, &why, keep_reason, keep_quiet);
    png_infop info = png ? png_create_info_struct(png) : NULL;
    int code = 0;
    errno = 0;
    if (!info)
        code = flow_fail(err, FLOW_ENOMEM, "out of memory for libpng");
    else if (encode(png, info, canvas, file))
        code = flow_fail(err, FLOW_EIO, "%s", why.text);
    png_destroy_write_struct(&png, &info);
    return code;
}

int picture_canvas_write(const picture_canvas *self, const char *path, flow_err *err)
{
    file_atomic *out = file_atomic_open(path, err);
    if (!out)
        return err->code;
    if (write_png(self, file_atomic_file(out), err)) {
        file_atomic_discard(out);
        return flow_fail_prefix(err, path);
    }
    return file_atomic_commit(out, err);
}
