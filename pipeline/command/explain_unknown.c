#include "pipeline/command/explain_unknown.h"

#include "flow/suggest.h"
#include "pipeline/command/explain.h"
#include "pipeline/config/schema.h"
#include "pipeline/config/sweep.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* ---- every word there is */

enum { SHOWN = 4 };

typedef struct words {
    size_t n, room;
    char (*paths)[SCHEMA_MAX_PATH];
    bool out_of_memory;
} words;

static const char *last_word(const char *path)
{
    const char *dot = strrchr(path, '.');
    return dot ? dot + 1 : path;
}

static bool has(const words *self, const char *path)
{
    for (size_t i = 0; i < self->n; i++)
        if (strcmp(self->paths[i], path) == 0)
            return true;
    return false;
}

static void add(words *self, const char *section, const char *name)
{
    char path[SCHEMA_MAX_PATH];
    int n = snprintf(path, sizeof path, "%s%s%s", section, *section ? "." : "", name);
    if (n >= SCHEMA_MAX_PATH || self->out_of_memory || has(self, path))
        return;
    if (self->n == self->room) {
        size_t room = 2 * self->room + 256;
        void *more = realloc(self->paths, room * sizeof *self->paths);
        self->out_of_memory = !more;
        if (!more)
            return;
        self->paths = more;
        self->room = room;
    }
    strcpy(self->paths[self->n++], path);
}

static void add_key(void *arg, const char *path, const flow_key *key)
{
    (void)key;
    add(arg, "", path);
}

/* A choice, and those that it is within: none is within itself. */
typedef struct choice {
    const char *path;
    const flow_registry *kinds;
    const struct choice *within;
} choice;

static bool is_within(const choice *self, const flow_registry *kinds)
{
    while (self && self->kinds != kinds)
        self = self->within;
    return self != NULL;
}

static void add_kinds(words *self, const choice *of);

static void add_kind_keys(words *self, const choice *of, const flow_key *keys)
{
    for (const flow_key *key = keys; key && key->name; key++) {
        char below[SCHEMA_MAX_PATH];
        int n = snprintf(below, sizeof below, "%s.%s", of->path, key->name);
        add(self, of->path, key->name);
        if (key->kinds && !is_within(of, key->kinds) && n < SCHEMA_MAX_PATH)
            add_kinds(self, &(choice){below, key->kinds, of});
    }
}

/* A key of a kind is told of as one of the section, whose kind it is. */
static void add_kinds(words *self, const choice *of)
{
    const flow_kind *kind;
    for (size_t i = 0; (kind = of->kinds->at(i)); i++) {
        add(self, of->path, kind->name);
        add_kind_keys(self, of, kind->keys);
    }
}

static void add_rows(words *self)
{
    for (size_t i = 0; i < schema_n_keys; i++) {
        const flow_key *row = &schema_keys[i];
        for (const flow_key *item = row->items; item && item->name; item++)
            add(self, row->name, item->name);
        if (row->type == FLOW_KEY_KIND)
            add_kinds(self, &(choice){row->name, row->kinds, NULL});
    }
}

static void add_all(words *self)
{
    explain_each_key(add_key, self);
    for (const schema_section *at = schema_sections; at->path; at++)
        if (*at->path)
            add(self, "", at->path);
    add(self, "", "sweep");
    add(self, "", "sweep.select");
    for (const flow_key *key = sweep_keys; key->name; key++)
        add(self, "sweep", key->name);
    add_rows(self);
}

/* ---- the nearest */

/* The longest part of path that explain knows. */
static void known_part(char *out, const words *self, const char *path)
{
    strcpy(out, strlen(path) < SCHEMA_MAX_PATH ? path : "");
    while (*out && !has(self, out)) {
        char *dot = strrchr(out, '.');
        *(dot ? dot : out) = '\0';
    }
}

/* Of the paths below a part, whole or by their last words, the nearest. */
static const char *nearest(const words *self, const char *part, const char *word, bool last)
{
    const char **list = malloc((self->n + 1) * sizeof *list);
    const char *found = NULL;
    size_t n = 0;
    for (size_t i = 0; list && i < self->n; i++)
        if (!*part || schema_below(self->paths[i], part))
            list[n++] = last ? last_word(self->paths[i]) : self->paths[i];
    if (list)
        found = flow_suggest(word, list, n);
    free((void *)list);
    return found;
}

/* "; did you mean A or B": those below a part that end in the word. */
static void list_of(char *out, size_t size, const words *self, const char *part, const char *word)
{
    size_t n = 0;
    for (size_t i = 0; word && i < self->n && n < SHOWN; i++) {
        size_t used = strlen(out);
        if ((!*part || schema_below(self->paths[i], part)) &&
            strcasecmp(last_word(self->paths[i]), word) == 0)
            snprintf(out + used, size - used, "%s%s", n++ ? " or " : "; did you mean ",
                     self->paths[i]);
    }
}

static void suggest(char *out, size_t size, const words *self, const char *path, const char *part)
{
    const char *word = last_word(path), *near = nearest(self, "", path, false);
    if (near)
        snprintf(out, size, "; did you mean %s", near);
    if (!*out)
        list_of(out, size, self, part, word);
    if (!*out)
        list_of(out, size, self, part, nearest(self, part, word, true));
    if (!*out && *part)
        suggest(out, size, self, path, "");
}

int explain_unknown(const char *path, flow_err *err)
{
    words all = {.n = 0};
    char help[512] = "", part[SCHEMA_MAX_PATH];
    add_all(&all);
    known_part(part, &all, path);
    suggest(help, sizeof help, &all, path, part);
    if (!*help)
        snprintf(help, sizeof help, "; distill explain%s%s lists what there is", *part ? " " : "",
                 part);
    free(all.paths);
    return flow_fail(err, FLOW_EUSAGE, "there is no key '%.100s'%s", path, help);
}
