/* The picture as a reader of the file finds it: panels, cells, colours, bars, and its file. */
#include "pipeline/report/picture.h"

#include "pipeline/report/picture_colour.h"
#include "tests/common/temp.h"

#include <criterion/criterion.h>
#include <float.h>
#include <math.h>
#include <png.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_FRAMES = PICTURE_SOURCES * PICTURE_PAIRS, PANEL = PICTURE_PANEL };

static const picture_rgb WHITE = {255, 255, 255}, FRAME = {110, 110, 110}, INK = {40, 40, 40};
static const char *const NAMES[] = {"a", "b", "c"};

/* ---- reading it back */

typedef struct seen {
    size_t width, height;
    picture_rgb *pixels;
    size_t n; /* frames, from the top left */
    struct {
        size_t x, y;
    } panel[MOST_FRAMES + 1]; /* inside of the frame, top left corner */
} seen;

static bool same(picture_rgb a, picture_rgb b)
{
    return memcmp(&a, &b, sizeof a) == 0;
}

static picture_rgb at(const seen *s, size_t x, size_t y)
{
    cr_assert(x < s->width && y < s->height);
    return s->pixels[y * s->width + x];
}

/* How many pixels of the colour of frames follow in one direction. */
static size_t run(const seen *s, size_t x, size_t y, size_t dx, size_t dy)
{
    size_t n = 0;
    while (x + n * dx < s->width && y + n * dy < s->height &&
           same(at(s, x + n * dx, y + n * dy), FRAME))
        n++;
    return n;
}

/* A top left corner: a line of a panel's length to the right that starts here, and one down. */
static void find_frames(seen *s)
{
    for (size_t y = 0; y < s->height; y++)
        for (size_t x = 1; x < s->width; x++)
            if (!same(at(s, x - 1, y), FRAME) && run(s, x, y, 1, 0) == PANEL + 2 &&
                run(s, x, y, 0, 1) >= PANEL + 2) {
                cr_assert_lt(s->n, (size_t)MOST_FRAMES);
                s->panel[s->n].x = x + 1;
                s->panel[s->n++].y = y + 1;
            }
}

static seen read_back(const char *path)
{
    png_image image = {.version = PNG_IMAGE_VERSION};
    cr_assert(png_image_begin_read_from_file(&image, path), "%s: %s", path, image.message);
    image.format = PNG_FORMAT_RGB;
    seen s = {.width = image.width, .height = image.height};
    s.pixels = malloc(PNG_IMAGE_SIZE(image));
    cr_assert(s.pixels && png_image_finish_read(&image, NULL, s.pixels, 0, NULL));
    find_frames(&s);
    return s;
}

static seen draw(const picture *p)
{
    flow_err err = FLOW_ERR_INIT;
    const char *path = temp_path("p.png");
    cr_assert_eq(picture_write(path, p, &err), 0, "%s", err.text);
    return read_back(path);
}

/* Whether any pixel of a rectangle is not white. */
static bool inked(const seen *s, size_t left, size_t top, size_t width, size_t height)
{
    for (size_t y = top; y < top + height; y++)
        for (size_t x = left; x < left + width; x++)
            if (!same(at(s, x, y), WHITE))
                return true;
    return false;
}

static bool same_panels(const seen *s, size_t a, size_t b)
{
    for (size_t y = 0; y < PANEL; y++)
        for (size_t x = 0; x < PANEL; x++)
            if (!same(at(s, s->panel[a].x + x, s->panel[a].y + y),
                      at(s, s->panel[b].x + x, s->panel[b].y + y)))
                return false;
    return true;
}

/* ---- what is drawn */

/* rows[k] rows at the k-th of four corners: (0, 0), (1, 0), (0, 1), (1, 1); returns how many. */
static size_t fill_corners(double *x, const size_t rows[4])
{
    size_t n = 0;
    for (size_t k = 0; k < 4; k++)
        for (size_t i = 0; i < rows[k]; i++, n++) {
            x[2 * n] = (double)(k % 2);
            x[2 * n + 1] = (double)(k / 2);
        }
    return n;
}

