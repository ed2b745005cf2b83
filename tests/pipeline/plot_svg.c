/* SVG for a file and for a page: inks, letters, ids, and what users say. */
#include "pipeline/plot/svg.h"

#include "pipeline/plot/letters.h"
#include "pipeline/plot/panel.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static double full(const void *of, double value)
{
    (void)of;
    return value;
}

/* All that Cairo gives an id: letters, a clip, an image. */
static void draw(plot *p, const void *of)
{
    const double cells[] = {0, 0.5, 1, 0.25};
    plot_panel panel = {10, 10, 80, 60, {.hi = 1}, {.hi = 1}};
    plot_grid grid = {{0, 1, 2, NULL}, {0, 1, 2, NULL}, cells};
    panel_cut(p, &panel);
    panel_heat(p, &panel, &grid, (plot_tones_of){PLOT_STUDENT, full, NULL});
    panel_level(p, &panel, 0.123456789, (plot_stroke){PLOT_TEACHER, 1, 0, 1});
    panel_uncut(p);
    letters_write(p, of, 10, 90, (letters){LETTERS_TEXT, PLOT_INK, LETTERS_START, false, false});
}

static void render(plot_bytes *out, const char *text)
{
    flow_err err = FLOW_ERR_INIT;
    plot_drawing d = {100, 100, draw, text};
    cr_assert_eq(plot_render(out, &d, PLOT_PAGE, &err), 0, "%s", err.text);
}

static size_t count(const char *text, const char *what)
{
    size_t n = 0;
    for (const char *at = strstr(text, what); at; at = strstr(at + 1, what))
        n++;
    return n;
}

Test(plot_svg, a_file_has_the_inks_of_white_paper)
{
    flow_err err = FLOW_ERR_INIT;
    plot_bytes drawn = {0}, file = {0};
    render(&drawn, "abc");
    cr_assert_eq(svg_file(&file, &drawn, &err), 0, "%s", err.text);
    cr_expect(strncmp(file.at, "<?xml", 5) == 0);
    cr_expect(strstr(file.at, plot_tones[PLOT_INK].light));
    cr_expect(strstr(file.at, plot_tones[PLOT_TEACHER].light));
    cr_expect_null(strstr(file.at, "rgb("), "no mark is left");
    cr_expect_null(strstr(file.at, "var("));
    cr_expect_eq(count(file.at, "<use "), 4, "three letters, an image");
    cr_expect_lt(file.n, drawn.n + 200);
    plot_bytes_release(&drawn);
    plot_bytes_release(&file);
}

/* Every id that is referred to is there, once. */
static void check_ids(const char *page)
{
    for (const char *at = strstr(page, "#"); at; at = strstr(at + 1, "#")) {
        char id[64], wanted[80];
        if (at[-1] != '"' && at[-1] != '(')
            continue;
        snprintf(id, sizeof id, "%.*s", (int)strcspn(at + 1, "\")"), at + 1);
        snprintf(wanted, sizeof wanted, "id=\"%s\"", id);
        cr_expect_eq(count(page, wanted), 1, "%s", wanted);
    }
}

Test(plot_svg, several_in_a_page_share_letters_and_nothing_else)
{
    flow_err err = FLOW_ERR_INIT;
    plot_bytes one = {0}, two = {0}, page = {0};
    svg_page all = {.letters = {.n = 0}};
    render(&one, "abc");
    render(&two, "bcd");
    cr_assert_eq(svg_element(&page, &one, &all, "f0-", "One", "first", &err), 0, "%s", err.text);
    cr_assert_eq(svg_element(&page, &two, &all, "f1-", "Two", "second", &err), 0, "%s", err.text);
    cr_expect(all.letters.n >= 4 && all.letters.n <= 6, "%zu letters", all.letters.n);
    cr_assert(plot_bytes_add(&page, all.symbols.at, all.symbols.n));
    check_ids(page.at);
    cr_expect_null(strstr(page.at, "rgb("));
    cr_expect(all.styles.n >= 2 && all.styles.n < 12, "%zu styles", all.styles.n);
    bool teacher = false;
    for (size_t i = 0; i < all.styles.n; i++)
        teacher = teacher || strstr(all.styles.at[i], "stroke:var(--teacher)");
    cr_expect(teacher);
    cr_expect(strstr(page.at, "class=\"s0\""));
    cr_expect_eq(count(page.at, "<svg "), count(page.at, "</svg>"));
    cr_expect_eq(count(page.at, "<symbol"), count(page.at, "</symbol>"));
    cr_expect_eq(count(page.at, "<defs>"), count(page.at, "</defs>"));
    cr_expect_eq(count(page.at, "<g>") + count(page.at, "<g "), count(page.at, "</g>"));
    plot_bytes_release(&one);
    plot_bytes_release(&two);
    plot_bytes_release(&page);
    svg_page_release(&all);
}

