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

const char *shell_text(char *out, const char *word)
{
    FILE *to = fmemopen(out, SHELL_WORD, "w");
    if (!to)
        return word;
    shell_word(to, word);
    fflush(to);
    long length = ftell(to);
    fclose(to);
    if (length < 0 || length >= SHELL_WORD - 1)
        strcpy(out + SHELL_WORD - 4, "...");
    return out;
}
