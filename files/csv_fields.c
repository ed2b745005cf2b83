#include "files/csv_fields.h"

#include <stdlib.h>
#include <string.h>

static int add(csv_fields *self, char *field)
{
    if (self->n == self->room) {
        size_t room = self->room ? 2 * self->room : 64;
        char **at = realloc(self->at, room * sizeof *at);
        if (!at)
            return -1;
        self->at = at;
        self->room = room;
    }
    self->at[self->n++] = field;
    return 0;
}

/* Takes the quotes off the field that starts at `at`, in place; returns what follows the closing
 * quote, or NULL if there is none. */
static char *unquote(char *at)
{
    char *to = at, *from = at + 1;
    for (;; from++) {
        if (*from == '\0')
            return NULL;
        if (*from == '"' && *++from != '"')
            break;
        *to++ = *from;
    }
    *to = '\0';
    return from;
}

static const char *ends_of(char delimiter)
{
    static const char one[][2] = {",", ";", "\t"};
    for (size_t i = 0; i < 3; i++)
        if (*one[i] == delimiter)
            return one[i];
    return " \t";
}

/* The field at `at`; *end is the delimiter behind it, or NULL. */
static csv_cut cut_one(char *at, char **end, const char *ends)
{
    char *behind = at;
    if (*at == '"') {
        behind = unquote(at);
        if (!behind)
            return CSV_OPEN_QUOTE;
        if (*behind && !strchr(ends, *behind))
            return CSV_BEHIND_QUOTE;
    }
    behind += strcspn(behind, ends);
    *end = *behind ? behind : NULL;
    *behind = '\0';
    return CSV_CUT;
}

csv_cut csv_fields_cut(csv_fields *self, char *line, char delimiter)
{
    const char *ends = ends_of(delimiter);
    size_t blanks = delimiter == ' ' ? strspn(line, " \t") : 0;
    self->n = 0;
    for (char *at = line + blanks, *end; at; at = end ? end + 1 : NULL) {
        if (delimiter == ' ' && self->n > 0)
            at += strspn(at, " \t");
        if (delimiter == ' ' && self->n > 0 && !*at)
            break; /* blanks behind the last field */
        if (add(self, at))
            return CSV_NO_MEMORY;
        csv_cut result = cut_one(at, &end, ends);
        if (result != CSV_CUT)
            return result;
    }
    return CSV_CUT;
}
