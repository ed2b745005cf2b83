#include "pipeline/config/complain.h"

#include "pipeline/config/text.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum {
    SHOWN = 20,   /* complaints printed */
    KEPT = 1000,  /* complaints stored; a file that is wrong throughout has no use for more */
    WINDOW = 100, /* code points of a source line shown */
    LEAD = 40,    /* of those, before the token if the line is longer */
    QUOTED = 40,  /* code points of a value shown in a message */
    MESSAGE = 1200
};

typedef struct complaint {
    complaint_code code;
    place at;
    size_t order; /* of arrival: keeps the sort stable */
    char *text;
    char *help; /* NULL: none */
} complaint;

typedef struct source {
    char *name;
    char *text; /* NULL: nothing to show */
    size_t size;
} source;

struct complaints {
    source *sources;
    size_t n_sources;
    complaint *list;
    size_t n, capacity;
    size_t count;  /* all, also those that were not kept */
    unsigned seen; /* bit (code - E_FILE) */
};

complaints *complaints_create(void)
{
    return calloc(1, sizeof(complaints));
}

void complaints_free(complaints *self)
{
    if (!self)
        return;
    for (size_t i = 0; i < self->n; i++) {
        free(self->list[i].text);
        free(self->list[i].help);
    }
    for (size_t i = 0; i < self->n_sources; i++) {
        free(self->sources[i].name);
        free(self->sources[i].text);
    }
    free(self->list);
    free(self->sources);
    free(self);
}

static char *copy(const char *text, size_t size)
{
    char *out = text ? malloc(size + 1) : NULL;
    if (out) {
        memcpy(out, text, size);
        out[size] = '\0';
    }
    return out;
}

size_t complaints_source(complaints *self, const char *name, const char *text, size_t size)
{
    source *more = realloc(self->sources, (self->n_sources + 1) * sizeof *more);
    if (!more)
        return SIZE_MAX; /* complaints_source_name knows it as "?" */
    self->sources = more;
    char *shown = copy(name, strlen(name));
    if (shown)
        text_show(shown, name, strlen(name), 0, SIZE_MAX); /* never longer than name */
    more[self->n_sources] = (source){shown, copy(text, size), size};
    return self->n_sources++;
}

const char *complaints_source_name(const complaints *self, size_t number)
{
    const char *name = number < self->n_sources ? self->sources[number].name : NULL;
    return name ? name : "?";
}

static bool make_room(complaints *self)
{
    if (self->n < self->capacity)
        return true;
    size_t capacity = self->capacity ? 2 * self->capacity : 16;
    complaint *more = realloc(self->list, capacity * sizeof *more);
    if (!more)
        return false;
    self->list = more;
    self->capacity = capacity;
    return true;
}

void complain(complaints *self, complaint_code code, place at, const char *help, const char *fmt,
              ...)
{
    char raw[MESSAGE], text[MESSAGE];
    va_list args;
    va_start(args, fmt);
    vsnprintf(raw, sizeof raw, fmt, args);
    va_end(args);
    text_show(text, raw, strlen(raw), 0, MESSAGE);

    self->count++;
    self->seen |= 1U << (code - E_FILE);
    if (self->n >= KEPT)
        return;
    if (!make_room(self)) {
        self->seen |= 1U << (E_MEMORY - E_FILE);
        return;
    }
    self->list[self->n] = (complaint){.code = code,
                                      .at = at,
                                      .order = self->n,
                                      .text = copy(text, strlen(text)),
                                      .help = help ? copy(help, strlen(help)) : NULL};
    self->n++;
}

size_t complaints_count(const complaints *self)
{
    return self->count;
}

bool complaints_has(const complaints *self, complaint_code code)
{
    return self->seen >> (code - E_FILE) & 1U;
}

int complaints_exit_code(const complaints *self)
{
    bool only_files = self->seen == 1U;
    return !self->count ? 0 : complaints_has(self, E_MEMORY) ? 71 : only_files ? 66 : 78;
}

