/* pipeline/report/picture_text.c -- the alphabet, and drawing it.
 *
 * A letter is a string of points, two characters each, x then y, on a grid that starts at 'a':
 * x = 0 is the left edge; y = 'e' is the base line, 'o' the height of an x, 's' that of a capital,
 * 'a' the depth of a g. Small letters: a point of the path. Capitals: a control point of a
 * quadratic curve; between two control points the path passes midway, as in a TrueType outline. A
 * space lifts the pen. */
#include "pipeline/report/picture_text.h"

#include <assert.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static const char *const alphabet[] = {
    /*   */ "",
    /* ! */ "asai aebebfafae",
    /* " */ "asao dsdo",
    /* # */ "cees geis bnjn ajij",
    /* $ */ "ipHSesASapAMelIKihIEeeBEah euec",
    /* % */ "jsbe csASaqAOcoEOeqEScs iiGIggGEieKEkgKIii",
    /* & */ "jecnASesHSgoAKaiAEdeIEjk",
    /* ' */ "asao",
    /* ( */ "dtAPakAFdb",
    /* ) */ "atDPdkDFab",
    /* * */ "dsdm aqgo aogq",
    /* + */ "eoeg akik",
    /* , */ "bfac",
    /* - */ "akhk",
    /* . */ "aebebfafae",
    /* / */ "acgt",
    /* 0 */ "esASalAEeeIEilISes",
    /* 1 */ "bpesee",
    /* 2 */ "apASesISioIMfjaeie",
    /* 3 */ "apASesISipIMem cmemIMiiIEeeAEah",
    /* 4 */ "gegsaiji",
    /* 5 */ "hsbsalCNenINiiIEeeAEah",
    /* 6 */ "gsAPaiAEeeIEiiINenANai",
    /* 7 */ "asisde",
    /* 8 */ "esBSbpBMemHMhpHSes emAMaiAEeeIEiiIMem",
    /* 9 */ "ceIHioISesASaoAJejIJio",
    /* : */ "anbnbmaman aebebfafae",
    /* ; */ "bncncmbmbn bfac",
    /* < */ "hoakhg",
    /* = */ "amhm aihi",
    /* > */ "aohkag",
    /* ? */ "apASdsHShoHMflEKei eeef",
    /* @ */ "fmCMcjCGfgIGijIMfm imiiIGkgMGmkMRgrARajABgbJBjc",
    /* A */ "aefske cjij",
    /* B */ "aeasesISIMem amemJMJEeeae",
    /* C */ "jpISfsASalAEfeIEjh",
    /* D */ "aeasdsJSjlJEdeae",
    /* E */ "ieaeasis alhl",
    /* F */ "aeasis alhl",
    /* G */ "jpISfsASalAEfeJEjijkfk",
    /* H */ "aeas jejs aljl",
    /* I */ "aeas",
    /* J */ "gsgiGEdeAEah",
    /* K */ "aeas isaj dmie",
    /* L */ "asaehe",
    /* M */ "aeasfikske",
    /* N */ "aeasjejs",
    /* O */ "fsASalAEfeKEklKSfs",
    /* P */ "aeasesJSJKekak",
    /* Q */ "fsASalAEfeKEklKSfs hhkd",
    /* R */ "aeasesJSJKekak ekje",
    /* S */ "ipHSesASapAMelIKihIEeeBEah",
    /* T */ "asks fsfe",
    /* U */ "asajAEJEjjjs",
    /* V */ "asfeks",
    /* W */ "asdegpjems",
    /* X */ "aejs asje",
    /* Y */ "asflks flfe",
    /* Z */ "asisaeie",
    /* [ */ "dtatabdb",
    /* \ */ "atgc",
    /* ] */ "atdtdbab",
    /* ^ */ "anesin",
    /* _ */ "acic",
    /* ` */ "ascp",
    /* a */ "hohe hjHOdoAOajAEdeHEhj",
    /* b */ "asae ajAOeoHOhjHEeeAEaj",
    /* c */ "hmGOeoAOajAEeeGEhg",
    /* d */ "hshe hjHOdoAOajAEdeHEhj",
    /* e */ "ajhjHOdoAOajAEeeGEhg",
    /* f */ "fsCScpce aofo",
    /* g */ "hohdHAdaAAac hjHOdoAOajAEdeHEhj",
    /* h */ "asae akAOeoHOhkhe",
    /* i */ "aoae asar",
    /* j */ "cocdCAaa cscr",
    /* k */ "asae hoai dkhe",
    /* l */ "asahAEce",
    /* m */ "aeao akAOdoGOgkge gkGOjoMOmkme",
    /* n */ "aeao akAOeoHOhkhe",
    /* o */ "eoAOajAEeeIEijIOeo",
    /* p */ "aoaa ajAOeoHOhjHEeeAEaj",
    /* q */ "hoha hjHOdoAOajAEdeHEhj",
    /* r */ "aoae akAOeo",
    /* s */ "gmFOdoAOamAKdjGIghGEdeBEag",
    /* t */ "crchCEfe aofo",
    /* u */ "aoaiAEdeHEhi hohe",
    /* v */ "aoeeio",
    /* w */ "aodegnjemo",
    /* x */ "aeho aohe",
    /* y */ "aoee ioca",
    /* z */ "aohoaehe",
    /* { */ "etCTcqcnCKakCKchceCBeb",
    /* | */ "atab",
    /* } */ "atCTcqcnCKekCKchceCBab",
    /* ~ */ "ajBNekHHim",
    /* other */ "aeasisieae",
};

