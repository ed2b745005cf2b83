/* The ladder's picture as a reader of the file finds it, and the stroke it is drawn with. */
#include "pipeline/report/picture_ladder.h"

#include "pipeline/report/picture_canvas.h"
#include "tests/common/temp.h"

#include <criterion/criterion.h>
#include <math.h>
#include <png.h>
#include <stdlib.h>
#include <string.h>

static const picture_rgb BLUE = {31, 86, 160}, RED = {190, 60, 30}, WHITE = {255, 255, 255};

static bool same(picture_rgb a, picture_rgb b)
{
    return memcmp(&a, &b, sizeof a) == 0;
}

/* ---- strokes */

Test(picture_ladder, a_stroke_covers_its_width_and_no_more)
{
    picture_canvas c;
    cr_assert_eq(picture_canvas_init(&c, 20, 10, NULL), 0);
    picture_canvas_stroke(&c, 4, 5, 16, 5, 2, BLUE); /* the rows of pixels 4 and 5 */
    for (size_t x = 5; x < 15; x++) {
        cr_expect(same(c.pixels[4 * 20 + x], BLUE) && same(c.pixels[5 * 20 + x], BLUE));
        cr_expect(same(c.pixels[2 * 20 + x], WHITE) && same(c.pixels[7 * 20 + x], WHITE));
    }
    cr_expect(same(c.pixels[5 * 20 + 1], WHITE) && same(c.pixels[5 * 20 + 18], WHITE));
    picture_canvas_stroke(&c, -50, -50, 80, 90, 3, RED); /* cut off at the edges */
    picture_canvas_release(&c);
}

/* ---- the picture */

/* Pixels of a colour below the legend. */
static size_t count(const char *path, picture_rgb ink)
{
    png_image image = {.version = PNG_IMAGE_VERSION};
    cr_assert(png_image_begin_read_from_file(&image, path), "%s", image.message);
    image.format = PNG_FORMAT_RGB;
    picture_rgb *pixels = malloc(PNG_IMAGE_SIZE(image));
    cr_assert(pixels && png_image_finish_read(&image, NULL, pixels, 0, NULL));
    size_t n = 0;
    for (size_t i = 60 * image.width; i < (size_t)image.width * image.height; i++)
        n += same(pixels[i], ink);
    free(pixels);
    return n;
}

static student_rung rung(size_t t, double reverse, double forward)
{
    return (student_rung){
        .how = {.iterations = t, .width = 1},
        .weights = {.kl_reverse = {.value = reverse}, .kl_forward = {.value = forward}},
        .rows_per_s = 1e6 / (double)t};
}

Test(picture_ladder, has_both_curves_and_leaves_out_the_wild)
{
    temp_open();
    const char *path = temp_path("ladder.png");
    flow_err err = FLOW_ERR_INIT;
    student_rung rungs[] = {rung(1, 0.3, 0.4), rung(2, 1e-2, 2e-2), rung(3, -1e-9, 0)};
    cr_assert_eq(picture_ladder(path, rungs, 3, 1e6, &err), 0, "%s", err.text);
    size_t blue = count(path, BLUE), red = count(path, RED);
    cr_expect(blue > 100 && red > 100, "%zu blue and %zu red pixels", blue, red);
    rungs[1].wild = rungs[2].wild = 1;
    cr_assert_eq(picture_ladder(path, rungs, 3, 1e6, &err), 0, "%s", err.text);
    cr_expect(count(path, BLUE) < blue / 3 && count(path, BLUE) > 0, "a dot is left");
    rungs[0].wild = 1;
    cr_assert_eq(picture_ladder(path, rungs, 3, 1e6, &err), 0, "%s", err.text);
    cr_expect_eq(count(path, BLUE) + count(path, RED), 0);
    temp_close();
}

/* A trained student is a ring beside the curve: ink around a hole. */
Test(picture_ladder, trained_ones_are_rings)
{
    temp_open();
    const char *path = temp_path("ladder.png");
    flow_err err = FLOW_ERR_INIT;
    student_rung rungs[] = {rung(1, 0.3, 0.3), rung(2, 1e-2, 1e-2), rung(1, 1e-1, 1e-3)};
    cr_assert_eq(picture_ladder(path, rungs, 2, 1e6, &err), 0, "%s", err.text);
    size_t without = count(path, BLUE);
    rungs[2].trained = true;
    rungs[2].how.width = 0.5;
    cr_assert_eq(picture_ladder(path, rungs, 3, 1e6, &err), 0, "%s", err.text);
    size_t ring = count(path, BLUE) - without;
    cr_expect(ring > 25 && ring < 90, "%zu pixels of a ring", ring);
    cr_expect_gt(count(path, WHITE), 1000);
    temp_close();
}
