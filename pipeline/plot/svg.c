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
    const char *start, *at;
    svg_page *page;     /* NULL: a file */
    const char *prefix; /* of ids */
    char **names;       /* (n_names) ids, as the drawing has them */
    size_t *letter; /* (n_names) of a letter, the number that it has in the page; else NO_LETTER */
    size_t n_names, room;
    bool inside; /* of a style: it is not looked at again */
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

/* Where it is; at the end if it was not there. False: no memory. */
static bool svg_table_find(svg_table *self, size_t *found, const char *text, size_t n)
{
    for (*found = 0; *found < self->n; (*found)++)
        if (strncmp(self->at[*found], text, n) == 0 && self->at[*found][n] == 0)
            return true;
    if (self->n == self->room) {
        size_t room = 2 * self->room + 64;
        char **grown = realloc(self->at, room * sizeof *grown);
        if (!grown)
            return false;
        self->at = grown;
        self->room = room;
    }
    self->at[self->n] = strndup(text, n);
    if (!self->at[self->n])
        return false;
    self->n++;
    return true;
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
    char *kept = w->n_names < w->room ? strndup(name, n) : NULL;
    if (!kept) {
        w->failed = true;
        return;
    }
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
static int write_number(char out[32], double value)
{
    int n = snprintf(out, 32, "%.2f", fabs(value) < 0.005 ? 0 : value);
    while (n > 0 && strchr(out, '.') && (out[n - 1] == '0' || out[n - 1] == '.')) {
        bool point = out[n - 1] == '.';
        out[--n] = 0;
        if (point)
            break;
    }
    return n;
}

static void number(walk *w)
{
    char text[32], *end;
    int n = write_number(text, strtod(w->at, &end));
    put(w, text, (size_t)n);
    w->at = end;
}

static bool is_number(const char *start, const char *at)
{
    if (at > start && (isalnum((unsigned char)at[-1]) || at[-1] == '#' || at[-1] == '-'))
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

/* ---- paths and styles */

/* Where a path is, in the digits that are written, and by which command it came there. */
typedef struct pen {
    char command;
    char x[32], y[32];
} pen;

static void read_number(walk *w, char out[32])
{
    char *end;
    double value = strtod(w->at, &end);
    write_number(out, value);
    w->at = end;
    w->at += *w->at == ' ';
}

/* A line that is level or upright needs one number; one that follows a move or a line no command. */
static void path_line(walk *w, pen *p, const char *x, const char *y)
{
    bool level = strcmp(p->y, y) == 0, upright = strcmp(p->x, x) == 0;
    char command = level ? 'H' : upright ? 'V' : 'L';
    bool known = command == p->command || (command == 'L' && p->command == 'M');
    put(w, known ? " " : &command, 1);
    if (!upright || level)
        say(w, x);
    if (!level && !upright)
        say(w, " ");
    if (!level)
        say(w, y);
    p->command = command;
}

static void path_point(walk *w, pen *p, char command)
{
    char x[32], y[32];
    read_number(w, x);
    read_number(w, y);
    if (command == 'L')
        path_line(w, p, x, y);
    else {
        put(w, p->command == 'C' && command == 'C' ? " " : &command, 1);
        say(w, x);
        say(w, " ");
        say(w, y);
        p->command = command;
    }
    memcpy(p->x, x, sizeof x);
    memcpy(p->y, y, sizeof y);
}

/* Whether all that is left of a path is a move. */
static bool is_last_move(const char *at)
{
    return *at == 'M' && at[strspn(at, "M0123456789.- ")] == '"';
}

static void path_step(walk *w, pen *p)
{
    char command = *w->at++;
    w->at += *w->at == ' ';
    if (command == 'Z') {
        say(w, "Z");
        p->command = 'Z';
        return;
    }
    for (int points = command == 'C' ? 3 : 1; points > 0; points--)
        path_point(w, p, command);
}

static bool path(walk *w)
{
    static const char open[] = " d=\"";
    pen p = {.command = 0};
    if (!starts(w->at, open))
        return false;
    say(w, open);
    for (w->at += strlen(open); *w->at != '"' && !w->failed;) {
        if (p.command && is_last_move(w->at))
            w->at += strcspn(w->at, "\"");
        else if (isalpha((unsigned char)*w->at))
            path_step(w, &p);
        else
            w->at++;
    }
    return true;
}

static void walk_to(walk *w, const char *end);

/* Of a page: a class, for few drawings have a style of their own. */
static bool style(walk *w)
{
    static const char open[] = "style=\"";
    plot_bytes own = {0}, *out = w->out;
    size_t found = 0;
    char text[32];
    if (!w->page || w->inside || !starts(w->at, open))
        return false;
    w->at += strlen(open);
    w->out = &own;
    w->inside = true;
    walk_to(w, strchr(w->at, '"'));
    w->inside = false;
    w->out = out;
    w->at++;
    w->failed = w->failed || !svg_table_find(&w->page->styles, &found, own.at ? own.at : "", own.n);
    plot_bytes_release(&own);
    snprintf(text, sizeof text, "class=\"s%zu\"", found);
    say(w, text);
    return true;
}

static void walk_to(walk *w, const char *end)
{
    while (w->at < end && !w->failed) {
        if (skip_needless(w) || style(w) || path(w) || colour(w) || id(w) || image(w))
            continue;
        if (is_number(w->start, w->at))
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
    walk w = {.out = out, .start = from->at, .at = body ? body : from->at, .prefix = "i"};
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

void svg_page_release(svg_page *self)
{
    svg_table *all[] = {&self->letters, &self->styles};
    for (int k = 0; k < 2; k++) {
        for (size_t i = 0; i < all[k]->n; i++)
            free(all[k]->at[i]);
        free(all[k]->at);
    }
    plot_bytes_release(&self->symbols);
    *self = (svg_page){.letters = {.n = 0}};
}

/* The number of a letter of these outlines; a new one if there is none yet. */
static bool letter_of(svg_page *self, size_t *found, const char *outlines, size_t n)
{
    char open[64];
    size_t before = self->letters.n;
    if (!svg_table_find(&self->letters, found, outlines, n))
        return false;
    if (self->letters.n == before)
        return true;
    const char *kept = self->letters.at[*found];
    walk w = {.out = &self->symbols, .start = kept, .at = kept, .page = self, .prefix = ""};
    snprintf(open, sizeof open, "<symbol id=\"g%zu\" overflow=\"visible\">", *found);
    say(&w, open);
    walk_to(&w, kept + n);
    say(&w, "</symbol>\n");
    return !w.failed;
}

static const char SYMBOL[] = "<symbol overflow=\"visible\" id=\"", SYMBOL_END[] = "</symbol>";

/* Takes one <symbol> out; at is behind its id's quote. Returns what is behind it, NULL: no memory. */
static const char *take_symbol(walk *w, svg_page *of, const char *at)
{
    const char *path = strchr(at, '>') + 1, *behind = strstr(path, SYMBOL_END);
    size_t letter;
    if (!letter_of(of, &letter, path, (size_t)(behind - path)))
        return NULL;
    add_name(w, at, strcspn(at, "\""), letter);
    return w->failed ? NULL : behind + strlen(SYMBOL_END);
}

/* All of them; *behind: what comes after the last, and after the <g> that they stand in. */
static bool take_symbols(walk *w, svg_page *of, const char *from, const char **behind)
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

int svg_element(plot_bytes *out, const plot_bytes *from, svg_page *of_page, const char *prefix,
                const char *title, const char *about, flow_err *err)
{
    walk w = {.out = out, .start = from->at, .page = of_page, .prefix = prefix};
    begin(&w, from->at);
    const char *open = strstr(from->at, "<svg "), *body = strchr(open, '>') + 1, *behind;
    open_element(&w, open, title, about);
    if (!w.failed && take_symbols(&w, of_page, body, &behind))
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
