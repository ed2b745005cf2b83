#include "pipeline/plot/letters.h"

#include "files/utf8.h"

#include <stdio.h>
#include <string.h>

enum { LONGEST = 512 };

static const char ELLIPSIS[] = "\xe2\x80\xa6";

static void set_font(cairo_t *cairo, letters l)
{
    cairo_select_font_face(cairo, "DejaVu Sans", CAIRO_FONT_SLANT_NORMAL,
                           l.bold ? CAIRO_FONT_WEIGHT_BOLD : CAIRO_FONT_WEIGHT_NORMAL);
    cairo_set_font_size(cairo, l.size);
}

static bool inside_of_letter(char c)
{
    return ((unsigned char)c & 0xc0) == 0x80;
}

/* As much of the text as there is room for, in whole letters, and UTF-8. */
static void copy(char to[LONGEST], const char *text)
{
    size_t n = strlen(text);
    if (n >= LONGEST)
        for (n = LONGEST - 1; n > 0 && inside_of_letter(text[n]); n--)
            ;
    memcpy(to, text, n);
    to[n] = 0;
    file_mend_utf8(to);
}

static double advance(plot *p, const char *text, letters l)
{
    cairo_text_extents_t e;
    set_font(p->cairo, l);
    cairo_text_extents(p->cairo, text, &e);
    return e.x_advance;
}

double letters_width(plot *p, const char *text, letters l)
{
    char clean[LONGEST];
    copy(clean, text);
    return advance(p, clean, l);
}

static double before(double width, letters_at at)
{
    return at == LETTERS_START ? 0 : at == LETTERS_MIDDLE ? width / 2 : width;
}

void letters_write(plot *p, const char *text, double x, double y, letters l)
{
    char clean[LONGEST];
    copy(clean, text);
    double back = before(advance(p, clean, l), l.at);
    plot_use(p, l.ink, 1);
    cairo_save(p->cairo);
    cairo_translate(p->cairo, x, y);
    if (l.upwards)
        cairo_rotate(p->cairo, -2 * 0.78539816339744830962);
    cairo_move_to(p->cairo, -back, 0);
    cairo_show_text(p->cairo, clean);
    cairo_restore(p->cairo);
    cairo_new_path(p->cairo);
}

/* Without its last letter; n: bytes. */
static size_t shorter(const char *text, size_t n)
{
    do
        n--;
    while (n > 0 && inside_of_letter(text[n]));
    return n;
}

void letters_within(plot *p, const char *text, double room, double x, double y, letters l)
{
    char clean[LONGEST + sizeof ELLIPSIS];
    copy(clean, text);
    size_t n = strlen(clean);
    while (n > 0 && advance(p, clean, l) > room) {
        n = shorter(clean, n);
        memcpy(clean + n, ELLIPSIS, sizeof ELLIPSIS);
    }
    letters_write(p, clean, x, y, l);
}

bool letters_have_font(void)
{
    cairo_surface_t *sheet = cairo_image_surface_create(CAIRO_FORMAT_A8, 1, 1);
    cairo_t *cairo = cairo_create(sheet);
    set_font(cairo, (letters){.size = LETTERS_TEXT});
    bool found = cairo_scaled_font_get_type(cairo_get_scaled_font(cairo)) != CAIRO_FONT_TYPE_USER;
    cairo_destroy(cairo);
    cairo_surface_destroy(sheet);
    return found;
}
