#include "pipeline/command/argument.h"

#include "flow/round.h"

#include <string.h>

static argument_sort sort_of(const char *word, size_t size)
{
    static const struct {
        const char *word;
        argument_sort sort;
    } known[] = {{"FILE", ARGUMENT_FILE},         {"DATA", ARGUMENT_FILE},
                 {"LIB.so", ARGUMENT_FILE},       {"MODEL", ARGUMENT_FILE},
                 {"TEACHER", ARGUMENT_FILE},      {"ROWS", ARGUMENT_FILE},
                 {"RUN", ARGUMENT_DIRECTORY},     {"DIR", ARGUMENT_DIRECTORY},
                 {"KEY=VALUE", ARGUMENT_SETTING}, {"KEY", ARGUMENT_KEY}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strlen(known[i].word) == size && strncmp(known[i].word, word, size) == 0)
            return known[i].sort;
    return *word >= 'a' && *word <= 'z' ? ARGUMENT_WORDS : ARGUMENT_OTHER;
}

static void add_word(argument *out, const char *text, size_t size)
{
    if (out->n_words == ARGUMENT_WORDS_MAX)
        return;
    out->words[out->n_words].text = text;
    out->words[out->n_words++].size = size;
}

/* Words that have a home of their own. */
static void add_networks(argument *out)
{
    for (const flow_word *w = flow_networks; w->name; w++)
        add_word(out, w->name, strlen(w->name));
    out->sort = ARGUMENT_WORDS;
}

/* RUN|MODEL is a file, since a directory is one to a shell. */
static argument_sort either(argument_sort a, argument_sort b)
{
    return a == ARGUMENT_OTHER || (a == ARGUMENT_DIRECTORY && b == ARGUMENT_FILE) ? b : a;
}

void argument_read(argument *out, const char *name)
{
    *out = (argument){.sort = ARGUMENT_OTHER};
    if (strcmp(name, "NETWORK") == 0)
        add_networks(out);
    name += *name == '[';
    for (size_t left = strcspn(name, " ]"); left > 0;) {
        size_t size = strcspn(name, "| ]");
        argument_sort sort = sort_of(name, size);
        out->sort = either(out->sort, sort);
        if (sort == ARGUMENT_WORDS)
            add_word(out, name, size);
        left -= size < left ? size + 1 : left;
        name += size + (left > 0);
    }
}