/* Pixels of a corner in its panel: the range is -0.06 .. 1.06, y points upwards. */
static picture_rgb corner(const seen *s, size_t panel, size_t k)
{
    size_t low = (size_t)(PANEL * 0.06 / 1.12), x = k % 2 ? PANEL - 1 - low : low;
    return at(s, s->panel[panel].x + x, s->panel[panel].y + (k / 2 ? low : PANEL - 1 - low));
}

/* The colour of c rows where the fullest cell has `peak`, as picture.h has it. */
static picture_rgb tone(double c, double peak)
{
    return c > 0 ? picture_colour(log(1 + c / 4) / log(1 + peak / 4)) : WHITE;
}

static void check_colour(picture_rgb got, picture_rgb want, const char *what)
{
    cr_assert(abs(got.r - want.r) <= 1 && abs(got.g - want.g) <= 1 && abs(got.b - want.b) <= 1,
              "%s: %d %d %d, want %d %d %d", what, got.r, got.g, got.b, want.r, want.g, want.b);
}

static picture plane(const double *x, size_t n)
{
    return (picture){.dim = 2,
                     .names = NAMES,
                     .sources = {{"data", x, n, NULL}},
                     .n_sources = 1,
                     .pairs = {{.across = 0, .up = 1}},
                     .n_pairs = 1};
}

Test(picture, every_pair_has_a_row_and_every_source_a_column_of_panels)
{
    double x[300];
    for (size_t i = 0; i < 300; i++)
        x[i] = sin((double)(i * i));
    temp_open();
    picture p = {
        .dim = 3,
        .names = NAMES,
        .sources = {{"data", x, 100, NULL}, {"teacher", x, 50, NULL}, {"student", x, 99, NULL}},
        .n_sources = 3,
        .pairs = {{0, 1}, {2, 2}},
        .n_pairs = 2};
    seen s = draw(&p);
    cr_assert_eq(s.n, 6);
    for (size_t i = 0; i < 6; i++) {
        cr_assert_eq(s.panel[i].y, s.panel[i / 3 * 3].y);
        cr_assert_eq(s.panel[i].x, s.panel[i % 3].x);
        cr_assert(i % 3 == 0 || s.panel[i].x >= s.panel[i - 1].x + PANEL + 10);
    }
    cr_assert_geq(s.panel[3].y, s.panel[0].y + PANEL + 40, "room for numbers and names");
    cr_assert_lt(s.panel[3].y + PANEL, s.height);
    cr_assert(s.width > 3 * PANEL && s.width < 4 * PANEL && s.height < 3 * PANEL);
    /* titles above the first row, numbers and names left of the first column and below every panel
     */
    for (size_t i = 0; i < 6; i++) {
        cr_assert(inked(&s, s.panel[i].x, s.panel[i].y + PANEL + 7, PANEL, 12), "numbers");
        cr_assert(inked(&s, s.panel[i].x, s.panel[i].y + PANEL + 26, PANEL, 12), "name");
        cr_assert_eq(inked(&s, s.panel[i].x, s.panel[i].y - 24, 20, 22), i < 3);
    }
    for (size_t i = 0; i < 6; i += 3) {
        cr_assert(inked(&s, 0, s.panel[i].y, 24, PANEL), "name");
        cr_assert(inked(&s, s.panel[i].x - 15, s.panel[i].y, 8, PANEL), "numbers");
    }
    free(s.pixels);
    temp_close();
}

Test(picture, cells_stand_upright_in_the_colour_of_their_rows)
{
    static double x[2 * 1000];
    static const size_t rows[4] = {100, 400, 480, 0};
    temp_open();
    picture p = plane(x, fill_corners(x, rows));
    seen s = draw(&p);
    for (size_t k = 0; k < 4; k++)
        check_colour(corner(&s, 0, k), tone((double)rows[k], 480), "corner");
    check_colour(at(&s, s.panel[0].x + PANEL / 2, s.panel[0].y + PANEL / 2), WHITE, "middle");
    free(s.pixels);
    temp_close();
}