const char *complaint_quote(char out[COMPLAINT_QUOTE], const char *text, size_t size)
{
    static_assert(COMPLAINT_QUOTE >= 4 * QUOTED + 4, "room for the quoted text and dots");
    if (text_show(out, text, size, 0, QUOTED) > QUOTED)
        strcat(out, "...");
    return out;
}

/* ---- showing */

typedef struct style {
    const char *strong, *error, *help, *off;
} style;

static style style_of(bool colour)
{
    return colour ? (style){"\033[1m", "\033[1;31m", "\033[1;36m", "\033[0m"}
                  : (style){"", "", "", ""};
}

static void repeat(FILE *to, char c, size_t n)
{
    while (n-- > 0)
        putc(c, to);
}

/* The source line and, below it, a mark under the token; nothing if there is no such line. */
static void show_line(const complaints *self, FILE *to, place at, style look)
{
    const source *from = at.source < self->n_sources ? &self->sources[at.source] : NULL;
    size_t size, skip = 0;
    const char *line =
        from && from->text && at.line ? text_line(&size, from->text, from->size, at.line) : NULL;
    if (!line)
        return;

    char shown[4 * WINDOW + 1];
    size_t points = text_show(shown, line, size, 0, WINDOW);
    if (points > WINDOW && at.column > 2 * LEAD) {
        skip = at.column - LEAD;
        text_show(shown, line, size, skip, WINDOW);
    }
    const char *before = skip ? "..." : "", *after = points - skip > WINDOW ? "..." : "";
    fprintf(to, "%5zu | %s%s%s\n", at.line, before, shown, after);

    size_t indent = at.column - 1 - skip + strlen(before);
    size_t room = points > at.column - 1 ? points - (at.column - 1) : 1;
    size_t length = at.length < room ? at.length : room;
    if (skip + WINDOW < at.column - 1 + length && skip + WINDOW > at.column - 1)
        length = skip + WINDOW - (at.column - 1);
    fprintf(to, "%5s | ", "");
    repeat(to, ' ', indent);
    fprintf(to, "%s^", look.error);
    repeat(to, '~', length > 1 ? length - 1 : 0);
    fprintf(to, "%s\n", look.off);
}

static void show_one(const complaints *self, FILE *to, const complaint *c, style look)
{
    fprintf(to, "%s%s", look.strong, complaints_source_name(self, c->at.source));
    if (c->at.line)
        fprintf(to, ":%zu:%zu", c->at.line, c->at.column);
    fprintf(to, ":%s %serror:%s %s [E%d]", look.off, look.error, look.off,
            c->text ? c->text : "(out of memory)", (int)c->code);
    if (c->at.line) {
        putc('\n', to);
        show_line(self, to, c->at, look);
        if (c->help)
            fprintf(to, "%shelp:%s %s\n", look.help, look.off, c->help);
    } else if (c->help) {
        fprintf(to, "; %shelp:%s %s\n", look.help, look.off, c->help);
    } else {
        putc('\n', to);
    }
}

static int compare(size_t a, size_t b)
{
    return (a > b) - (a < b);
}

int place_compare(place a, place b)
{
    int order = compare(a.source, b.source);
    order = order ? order : compare(a.line, b.line);
    return order ? order : compare(a.column, b.column);
}

static int by_place(const void *a, const void *b)
{
    const complaint *x = a, *y = b;
    int order = place_compare(x->at, y->at);
    return order ? order : compare(x->order, y->order);
}

void complaints_show(complaints *self, FILE *to, bool colour)
{
    style look = style_of(colour);
    if (self->n)
        qsort(self->list, self->n, sizeof *self->list, by_place);
    size_t shown = self->n < SHOWN ? self->n : SHOWN;
    for (size_t i = 0; i < shown; i++)
        show_one(self, to, &self->list[i], look);
    if (self->count > shown)
        fprintf(to, "... and %zu more\n", self->count - shown);
    if (self->count)
        fprintf(to, "%zu error%s; nothing was run\n", self->count, self->count == 1 ? "" : "s");
}
