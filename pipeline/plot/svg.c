#include "pipeline/plot/svg.h"

#include <ctype.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A walk through the text of a drawing. */
typedef struct walk {
    plot_bytes *out;
    const char *at;
    bool page;          /* else a file */
    const char *prefix; /* of ids */
    char **names;       /* (n_names) ids, as the drawing has them */
    size_t *letter; /* (n_names) of a letter, the number that it has in the page; else NO_LETTER */
    size_t n_names, room;
    bool failed;
} walk;

static const size_t NO_LETTER = SIZE_MAX;

static void put(walk *w, const char *text, size_t n)
{
    w->failed = w->failed || !plot_bytes_add(w->out, text, n);
}

static void say(walk *w, const char *text)
{
    put(w, text, strlen(text));
}

/* Room for all ids that there are. */
static void begin(walk *w, const char *text)
{
    w->room = 1;
    for (const char *at = strstr(text, "id=\""); at; at = strstr(at + 1, "id=\""))
        w->room++;
    w->names = calloc(w->room, sizeof *w->names);
    w->letter = calloc(w->room, sizeof *w->letter);
    w->failed = !w->names || !w->letter;
}

static void end(walk *w)
{
    for (size_t i = 0; i < w->n_names; i++)
        free(w->names[i]);
    free(w->names);
    free(w->letter);
}

static void add_name(walk *w, const char *name, size_t n, size_t letter)
{
    char *kept = w->n_names < w->room ? malloc(n + 1) : NULL;
    if (!kept) {
        w->failed = true;
        return;
    }
    memcpy(kept, name, n);
    kept[n] = 0;
    w->letter[w->n_names] = letter;
    w->names[w->n_names++] = kept;
}

static bool starts(const char *at, const char *with)
{
    return strncmp(at, with, strlen(with)) == 0;
}

/* ---- what is written shorter */

/* Each is so without being said. */
static const char *const needless[] = {"stroke-linecap:butt;",   "stroke-linejoin:miter;",
                                       "stroke-opacity:1;",      "stroke-miterlimit:10;",
                                       "fill-opacity:1;",        "fill-rule:nonzero;",
                                       " clip-rule=\"nonzero\"", " overflow=\"visible\"",
                                       " stroke:none;",          "stroke:none;"};

static bool skip_needless(walk *w)
{
    for (size_t i = 0; i < sizeof needless / sizeof *needless; i++)
        if (starts(w->at, needless[i])) {
            w->at += strlen(needless[i]);
            return true;
        }
    return false;
}

/* Two digits behind the point are a hundredth of a point. */
static void number(walk *w)
{
    char text[48], *end;
    double value = strtod(w->at, &end);
    int n = snprintf(text, sizeof text, "%.2f", fabs(value) < 0.005 ? 0 : value);
    while (n > 0 && strchr(text, '.') && (text[n - 1] == '0' || text[n - 1] == '.')) {
        bool point = text[n - 1] == '.';
        text[--n] = 0;
        if (point)
            break;
    }
    put(w, text, (size_t)n);
    w->at = end;
}

static bool is_number(const char *before, const char *at)
{
    if (isalnum((unsigned char)before[-1]) || before[-1] == '#' || before[-1] == '-')
        return false;
    return isdigit((unsigned char)*at) || (*at == '-' && isdigit((unsigned char)at[1]));
}

static bool colour(walk *w)
{
    double r, g, b;
    int used = 0;
    if (!starts(w->at, "rgb(") ||
        sscanf(w->at, "rgb(%lf%%,%lf%%,%lf%%)%n", &r, &g, &b, &used) != 3 || used == 0)
        return false;
    plot_ink ink = plot_ink_marked(r / 100, g / 100, b / 100);
    if (ink == PLOT_INKS)
        return false;
    if (w->page) {
        say(w, "var(--");
        say(w, plot_tones[ink].name);
        say(w, ")");
    } else
        say(w, plot_tones[ink].light);
    w->at += used;
    return true;
}

/* ---- letters and ids */

/* The ids of a drawing: letters are the page's, all else is numbered as it comes, for Cairo counts on from drawing to drawing. */
static void write_id(walk *w, const char *name, size_t n)
{
    char text[32];
    size_t i = 0;
    while (i < w->n_names && !(strlen(w->names[i]) == n && strncmp(w->names[i], name, n) == 0))
        i++;
    if (i == w->n_names)
        add_name(w, name, n, NO_LETTER);
    if (w->failed)
        return;
    if (w->letter[i] != NO_LETTER)
        snprintf(text, sizeof text, "g%zu", w->letter[i]);
    else
        snprintf(text, sizeof text, "%s%zu", w->prefix, i);
    say(w, text);
}

/* What stands before an id. */
static bool id(walk *w)
{
    static const char *const before[] = {"id=\"", "href=\"#", "url(#"};
    for (size_t i = 0; i < sizeof before / sizeof *before; i++)
        if (starts(w->at, before[i])) {
            say(w, before[i]);
            w->at += strlen(before[i]);
            size_t n = strcspn(w->at, "\")");
            write_id(w, w->at, n);
            w->at += n;
            return true;
        }
    return false;
}

/* An image is left as it is: its numbers are none. */
static bool image(walk *w)
{
    if (!starts(w->at, "\"data:"))
        return false;
    size_t n = 1 + strcspn(w->at + 1, "\"");
    put(w, w->at, n);
    w->at += n;
    return true;
}

static void walk_to(walk *w, const char *end)
{
    while (w->at < end && !w->failed) {
        if (skip_needless(w) || colour(w) || id(w) || image(w))
            continue;
        if (is_number(w->at, w->at))
            number(w);
        else
            put(w, w->at++, 1);
    }
}