Test(picture, panels_of_a_row_share_their_colours)
{
    static double x[2 * 1000], y[2 * 1000], z[2 * 1000];
    temp_open();
    picture p = plane(x, fill_corners(x, (const size_t[]){10, 200, 40, 0}));
    /* the same density from twice the rows; another with a higher peak */
    p.sources[1] = (picture_source){"", y, fill_corners(y, (const size_t[]){20, 400, 80, 0}), NULL};
    p.sources[2] =
        (picture_source){"", z, fill_corners(z, (const size_t[]){250, 0, 240, 10}), NULL};
    p.n_sources = 3;
    seen s = draw(&p);
    cr_assert(same_panels(&s, 0, 1));
    cr_assert_not(same_panels(&s, 0, 2));
    check_colour(corner(&s, 0, 1), tone(200, 200), "fullest cell of all");
    check_colour(corner(&s, 2, 0), tone(125, 200), "half of 250 rows, of 250");
    check_colour(corner(&s, 2, 3), tone(5, 200), "half of 10 rows");
    free(s.pixels);
    temp_close();
}

Test(picture, rows_outside_are_told_and_still_count)
{
    static double x[2 * 1000], y[2 * 1000];
    temp_open();
    picture p = plane(x, fill_corners(x, (const size_t[]){100, 400, 480, 20}));
    size_t n = fill_corners(y, (const size_t[]){100, 400, 480, 20});
    for (size_t i = 0; i < 400; i++) /* all of one corner and half of another leave */
        y[2 * (i + 50) + i % 2] = (const double[]){NAN, -3, 7, INFINITY, -DBL_MAX}[i % 5];
    p.sources[1] = (picture_source){"student", y, n, NULL};
    p.n_sources = 2;
    seen s = draw(&p);
    cr_assert_not(inked(&s, s.panel[0].x + PANEL / 2, s.panel[0].y - 24, PANEL / 2, 22));
    cr_assert(inked(&s, s.panel[1].x + PANEL / 2, s.panel[1].y - 24, PANEL / 2, 22));
    check_colour(corner(&s, 1, 0), tone(50, 480), "what is left of a corner");
    check_colour(corner(&s, 1, 1), tone(50, 480), "what is left of another");
    check_colour(corner(&s, 1, 2), tone(480, 480), "a corner that stayed");
    free(s.pixels);
    temp_close();
}

Test(picture, one_column_has_bars_and_the_outline_of_the_first)
{
    double x[300], y[300];
    for (size_t i = 0; i < 300; i++) {
        x[i] = i < 100; /* 200 at 0, 100 at 1 */
        y[i] = i < 200; /* 100 at 0, 200 at 1 */
    }
    temp_open();
    picture p = plane(x, 300);
    p.dim = 1;
    p.sources[1] = (picture_source){"other", y, 300, NULL};
    p.n_sources = 2;
    p.pairs[0] = (picture_pair){0, 0};
    seen s = draw(&p);
    size_t low = (size_t)(PANEL * 0.06 / 1.12), high = PANEL - 1 - low, full, half;
    full = (size_t)lround(PANEL / 1.08), half = full / 2;
    const picture_rgb bar = at(&s, s.panel[0].x + low, s.panel[0].y + PANEL - 5);
    cr_assert_not(same(bar, WHITE));
    for (size_t source = 0; source < 2; source++)
        for (size_t end = 0; end < 2; end++) {
            size_t column = s.panel[source].x + (end ? high : low);
            size_t top = s.panel[source].y + PANEL - (source == end ? full : half);
            cr_assert(same(at(&s, column, top + 5), bar), "source %zu, bar %zu", source, end);
            cr_assert_not(same(at(&s, column, top - 5), bar), "source %zu, bar %zu", source, end);
        }
    size_t line = s.panel[1].y + PANEL - full; /* of the first source's bar at 0 */
    cr_assert(same(at(&s, s.panel[1].x + low, line), INK));
    cr_assert_not(same(at(&s, s.panel[0].x + low, line), INK));
    free(s.pixels);
    temp_close();
}

/* ---- numbers that no picture is made for */