enum {
    LETTERS = sizeof alphabet / sizeof alphabet[0],
    OTHER = LETTERS - 1,
    CAPITAL = 14,    /* height, in units of the grid */
    GAP = 4,         /* between two letters */
    SPACE = 4,       /* width of a space, without its gaps */
    PIECES = 6,      /* straight ones in a curve */
    MOST_LINES = 192 /* in a letter */
};

static_assert(LETTERS == '~' - ' ' + 2, "printable ASCII and the box");

typedef struct point {
    double x, y;
} point;

typedef struct line {
    point from, to;
} line;

typedef struct letter {
    size_t n;
    line lines[MOST_LINES];
} letter;

static point between(point a, point b, double t)
{
    return (point){a.x + t * (b.x - a.x), a.y + t * (b.y - a.y)};
}

static void add_line(letter *out, point from, point to)
{
    assert(out->n < MOST_LINES);
    out->lines[out->n++] = (line){from, to};
}

static void add_curve(letter *out, point from, point control, point to)
{
    point last = from;
    for (int i = 1; i <= PIECES; i++) {
        double t = (double)i / PIECES;
        point next = between(between(from, control, t), between(control, to, t), t);
        add_line(out, last, next);
        last = next;
    }
}

/* The strokes as straight lines, in units of the grid. */
static void flatten(letter *out, const char *s)
{
    bool down = false, curving = false;
    point at = {0, 0}, control = {0, 0};
    out->n = 0;
    for (; *s; s++) {
        if (*s == ' ') {
            down = false;
            continue;
        }
        bool is_control = *s < 'a';
        char origin = is_control ? 'A' : 'a';
        point p = {s[0] - origin, s[1] - origin - 4};
        s++;
        point end = is_control ? between(control, p, 0.5) : p;
        if (curving)
            add_curve(out, at, control, end);
        else if (down && !is_control)
            add_line(out, at, end);
        if (curving || !is_control)
            at = end;
        curving = is_control;
        control = p;
        down = true;
    }
}

static size_t glyph_of(unsigned char c)
{
    return c >= ' ' && c <= '~' ? (size_t)(c - ' ') : OTHER;
}

/* Bytes after the first of a character of UTF-8 draw nothing. */
static bool is_continuation(unsigned char c)
{
    return (c & 0xc0) == 0x80;
}

