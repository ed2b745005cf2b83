/* tests/e2e/page.c -- whether a page is whole, by itself.
 *
 *   page FILE   status 1, and why on stderr, unless every element is closed in its order, every id is there once, whatever
 *               refers to one finds it, and nothing is fetched from elsewhere: no script, no link, no address in src, href or url().
 *               Prints the name of every figure, one a line. */
#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DEPTH = 64, NAME = 64 };

static int faults;

static void fault(const char *why, const char *at)
{
    fprintf(stderr, "page: %s: %.60s\n", why, at);
    faults++;
}

static char *slurp(const char *path)
{
    FILE *in = fopen(path, "rb");
    long size = in && !fseek(in, 0, SEEK_END) ? ftell(in) : -1;
    char *text = size < 0 ? NULL : malloc((size_t)size + 1);
    if (!text || fseek(in, 0, SEEK_SET) || fread(text, 1, (size_t)size, in) != (size_t)size) {
        perror(path);
        exit(1);
    }
    fclose(in);
    text[size] = 0;
    return text;
}

static bool is_void(const char *name)
{
    static const char *const all[] = {"meta", "br", "hr", "img", "input", "link"};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (strcmp(all[i], name) == 0)
            return true;
    return false;
}

/* The end of a tag, outside of quotes. */
static const char *end_of(const char *at)
{
    bool quoted = false;
    for (; *at && (quoted || *at != '>'); at++)
        quoted = quoted != (*at == '"');
    return at;
}

static char open_tags[DEPTH][NAME];
static size_t depth;

static void close_tag(const char *name, const char *at)
{
    if (depth == 0 || strcmp(open_tags[depth - 1], name) != 0)
        fault("closes what is not open", at);
    else
        depth--;
}

static void open_tag(const char *name, const char *at)
{
    if (depth == DEPTH)
        fault("too deep", at);
    else
        snprintf(open_tags[depth++], NAME, "%s", name);
}

/* At '<'; returns what is behind. */
static const char *tag(const char *at)
{
    char name[NAME];
    bool closes = at[1] == '/';
    const char *from = at + 1 + closes, *end = end_of(at);
    size_t n = strcspn(from, " \t\n/>");
    snprintf(name, sizeof name, "%.*s", (int)(n < NAME ? n : NAME - 1), from);
    if (!*end || n == 0)
        fault("a tag without end or name", at);
    else if (strcmp(name, "script") == 0 || strcmp(name, "link") == 0 ||
             strcmp(name, "iframe") == 0)
        fault("is fetched or run", at);
    else if (closes)
        close_tag(name, at);
    else if (end[-1] != '/' && !is_void(name))
        open_tag(name, at);
    return *end ? end + 1 : end;
}

static void elements(const char *page)
{
    const char *at = page;
    while ((at = strchr(at, '<'))) {
        if (strncmp(at, "<!--", 4) == 0)
            at = strstr(at, "-->") ? strstr(at, "-->") + 3 : at + strlen(at);
        else if (at[1] == '!')
            at = end_of(at);
        else
            at = tag(at);
    }
    while (depth > 0)
        fault("is never closed", open_tags[--depth]);
}

/* ---- ids */

typedef struct id {
    const char *at;
    size_t n;
} id;

static int by_text(const void *a, const void *b)
{
    const id *x = a, *y = b;
    int order = strncmp(x->at, y->at, x->n < y->n ? x->n : y->n);
    return order ? order : (x->n > y->n) - (x->n < y->n);
}

/* All that stand behind a text, up to one of the ends; to be freed. */
static id *all_behind(const char *page, const char *before, const char *ends, size_t *n)
{
    size_t room = 1024;
    id *out = malloc(room * sizeof *out);
    *n = 0;
    for (const char *at = strstr(page, before); at && out; at = strstr(at + 1, before)) {
        const char *from = at + strlen(before);
        if (*n == room)
            out = realloc(out, (room *= 2) * sizeof *out);
        if (out)
            out[(*n)++] = (id){from, strcspn(from, ends)};
    }
    if (!out)
        exit(1);
    return out;
}

static void references(const char *page)
{
    static const char *const before[] = {"href=\"#", "url(#"};
    size_t n, m;
    id *ids = all_behind(page, " id=\"", "\"", &n);
    qsort(ids, n, sizeof *ids, by_text);
    for (size_t i = 1; i < n; i++)
        if (by_text(&ids[i - 1], &ids[i]) == 0)
            fault("an id that is there twice", ids[i].at);
    for (int k = 0; k < 2; k++) {
        id *wanted = all_behind(page, before[k], "\")", &m);
        for (size_t i = 0; i < m; i++)
            if (!bsearch(&wanted[i], ids, n, sizeof *ids, by_text))
                fault("an id that is not there", wanted[i].at);
        free(wanted);
    }
    free(ids);
}

/* ---- what is fetched */

static void addresses(const char *page)
{
    static const char *const before[] = {" src=\"", "href=\"", "url(", "@import", "srcset=\""};
    for (size_t k = 0; k < sizeof before / sizeof *before; k++)
        for (const char *at = strstr(page, before[k]); at; at = strstr(at + 1, before[k])) {
            const char *to = at + strlen(before[k]);
            if (*to != '#' && strncmp(to, "data:image/png;base64,", 22) != 0)
                fault("an address", at);
        }
}

static void print_figures(const char *page)
{
    size_t n;
    id *names = all_behind(page, "<figure data-name=\"", "\"", &n);
    for (size_t i = 0; i < n; i++)
        printf("%.*s\n", (int)names[i].n, names[i].at);
    free(names);
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fputs("usage: page FILE\n", stderr);
        return 64;
    }
    char *page = slurp(argv[1]);
    elements(page);
    references(page);
    addresses(page);
    print_figures(page);
    free(page);
    return faults > 0;
}
