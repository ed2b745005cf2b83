/* The picture of energies as a reader of the file finds it. */
#include "pipeline/report/picture_energies.h"

#include "pipeline/report/picture_canvas.h"
#include "tests/common/temp.h"

#include <criterion/criterion.h>
#include <png.h>
#include <stdlib.h>
#include <string.h>

static const picture_rgb BLUE = {31, 86, 160}, RED = {190, 60, 30}, PALE = {205, 213, 225};

/* Pixels of a colour below the legend, in the share `from` to `to` of the width. */
static size_t count(const char *path, picture_rgb ink, double from, double to)
{
    png_image image = {.version = PNG_IMAGE_VERSION};
    cr_assert(png_image_begin_read_from_file(&image, path), "%s", image.message);
    image.format = PNG_FORMAT_RGB;
    picture_rgb *pixels = malloc(PNG_IMAGE_SIZE(image));
    cr_assert(pixels && png_image_finish_read(&image, NULL, pixels, 0, NULL));
    size_t n = 0;
    for (size_t y = 73; y < image.height; y++)
        for (size_t x = (size_t)(from * image.width); (double)x < to * image.width; x++)
            n += memcmp(&pixels[y * image.width + x], &ink, sizeof ink) == 0;
    free(pixels);
    return n;
}

/* The chains on the left, the student on the right, weighed on the left again. */
Test(picture_energies, has_bars_and_both_outlines_where_they_belong)
{
    temp_open();
    const char *path = temp_path("energies.png");
    flow_err err = FLOW_ERR_INIT;
    student_against_chain c = student_against_no_chain;
    c.rows = 100;
    c.lo = -3;
    c.hi = 5;
    for (size_t i = 0; i < 10; i++) {
        c.bins[STUDENT_ENERGY_CHAIN][i + 5] = 0.1;
        c.bins[STUDENT_ENERGY_WEIGHED][i + 5] = 0.05;
        c.bins[STUDENT_ENERGY_OWN][i + 30] = 0.1;
    }
    cr_assert_eq(picture_energies(path, &c, &err), 0, "%s", err.text);
    size_t bars = count(path, PALE, 0, 0.5), blue = count(path, BLUE, 0.6, 1);
    cr_expect(bars > 20000 && count(path, PALE, 0.5, 1) == 0, "%zu pixels of bars", bars);
    cr_expect_gt(blue, 300, "%zu pixels of the student", blue);
    cr_expect_gt(count(path, RED, 0, 0.5), 300);
    cr_expect_lt(count(path, BLUE, 0, 0.5), blue / 2, "only its ground line is there");
    memset(c.bins, 0, sizeof c.bins);
    cr_assert_eq(picture_energies(path, &c, &err), 0, "%s", err.text);
    cr_expect_eq(count(path, PALE, 0, 1), 0);
    temp_close();
}
