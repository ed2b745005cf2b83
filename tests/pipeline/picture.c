/* Samples side by side, as who looks at them finds them: panels, cells, bars, what is outside. */
#include "pipeline/report/picture.h"

#include "pipeline/plot/svg.h"
#include "tests/pipeline/drawn.h"

#include <criterion/criterion.h>
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char *const NAMES[] = {"a", "b", "c"};
enum { WHITE = 0xffffff, LEFT = 66, TOP = 32, APART = 16 };

static picture_counted *counted(const picture *p)
{
    flow_err err = FLOW_ERR_INIT;
    picture_counted *out = picture_count(p, &err);
    cr_assert_not_null(out, "%s", err.text);
    return out;
}

/* The pixel at shares of a panel, from its lower left corner; of the first pair. */
static uint32_t cell(const drawn *d, size_t source, double across, double up)
{
    double x = LEFT + (double)source * (PICTURE_PANEL + APART) + across * PICTURE_PANEL;
    double y = TOP + (1 - up) * PICTURE_PANEL;
    return drawn_pixel(d, (size_t)(2 * x), (size_t)(2 * y));
}

static drawn drawing_of(const picture *p)
{
    picture_counted *c = counted(p);
    plot_drawing drawing = picture_drawing(c);
    drawn d = drawn_open(&drawing);
    picture_free(c);
    return d;
}

/* n rows: most in the lower left quarter of 0 .. 1, one corner in the upper right. */
static double *lopsided(size_t n)
{
    double *x = malloc(2 * n * sizeof *x);
    for (size_t i = 0; i < n; i++) {
        double u = (double)(i * 7919 % n) / (double)n, v = (double)(i * 104729 % n) / (double)n;
        x[2 * i] = i % 10 ? u / 2 : 1 - u / 20;
        x[2 * i + 1] = i % 10 ? v / 2 : 1 - v / 20;
    }
    return x;
}

static int darkness(uint32_t pixel)
{
    return 255 - (int)(pixel >> 16); /* the ink has no red */
}

Test(picture, cells_stand_upright_and_are_the_darker_the_more_rows_they_hold)
{
    double *x = lopsided(10000);
    picture p = {.dim = 2,
                 .names = NAMES,
                 .sources = {{"data", x, 10000, NULL}},
                 .n_sources = 1,
                 .pairs = {{0, 1}},
                 .n_pairs = 1};
    drawn d = drawing_of(&p);
    cr_expect_gt(darkness(cell(&d, 0, 0.25, 0.25)), 20);
    cr_expect_gt(darkness(cell(&d, 0, 0.93, 0.93)), darkness(cell(&d, 0, 0.25, 0.25)));
    cr_expect_eq(cell(&d, 0, 0.25, 0.85), WHITE, "upper left");
    cr_expect_eq(cell(&d, 0, 0.85, 0.25), WHITE, "lower right");
    drawn_close(&d);
    free(x);
}

/* As many rows of two sources have one shade, however many they are. */
Test(picture, panels_of_a_row_share_their_shades)
{
    double *x = lopsided(20000);
    picture p = {.dim = 2,
                 .names = NAMES,
                 .sources = {{"data", x, 20000, NULL}, {"student", x, 5000, "KL .1"}},
                 .n_sources = 2,
                 .pairs = {{0, 1}},
                 .n_pairs = 1};
    p.sources[1].note = NULL;
    drawn d = drawing_of(&p);
    int a = darkness(cell(&d, 0, 0.25, 0.25)), b = darkness(cell(&d, 1, 0.25, 0.25));
    cr_expect(a > 20 && abs(a - b) < 60, "%d and %d", a, b);
    drawn_close(&d);
    free(x);
}