static int ended(const walk *w, flow_err *err)
{
    return w->failed ? flow_fail(err, FLOW_ENOMEM, "out of memory for a drawing") : FLOW_OK;
}

int svg_file(plot_bytes *out, const plot_bytes *from, flow_err *err)
{
    const char *body = strstr(from->at, "<svg ");
    walk w = {.out = out, .at = body ? body : from->at, .prefix = "i"};
    begin(&w, from->at);
    put(&w, from->at, (size_t)(w.at - from->at));
    const char *close = strchr(w.at, '>');
    put(&w, w.at, (size_t)(close + 1 - w.at)); /* with its URLs, and its numbers */
    w.at = close + 1;
    say(&w, "\n<rect width=\"100%\" height=\"100%\" fill=\"");
    say(&w, plot_tones[PLOT_PAPER].light);
    say(&w, "\"/>");
    walk_to(&w, from->at + from->n);
    end(&w);
    return ended(&w, err);
}

/* ---- letters of a page */

void svg_letters_release(svg_letters *self)
{
    for (size_t i = 0; i < self->n; i++)
        free(self->paths[i]);
    free(self->paths);
    plot_bytes_release(&self->symbols);
    *self = (svg_letters){0};
}

static bool grow(svg_letters *self)
{
    if (self->n < self->room)
        return true;
    size_t room = 2 * self->room + 64;
    char **paths = realloc(self->paths, room * sizeof *paths);
    if (!paths)
        return false;
    self->paths = paths;
    self->room = room;
    return true;
}

/* The number of a letter of these outlines; a new one if there is none yet. */
static bool letter_of(svg_letters *self, size_t *found, const char *path, size_t n)
{
    char open[48];
    for (*found = 0; *found < self->n; (*found)++)
        if (strncmp(self->paths[*found], path, n) == 0 && self->paths[*found][n] == 0)
            return true;
    if (!grow(self))
        return false;
    char *kept = malloc(n + 1);
    if (!kept)
        return false;
    memcpy(kept, path, n);
    kept[n] = 0;
    self->paths[self->n++] = kept;
    walk w = {.out = &self->symbols, .at = kept, .page = true, .prefix = ""};
    snprintf(open, sizeof open, "<symbol id=\"g%zu\" overflow=\"visible\">", *found);
    say(&w, open);
    walk_to(&w, kept + n);
    say(&w, "</symbol>\n");
    return !w.failed;
}

static const char SYMBOL[] = "<symbol overflow=\"visible\" id=\"", SYMBOL_END[] = "</symbol>";

/* Takes one <symbol> out; at is behind its id's quote. Returns what is behind it, NULL: no memory. */
static const char *take_symbol(walk *w, svg_letters *of, const char *at)
{
    const char *path = strchr(at, '>') + 1, *behind = strstr(path, SYMBOL_END);
    size_t letter;
    if (!letter_of(of, &letter, path, (size_t)(behind - path)))
        return NULL;
    add_name(w, at, strcspn(at, "\""), letter);
    return w->failed ? NULL : behind + strlen(SYMBOL_END);
}

/* All of them; *behind: what comes after the last, and after the <g> that they stand in. */
static bool take_symbols(walk *w, svg_letters *of, const char *from, const char **behind)
{
    *behind = from;
    for (const char *at = strstr(from, SYMBOL); at; at = strstr(at, SYMBOL)) {
        at = take_symbol(w, of, at + strlen(SYMBOL));
        if (!at)
            return false;
        *behind = at;
    }
    return true;
}

/* <defs> of what is left of them: between the symbols' <g> and the drawing. */
static void write_body(walk *w, const char *behind)
{
    const char *group = strstr(behind, "</g>");
    bool symbols = w->n_names > 0;
    w->at = symbols && group ? group + strlen("</g>") : behind;
    if (symbols)
        say(w, "<defs>");
    walk_to(w, strstr(w->at, "</svg>"));
}

static void open_element(walk *w, const char *from, const char *title, const char *about)
{
    double width = 0, height = 0;
    char text[200];
    const char *box = strstr(from, "viewBox=\"");
    if (box)
        sscanf(box, "viewBox=\"0 0 %lf %lf\"", &width, &height);
    snprintf(text, sizeof text,
             "<svg viewBox=\"0 0 %g %g\" role=\"img\" style=\"--w:%gpx\"><title>", width, height,
             width);
    say(w, text);
    w->failed = w->failed || !svg_escape(w->out, title);
    say(w, "</title><desc>");
    w->failed = w->failed || !svg_escape(w->out, about);
    say(w, "</desc>\n");
}

int svg_element(plot_bytes *out, const plot_bytes *from, svg_letters *letters_of_page,
                const char *prefix, const char *title, const char *about, flow_err *err)
{
    walk w = {.out = out, .page = true, .prefix = prefix};
    begin(&w, from->at);
    const char *open = strstr(from->at, "<svg "), *body = strchr(open, '>') + 1, *behind;
    open_element(&w, open, title, about);
    if (!w.failed && take_symbols(&w, letters_of_page, body, &behind))
        write_body(&w, behind);
    else
        w.failed = true;
    say(&w, "</svg>\n");
    end(&w);
    return ended(&w, err);
}

bool svg_escape(plot_bytes *out, const char *text)
{
    for (; *text; text++) {
        const char *word = *text == '<'    ? "&lt;"
                           : *text == '>'  ? "&gt;"
                           : *text == '&'  ? "&amp;"
                           : *text == '"'  ? "&quot;"
                           : *text == '\'' ? "&#39;"
                                           : NULL;
        if (!(word ? plot_bytes_add(out, word, strlen(word)) : plot_bytes_add(out, text, 1)))
            return false;
    }
    return true;
}
