#include "pipeline/command/explain_kind.h"

#include "pipeline/command/tell.h"

#include <string.h>

/* The kind that is meant when none is named: the default one, else the first. */
static const flow_kind *usual(const flow_key *section)
{
    return section->def ? flow_kind_find(section->kinds, section->def) : section->kinds->at(0);
}

/* ---- lists */

/* The keys of a kind, and, beside a flat choice, those of all its kinds. */
static void each_key(const flow_kind *self, void (*take)(void *arg, const flow_key *key), void *arg)
{
    for (const flow_key *key = self->keys; key && key->name; key++) {
        take(arg, key);
        const flow_kind *flat = key->flags & FLOW_KEY_FLAT ? key->kinds->at(0) : NULL;
        for (size_t i = 0; flat; flat = key->kinds->at(++i))
            each_key(flat, take, arg);
    }
}

static void print_line(void *to, const flow_key *key)
{
    tell_line(to, key);
}

/* The kind is named where the path does not end in its name. */
static void list_keys(FILE *to, const char *path, const flow_kind *kind, bool is_named)
{
    char head[256];
    snprintf(head, sizeof head, "%.160s%s%s: ", path, is_named ? "" : ", kind ",
             is_named ? "" : kind->name);
    fputs(head, to);
    tell_wrap(to, kind->doc, strlen(head), 2 * TELL_MARGIN);
    each_key(kind, print_line, to);
    putc('\n', to);
}

void explain_kinds(FILE *to, const char *path, const flow_key *section)
{
    list_keys(to, path, usual(section), false);
    const flow_kind *kind;
    for (size_t i = 0; (kind = section->kinds->at(i)); i++) {
        if (kind == usual(section))
            continue;
        fprintf(to, "%*s%s.%s: ", TELL_MARGIN, "", path, kind->name);
        tell_wrap(to, kind->doc, TELL_MARGIN + strlen(path) + strlen(kind->name) + 3,
                  2 * TELL_MARGIN);
    }
    putc('\n', to);
}

typedef struct path_taker {
    const char *path;
    void (*take)(void *arg, const char *path, const flow_key *key);
    void *arg;
} path_taker;

static void take_path(void *arg, const flow_key *key)
{
    const path_taker *self = arg;
    char path[256];
    snprintf(path, sizeof path, "%s.%s", self->path, key->name);
    self->take(self->arg, path, key);
}

void explain_each(const char *path, const flow_key *section,
                  void (*take)(void *arg, const char *path, const flow_key *key), void *arg)
{
    path_taker taker = {path, take, arg};
    each_key(usual(section), take_path, &taker);
}

/* ---- one of them */

static const flow_kind *owner(const flow_registry *kinds, const char *name)
{
    const flow_kind *kind;
    for (size_t i = 0; (kind = kinds->at(i)); i++)
        if (flow_key_find(kind->keys, name))
            return kind;
    return NULL;
}

/* The key of that name of a kind, or of one of its flat choices: then *only says which. */
static const flow_key *find(const flow_kind *kind, const char *name, char *only, size_t size)
{
    const flow_key *own = flow_key_find(kind->keys, name);
    for (const flow_key *key = kind->keys; !own && key && key->name; key++) {
        const flow_kind *of = key->flags & FLOW_KEY_FLAT ? owner(key->kinds, name) : NULL;
        if (!of)
            continue;
        snprintf(only, size, "%s = %s", key->name, of->name);
        return flow_key_find(of->keys, name);
    }
    return own;
}

static bool one_key(FILE *to, const char *path, const char *rest, const flow_key *key,
                    const char *only)
{
    if (*rest)
        return key->kinds && explain_below(to, path, rest + 1, key);
    tell_key(to, path, key, *only ? only : key->only);
    if (key->type == FLOW_KEY_KINDS)
        explain_kinds(to, path, key);
    return true;
}

static bool one_kind(FILE *to, const char *path, const char *rest, const flow_kind *kind)
{
    char name[64], only[96] = "";
    if (!*rest) {
        list_keys(to, path, kind, true);
        return true;
    }
    size_t size = strcspn(++rest, ".");
    snprintf(name, sizeof name, "%.*s", (int)size, rest);
    const flow_key *key = find(kind, name, only, sizeof only);
    return key && one_key(to, path, rest + size, key, only);
}

/* The key of one kind of the section, if that has what is asked for. */
static bool in_kind(FILE *to, const char *path, const char *rest, const flow_kind *kind,
                    bool is_usual)
{
    char name[64], only[96] = "";
    size_t size = strcspn(rest, ".");
    snprintf(name, sizeof name, "%.*s", (int)size, rest);
    const flow_key *key = find(kind, name, only, sizeof only);
    if (key && !*only && !is_usual)
        snprintf(only, sizeof only, "kind = %s", kind->name);
    return key && one_key(to, path, rest + size, key, only);
}

bool explain_below(FILE *to, const char *path, const char *rest, const flow_key *section)
{
    char name[64];
    size_t size = strcspn(rest, ".");
    snprintf(name, sizeof name, "%.*s", (int)size, rest);
    const flow_kind *kind = flow_kind_find(section->kinds, name);
    if (kind)
        return one_kind(to, path, rest + size, kind);
    bool found = in_kind(to, path, rest, usual(section), true);
    for (size_t i = 0; !found && (kind = section->kinds->at(i)); i++)
        found = in_kind(to, path, rest, kind, false);
    return found;
}
