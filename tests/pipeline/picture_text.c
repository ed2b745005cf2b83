/* The alphabet of strokes. */
#include "pipeline/report/picture_text.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { SIDE = 64 };

static const picture_pen PEN = {.size = 14, .weight = 1.5, .ink = {0, 0, 0}};

static picture_canvas blank(size_t width, size_t height)
{
    picture_canvas c;
    flow_err err = FLOW_ERR_INIT;
    cr_assert_eq(picture_canvas_init(&c, width, height, &err), 0, "%s", err.text);
    return c;
}

static picture_canvas drawn(const char *text, picture_align align, picture_turn turn)
{
    picture_canvas c = blank(SIDE, SIDE);
    picture_text(&c, text, SIDE / 2, SIDE / 2, PEN, align, turn);
    return c;
}

static int dark(const picture_canvas *c, size_t x, size_t y)
{
    return 255 - c->pixels[y * c->width + x].g;
}

static int ink_of(const picture_canvas *c)
{
    int sum = 0;
    for (size_t i = 0; i < c->width * c->height; i++)
        sum += dark(c, i % c->width, i / c->width);
    return sum;
}

static bool equal(const picture_canvas *a, const picture_canvas *b)
{
    return memcmp(a->pixels, b->pixels, a->width * a->height * sizeof *a->pixels) == 0;
}

/* Every printable character draws something of its own; what is none draws one and the same. */
Test(picture_text, letters_differ)
{
    picture_canvas letter['~' + 1], box = drawn("\x01", PICTURE_START, PICTURE_ACROSS);
    for (char c = '!'; c <= '~'; c++) {
        letter[(int)c] = drawn((const char[]){c, '\0'}, PICTURE_START, PICTURE_ACROSS);
        cr_assert_gt(ink_of(&letter[(int)c]), 500, "%c", c);
        cr_assert_not(equal(&letter[(int)c], &box), "%c", c);
        for (char d = '!'; d < c; d++)
            cr_assert_not(equal(&letter[(int)c], &letter[(int)d]), "%c and %c", c, d);
    }
    for (char c = '!'; c <= '~'; c++)
        picture_canvas_release(&letter[(int)c]);
    picture_canvas umlaut = drawn("\xc3\xa4", PICTURE_START, PICTURE_ACROSS);
    picture_canvas space = drawn(" ", PICTURE_START, PICTURE_ACROSS);
    cr_assert(equal(&umlaut, &box), "one box for two bytes");
    cr_assert_eq(ink_of(&space), 0);
    picture_canvas_release(&box);
    picture_canvas_release(&umlaut);
    picture_canvas_release(&space);
}

/* An L: its stem is left of its foot, its foot on the base line, its top a capital's height up. */
Test(picture_text, letters_stand_upright)
{
    picture_canvas c = drawn("L", PICTURE_START, PICTURE_ACROSS);
    const size_t x = SIDE / 2, y = SIDE / 2;
    for (size_t up = 2; up < 13; up++)
        cr_assert(dark(&c, x, y - up) > 60 && dark(&c, x + 4, y - up) == 0, "stem at %zu", up);
    for (size_t right = 1; right < 6; right++)
        cr_assert(dark(&c, x + right, y) > 60 && dark(&c, x + right, y - 14) == 0, "foot");
    cr_assert_eq(dark(&c, x, y - 17) + dark(&c, x, y + 2) + dark(&c, x - 3, y - 5), 0);
    picture_canvas_release(&c);
}

/* (x, y) across is (y, -x) upwards, from the middle of the canvas. */
Test(picture_text, upwards_is_across_turned)
{
    picture_canvas a = drawn("Fg4", PICTURE_MIDDLE, PICTURE_ACROSS);
    picture_canvas u = drawn("Fg4", PICTURE_MIDDLE, PICTURE_UPWARDS);
    for (size_t y = 0; y < SIDE; y++)
        for (size_t x = 0; x < SIDE; x++)
            cr_assert_leq(abs(dark(&a, x, y) - dark(&u, y, SIDE - 1 - x)), 1, "%zu %zu", x, y);
    picture_canvas_release(&a);
    picture_canvas_release(&u);
}

/* First and last inked column. */
static void extent(const picture_canvas *c, size_t *first, size_t *last)
{
    *first = c->width;
    *last = 0;
    for (size_t i = 0; i < c->width * c->height; i++)
        if (dark(c, i % c->width, i / c->width) > 60) {
            size_t x = i % c->width;
            *first = x < *first ? x : *first;
            *last = x > *last ? x : *last;
        }
}

Test(picture_text, width_is_where_the_ink_is)
{
    static const char *const texts[] = {"H", "mPBD", "0.25", "N N"};
    for (size_t i = 0; i < 4; i++)
        for (int align = PICTURE_START; align <= PICTURE_END; align++) {
            picture_canvas c = blank(200, 40);
            size_t first, last;
            double width = picture_text_width(texts[i], PEN), left = 100 - width * align / 2;
            picture_text(&c, texts[i], 100, 30, PEN, (picture_align)align, PICTURE_ACROSS);
            extent(&c, &first, &last);
            cr_assert_leq(fabs((double)first - left), 1.5, "%s %d", texts[i], align);
            cr_assert_leq(fabs((double)last - (left + width)), 1.5, "%s %d", texts[i], align);
            picture_canvas_release(&c);
        }
    cr_assert_eq(picture_text_width("", PEN), 0);
    cr_assert_float_eq(picture_text_width("HH", (picture_pen){.size = 28}),
                       2 * picture_text_width("HH", (picture_pen){.size = 14}), 1e-12);
}

static picture_canvas within(const char *text, double room)
{
    picture_canvas c = blank(600, 40);
    picture_text_within(&c, text, room, 20, 30, PEN, PICTURE_START, PICTURE_ACROSS);
    return c;
}

Test(picture_text, a_long_text_ends_in_dots)
{
    char text[400];
    size_t first, last;
    memset(text, 'H', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    picture_canvas cut = within(text, 150), want = within("HHHHHHHHHH...", INFINITY);
    extent(&cut, &first, &last);
    cr_assert(last <= 20 + 150 + 1 && last >= 20 + 150 - 16, "%zu", last);
    cr_assert(equal(&cut, &want));
    picture_canvas_release(&cut);
    picture_canvas_release(&want);
    cut = within("Height", 150);
    want = within("Height", INFINITY);
    cr_assert(equal(&cut, &want), "nothing to cut");
    picture_canvas_release(&cut);
    picture_canvas_release(&want);
    cut = within("\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac", 40);
    want = within("\x01\x01...", INFINITY);
    cr_assert(equal(&cut, &want), "characters are cut as a whole");
    picture_canvas_release(&cut);
    picture_canvas_release(&want);
}

Test(picture_text, what_is_off_the_canvas_is_cut_off)
{
    picture_canvas c = blank(20, 20);
    for (int x = -40; x <= 60; x += 10)
        for (int y = -40; y <= 60; y += 10)
            picture_text(&c, "Wg", x, y, PEN, PICTURE_MIDDLE,
                         x % 20 ? PICTURE_ACROSS : PICTURE_UPWARDS);
    picture_canvas_fill(&c, -5, -5, 8, 50, (picture_rgb){255, 255, 255});
    picture_canvas_fill(&c, 30, 30, 8, 8, (picture_rgb){0, 0, 0});
    picture_canvas_frame(&c, -3, -3, 100, 100, (picture_rgb){0, 0, 0});
    cr_assert_eq(dark(&c, 2, 10), 0);
    cr_assert_gt(ink_of(&c), 0);
    picture_canvas_release(&c);
}
