#include "pipeline/console/shell_word.h"

#include <string.h>

void shell_word(FILE *to, const char *word)
{
    static const char plain[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._=,+-/:@%";
    if (*word && !word[strspn(word, plain)]) {
        fputs(word, to);
        return;
    }
    putc('\'', to);
    for (; *word; word++)
        fprintf(to, *word == '\'' ? "'\\''" : "%c", *word);
    putc('\'', to);
}
