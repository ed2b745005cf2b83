/* pipeline/console/shell_word.h -- a word of a command as a shell reads it. */
#ifndef PIPELINE_CONSOLE_SHELL_WORD_H
#define PIPELINE_CONSOLE_SHELL_WORD_H

#include <stdio.h>

/* As it is, or in single quotes where it needs them. */
void shell_word(FILE *to, const char *word);

/* Likewise as a text: out, of SHELL_WORD bytes, is returned; a word that is too long for it is cut, and ends in "...". */
enum { SHELL_WORD = 4200 };
const char *shell_text(char *out, const char *word);

#endif
