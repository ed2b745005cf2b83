#include "pipeline/console/wrap.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum { WIDTH = 118, INDENT = 12 };

void wrap_print(const char *head, const char *text)
{
    size_t column = INDENT;
    fprintf(stderr, "  %-*s", INDENT - 2, head);
    for (bool first = true; *text; first = false) {
        size_t size = strcspn(text, " ");
        if (!first && column + 1 + size > WIDTH) {
            fprintf(stderr, "\n%*s", INDENT, "");
            column = INDENT;
        } else if (!first) {
            fputc(' ', stderr);
            column++;
        }
        fprintf(stderr, "%.*s", (int)size, text);
        column += size;
        text += size + (text[size] == ' ');
    }
    fputc('\n', stderr);
}
