#include "pipeline/command/argument.h"

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

/* RUN|MODEL is a file, since a directory is one to a shell. */
static argument_sort either(argument_sort a, argument_sort b)
{
    return a == ARGUMENT_OTHER || (a == ARGUMENT_DIRECTORY && b == ARGUMENT_FILE) ? b : a;
}

void argument_read(argument *out, const char *name)
{
    *out = (argument){.sort = ARGUMENT_OTHER};
    name += *name == '[';
    for (size_t left = strcspn(name, " ]"); left > 0;) {
        size_t size = strcspn(name, "| ]");
        argument_sort sort = sort_of(name, size);
        out->sort = either(out->sort, sort);
        if (sort == ARGUMENT_WORDS && out->n_words < ARGUMENT_WORDS_MAX) {
            out->words[out->n_words].text = name;
            out->words[out->n_words++].size = size;
        }
        left -= size < left ? size + 1 : left;
        name += size + (left > 0);
    }
}