Test(picture, strange_numbers_and_names_are_drawn)
{
    static const double odd[] = {NAN,      INFINITY, -INFINITY, DBL_MAX, -DBL_MAX, 5e-324, -5e-324,
                                 1e-310,   0,        -0.0,      1e300,   1e-300,   1.5,    1.5,
                                 1e15 + 1, 1e15 + 3, DBL_MIN,   -1,      3,        1e-7};
    enum { ODD = sizeof odd / sizeof odd[0] };
    static const char *const names[] = {"", "\xff\xfe\x80 \xf0\x9f\x98\x80 %s %n"};
    char title[5000];
    memset(title, 'W', sizeof title - 1);
    title[sizeof title - 1] = '\0';
    temp_open();
    for (size_t first = 0; first < ODD; first++) {
        double x[2 * 3];
        for (size_t i = 0; i < 6; i++)
            x[i] = odd[(first + i * (i + 1) / 2) % ODD];
        picture p = plane(x, first % 4);
        p.names = names;
        p.sources[0].title = title;
        p.sources[1] = (picture_source){names[1], x, 3, NULL};
        p.n_sources = 2;
        p.pairs[1] = (picture_pair){1, 1};
        p.n_pairs = 1 + first / 4 % 2;
        seen s = draw(&p);
        cr_assert_eq(s.n, 2 * p.n_pairs);
        cr_assert_lt(s.width, (size_t)1200, "labels of axes stay short");
        free(s.pixels);
    }
    temp_close();
}

Test(picture, the_first_source_with_rows_has_the_range)
{
    static double x[2 * 1000], y[2 * 1000];
    temp_open();
    picture p = plane(NULL, 0);
    p.sources[1] =
        (picture_source){"", x, fill_corners(x, (const size_t[]){100, 400, 480, 20}), NULL};
    p.sources[2] = (picture_source){"", y, fill_corners(y, (const size_t[]){500, 0, 0, 500}), NULL};
    p.n_sources = 3;
    for (size_t i = 0; i < 2 * 1000; i++)
        x[i] += 5, y[i] = 5 + y[i] / 2;
    seen s = draw(&p);
    cr_assert_not(inked(&s, s.panel[0].x, s.panel[0].y, PANEL, PANEL));
    check_colour(corner(&s, 1, 2), tone(480, 500), "a corner of the second");
    check_colour(corner(&s, 2, 3), WHITE, "the third is in the middle there");
    free(s.pixels);
    temp_close();
}

Test(picture, without_rows_the_panels_are_empty)
{
    temp_open();
    picture p = plane(NULL, 0);
    p.pairs[1] = (picture_pair){0, 0};
    p.n_pairs = 2;
    seen s = draw(&p);
    cr_assert_eq(s.n, 2);
    for (size_t i = 0; i < 2; i++)
        cr_assert_not(inked(&s, s.panel[i].x, s.panel[i].y, PANEL, PANEL));
    free(s.pixels);
    temp_close();
}

/* ---- the file */

Test(picture, equal_pictures_are_equal_files)
{
    static double x[2 * 1000];
    flow_err err = FLOW_ERR_INIT;
    size_t len[3];
    char *bytes[3];
    temp_open();
    picture p = plane(x, fill_corners(x, (const size_t[]){100, 400, 480, 20}));
    for (size_t i = 0; i < 3; i++) {
        if (i == 2)
            x[0] = 0.5;
        cr_assert_eq(picture_write(temp_path("p.png"), &p, &err), 0, "%s", err.text);
        bytes[i] = temp_slurp(temp_path("p.png"), &len[i]);
    }
    cr_assert(len[0] == len[1] && memcmp(bytes[0], bytes[1], len[0]) == 0);
    cr_assert(len[0] != len[2] || memcmp(bytes[0], bytes[2], len[0]) != 0);
    for (size_t i = 0; i < 3; i++)
        free(bytes[i]);
    temp_close();
}

Test(picture, a_file_that_cannot_be_written)
{
    const double x[] = {1, 2, 3, 4};
    flow_err err = FLOW_ERR_INIT;
    picture p = plane(x, 2);
    temp_open();
    cr_assert_eq(picture_write(temp_path("none/p.png"), &p, &err), FLOW_ECREATE);
    cr_assert(strstr(err.text, "none/p.png: cannot be created"), "%s", err.text);
    const char *path = temp_write("p.png", "old", 3);
    temp_disk_full(1);
    int code = picture_write(path, &p, &err);
    temp_disk_full(0);
    cr_assert_eq(code, FLOW_EIO);
    cr_assert(strstr(err.text, "/p.png: cannot be written: File too large"), "%s", err.text);
    char *old = temp_slurp(path, NULL);
    cr_assert_str_eq(old, "old");
    cr_assert_eq(temp_count(), 1, "nothing half-written is left");
    free(old);
    temp_close();
}