/* In units of the grid. */
static double letter_width(const letter *l)
{
    double width = l->n ? 0 : SPACE;
    for (size_t i = 0; i < l->n; i++)
        width = fmax(width, fmax(l->lines[i].from.x, l->lines[i].to.x));
    return width;
}

double picture_text_width(const char *text, picture_pen pen)
{
    double width = 0;
    letter l;
    for (; *text; text++) {
        if (is_continuation((unsigned char)*text))
            continue;
        flatten(&l, alphabet[glyph_of((unsigned char)*text)]);
        width += letter_width(&l) + GAP;
    }
    return fmax(0, width - GAP) * pen.size / CAPITAL;
}

/* ---- drawing */

static point placed(point p, point origin, double scale, picture_turn turn)
{
    return turn == PICTURE_UPWARDS ? (point){origin.x - scale * p.y, origin.y - scale * p.x}
                                   : (point){origin.x + scale * p.x, origin.y - scale * p.y};
}

static double distance(point p, line l)
{
    return picture_distance(p.x, p.y, l.from.x, l.from.y, l.to.x, l.to.y);
}

/* The nearest stroke alone decides how much of a pixel is inked: where strokes meet, nothing is
 * inked twice. */
static void draw_letter(picture_canvas *canvas, const letter *l, picture_pen pen)
{
    double left = INFINITY, top = INFINITY, right = -INFINITY, bottom = -INFINITY;
    for (size_t i = 0; i < l->n; i++) {
        left = fmin(left, fmin(l->lines[i].from.x, l->lines[i].to.x));
        right = fmax(right, fmax(l->lines[i].from.x, l->lines[i].to.x));
        top = fmin(top, fmin(l->lines[i].from.y, l->lines[i].to.y));
        bottom = fmax(bottom, fmax(l->lines[i].from.y, l->lines[i].to.y));
    }
    for (double y = floor(top - pen.weight); y <= bottom + pen.weight; y++)
        for (double x = floor(left - pen.weight); x <= right + pen.weight; x++) {
            double near = INFINITY;
            for (size_t i = 0; i < l->n; i++)
                near = fmin(near, distance((point){x + 0.5, y + 0.5}, l->lines[i]));
            double cover = fmin(1, pen.weight / 2 + 0.5 - near);
            if (cover > 0)
                picture_canvas_blend(canvas, (long)x, (long)y, pen.ink, cover);
        }
}

void picture_text(picture_canvas *canvas, const char *text, double x, double y, picture_pen pen,
                  picture_align align, picture_turn turn)
{
    double scale = pen.size / CAPITAL;
    double back = picture_text_width(text, pen) * (align == PICTURE_START    ? 0
                                                   : align == PICTURE_MIDDLE ? 0.5
                                                                             : 1);
    point at = placed((point){-back / scale, 0}, (point){x, y}, scale, turn);
    letter l;
    for (; *text; text++) {
        if (is_continuation((unsigned char)*text))
            continue;
        flatten(&l, alphabet[glyph_of((unsigned char)*text)]);
        double advance = letter_width(&l) + GAP;
        for (size_t i = 0; i < l.n; i++)
            l.lines[i] = (line){placed(l.lines[i].from, at, scale, turn),
                                placed(l.lines[i].to, at, scale, turn)};
        draw_letter(canvas, &l, pen);
        at = placed((point){advance, 0}, at, scale, turn);
    }
}

void picture_text_within(picture_canvas *canvas, const char *text, double room, double x, double y,
                         picture_pen pen, picture_align align, picture_turn turn)
{
    char cut[256];
    snprintf(cut, sizeof cut, "%s", text);
    for (size_t keep = strlen(cut); keep > 0 && picture_text_width(cut, pen) > room;) {
        keep--;
        snprintf(cut + keep, sizeof cut - keep, "...");
    }
    picture_text(canvas, cut, x, y, pen, align, turn);
}