/* A hundredth far off in the second source: the axis is that of the first, and its share is told. */
Test(picture, rows_outside_are_told)
{
    double *x = lopsided(2000), *far = lopsided(2000);
    for (size_t i = 0; i < 20; i++)
        far[2 * i] = 50;
    picture p = {.dim = 2,
                 .names = NAMES,
                 .sources = {{"data", x, 2000, NULL}, {"student", far, 2000, NULL}},
                 .n_sources = 2,
                 .pairs = {{0, 1}},
                 .n_pairs = 1};
    drawn with = drawing_of(&p);
    p.sources[1].x = x;
    drawn without = drawing_of(&p);
    size_t faint = drawn_count(&with, PLOT_FAINT, 0.4, 1, 0);
    cr_expect_gt(faint, drawn_count(&without, PLOT_FAINT, 0.4, 1, 0) + 40);
    drawn_close(&with);
    drawn_close(&without);
    free(x);
    free(far);
}

Test(picture, one_column_has_bars_and_the_outline_of_the_first)
{
    double x[1000];
    for (size_t i = 0; i < 1000; i++)
        x[i] = (double)i / 1000;
    picture p = {.dim = 1,
                 .names = NAMES,
                 .sources = {{"data", x, 1000, NULL}, {"student", x, 500, NULL}},
                 .n_sources = 2,
                 .pairs = {{0, 0}},
                 .n_pairs = 1};
    drawn d = drawing_of(&p);
    cr_expect_neq(cell(&d, 0, 0.25, 0.1), WHITE, "a bar");
    cr_expect_eq(cell(&d, 0, 0.03, 0.1), WHITE, "outside of the data");
    cr_expect_neq(cell(&d, 1, 0.25, 0.1), WHITE, "the student's bar");
    cr_expect_neq(cell(&d, 1, 0.75, 0.1), cell(&d, 1, 0.25, 0.1), "which has none above its half");
    drawn_close(&d);
}

Test(picture, strange_numbers_and_names_are_drawn)
{
    const double x[] = {NAN, 1, INFINITY, 2, -DBL_MAX, DBL_MAX, 3, -INFINITY, 1, 1, 5e-324, 0};
    static const char *const names[] = {"\xff\xfe bad",
                                        "<&> \xcf\x87\xc2\xb2 \xe2\x86\x92 a very long name "
                                        "that goes on for longer than any axis is"};
    picture p = {.dim = 2,
                 .names = names,
                 .sources = {{"none", x, 0, NULL}, {"some", x, 6, NULL}},
                 .n_sources = 2,
                 .pairs = {{0, 1}, {1, 1}},
                 .n_pairs = 2};
    drawn d = drawing_of(&p);
    cr_expect_gt(d.width, 2 * PICTURE_PANEL);
    drawn_close(&d);
}

Test(picture, equal_pictures_are_equal_files_of_every_kind)
{
    double *x = lopsided(3000);
    picture p = {.dim = 2,
                 .names = NAMES,
                 .sources = {{"data", x, 3000, "a note"}},
                 .n_sources = 1,
                 .pairs = {{0, 1}, {1, 1}},
                 .n_pairs = 2};
    for (plot_format format = PLOT_PAGE; format <= PLOT_PNG; format++) {
        plot_bytes bytes[2] = {{0}, {0}};
        for (int k = 0; k < 2; k++) {
            flow_err err = FLOW_ERR_INIT;
            plot_bytes file = {0};
            picture_counted *c = counted(&p);
            plot_drawing drawing = picture_drawing(c);
            cr_assert_eq(plot_render(&bytes[k], &drawing, format, &err), 0, "%s", err.text);
            if (format == PLOT_PAGE) {
                cr_assert_eq(svg_file(&file, &bytes[k], &err), 0);
                plot_bytes_release(&bytes[k]);
                bytes[k] = file;
            }
            picture_free(c);
        }
        cr_expect(bytes[0].n == bytes[1].n && memcmp(bytes[0].at, bytes[1].at, bytes[0].n) == 0);
        cr_expect(!strstr(bytes[0].at, "CreationDate") || format != PLOT_PDF);
        plot_bytes_release(&bytes[0]);
        plot_bytes_release(&bytes[1]);
    }
    free(x);
}
