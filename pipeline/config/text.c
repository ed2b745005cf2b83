#include "pipeline/config/text.h"

#include <stdbool.h>
#include <string.h>

size_t text_point(const char *text, size_t size)
{
    unsigned char c = (unsigned char)text[0];
    size_t n = c < 0x80 ? 1 : c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : c >= 0xc2 ? 2 : 1;
    if (n > size)
        return 1;
    for (size_t i = 1; i < n; i++)
        if (((unsigned char)text[i] & 0xc0) != 0x80)
            return 1;
    return n;
}

size_t text_break(const char *text, size_t size)
{
    if (text[0] == '\n')
        return 1;
    if (text[0] == '\r')
        return size > 1 && text[1] == '\n' ? 2 : 1;
    if (size > 1 && memcmp(text, "\xc2\x85", 2) == 0)
        return 2;
    if (size > 2 && (memcmp(text, "\xe2\x80\xa8", 3) == 0 || memcmp(text, "\xe2\x80\xa9", 3) == 0))
        return 3;
    return 0;
}

/* Whether the n bytes of one code point can go to a terminal as they are. */
static bool printable(const char *text, size_t n)
{
    unsigned char c = (unsigned char)text[0];
    if (n == 1)
        return c >= 0x20 && c < 0x7f;
    return !(n == 2 && c == 0xc2 && (unsigned char)text[1] < 0xa0); /* C1 controls */
}

size_t text_show(char *out, const char *text, size_t size, size_t first, size_t count)
{
    size_t point = 0;
    for (size_t at = 0, n; at < size; at += n, point++) {
        n = text_point(text + at, size - at);
        if (point < first || point - first >= count)
            continue;
        if (printable(text + at, n)) {
            memcpy(out, text + at, n);
            out += n;
        } else {
            *out++ = text[at] == '\t' ? ' ' : '?';
        }
    }
    *out = '\0';
    return point;
}

const char *text_line(size_t *length, const char *text, size_t size, size_t number)
{
    size_t start = 0, at = 0;
    for (size_t line = 1; line < number; line++) {
        while (at < size && !text_break(text + at, size - at))
            at++;
        if (at == size)
            return NULL;
        at += text_break(text + at, size - at);
        start = at;
    }
    while (at < size && !text_break(text + at, size - at))
        at++;
    *length = at - start;
    return text + start;
}

void text_locate(size_t *line, size_t *column, const char *text, size_t size, size_t offset)
{
    *line = *column = 1;
    for (size_t at = 0; at < offset && at < size;) {
        size_t jump = text_break(text + at, size - at);
        *line += jump > 0;
        *column = jump ? 1 : *column + 1;
        at += jump ? jump : text_point(text + at, size - at);
    }
}