Test(plot_svg, what_users_say_is_escaped)
{
    flow_err err = FLOW_ERR_INIT;
    plot_bytes drawn = {0}, page = {0};
    svg_page all = {.letters = {.n = 0}};
    render(&drawn, "<script>&\xff");
    cr_assert_eq(svg_element(&page, &drawn, &all, "f0-", "</title><script>", "\"'&", &err), 0);
    cr_expect_null(strstr(page.at, "<script"));
    cr_expect(strstr(page.at, "<title>&lt;/title&gt;&lt;script&gt;</title>"));
    cr_expect(strstr(page.at, "<desc>&quot;&#39;&amp;</desc>"));
    plot_bytes_release(&drawn);
    plot_bytes_release(&page);
    svg_page_release(&all);
}

Test(plot_svg, inks_know_their_marks)
{
    for (plot_ink ink = PLOT_INK; ink < PLOT_INKS; ink++) {
        double rgb[3];
        plot_ink_mark(rgb, ink);
        cr_expect_eq(plot_ink_marked(rgb[0], rgb[1], rgb[2]), ink);
        cr_expect_eq(strlen(plot_tones[ink].light), 7);
        cr_expect_eq(strlen(plot_tones[ink].dark), 7);
    }
    cr_expect_eq(plot_ink_marked(0.5, 0.2, 0.1), PLOT_INKS);
    cr_expect_eq(plot_ink_marked(0, 0, 0), PLOT_INKS);
}

Test(plot_svg, text_is_cut_between_letters)
{
    cairo_surface_t *sheet = cairo_image_surface_create(CAIRO_FORMAT_A8, 10, 10);
    plot p = {.cairo = cairo_create(sheet), .width = 10, .height = 10};
    letters l = {LETTERS_TEXT, PLOT_INK, LETTERS_START, false, false};
    cr_expect_gt(letters_width(&p, "mmmm", l), 3.9 * letters_width(&p, "m", l));
    for (double room = 0; room < 60; room += 1.7)
        letters_within(&p, "\xcf\x87\xc2\xb2 \xe2\x86\x92 \xf0\x9d\x9c\x8b \xe2\x82\xac long", room,
                       0, 5, l);
    cr_expect_eq(cairo_status(p.cairo), CAIRO_STATUS_SUCCESS, "UTF-8 at every cut");
    cairo_destroy(p.cairo);
    cairo_surface_destroy(sheet);
}

static void draw_paths(plot *p, const void *of)
{
    const plot_stroke s = {PLOT_INK, 1, 0, 1};
    (void)of;
    cairo_move_to(p->cairo, 1, 2);
    cairo_line_to(p->cairo, 30, 2);
    cairo_line_to(p->cairo, 30, 40);
    cairo_line_to(p->cairo, 41.123, 50.567);
    cairo_line_to(p->cairo, 60, 70);
    cairo_curve_to(p->cairo, 61, 71, 62, 75, 63, 73);
    cairo_curve_to(p->cairo, 64, 74, 65, 79, 66, 76);
    cairo_close_path(p->cairo);
    cairo_move_to(p->cairo, 5, 5);
    cairo_line_to(p->cairo, 5, 9);
    plot_stroke_path(p, s);
}

/* What is written shorter says the same. */
Test(plot_svg, paths_are_short)
{
    flow_err err = FLOW_ERR_INIT;
    plot_bytes drawn = {0}, file = {0};
    plot_drawing d = {100, 100, draw_paths, NULL};
    cr_assert_eq(plot_render(&drawn, &d, PLOT_PAGE, &err), 0, "%s", err.text);
    cr_assert_eq(svg_file(&file, &drawn, &err), 0, "%s", err.text);
    const char *path = strstr(file.at, " d=\"");
    cr_assert_not_null(path);
    cr_expect(strncmp(path,
                      " d=\"M1 2H30V40L41.12 50.57 60 70C61 71 62 75 63 73 64 74 65 79 66 76Z"
                      "M5 5V9\"",
                      76) == 0,
              "%.90s", path);
    plot_bytes_release(&drawn);
    plot_bytes_release(&file);
}
