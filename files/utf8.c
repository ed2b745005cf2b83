#include "files/utf8.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* Bytes of the character that starts with this one; 0: none does. 0xc0 and 0xc1 could only start one that is
 * too long, 0xf5 and more one above U+10FFFF. */
static size_t length_of(unsigned char first)
{
    if (first < 0x80)
        return 1;
    if (first < 0xc2 || first > 0xf4)
        return 0;
    return first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
}

/* Too long, a surrogate, or above U+10FFFF: the second byte tells. */
static bool second_is_good(const unsigned char *c)
{
    unsigned char low = c[0] == 0xe0 ? 0xa0 : c[0] == 0xf0 ? 0x90 : 0x80;
    unsigned char high = c[0] == 0xed ? 0x9f : c[0] == 0xf4 ? 0x8f : 0xbf;
    return c[1] >= low && c[1] <= high;
}

/* Bytes of the character at c, 0 if it is not whole. A 0 byte ends the text, and no later byte is looked at. */
static size_t character(const unsigned char *c)
{
    size_t length = length_of(*c);
    if (length > 1 && !second_is_good(c))
        return 0;
    for (size_t i = 2; i < length; i++)
        if ((c[i] & 0xc0) != 0x80)
            return 0;
    return length;
}

size_t utf8_prefix(const char *text)
{
    const unsigned char *c = (const unsigned char *)text;
    size_t at = 0, length;
    while (c[at] && (length = character(c + at)) > 0)
        at += length;
    return at;
}

void utf8_mend(char *text)
{
    for (text += utf8_prefix(text); *text; text += utf8_prefix(text))
        *text = '?';
}

const char *utf8_complaint(char *out, const char *name, const char *path)
{
    size_t good = utf8_prefix(name);
    if (!name[good])
        return NULL;
    size_t from = good > 40 ? good - 40 : 0;
    while (from < good && ((unsigned char)name[from] & 0xc0) == 0x80)
        from++; /* not in the middle of a character */
    snprintf(out, UTF8_COMPLAINT,
             "its name is not UTF-8: byte 0x%02x after '%.*s'; convert the file, say with iconv -f "
             "latin1 -t utf-8 '%.200s'",
             (unsigned char)name[good], (int)(good - from), name + from, path);
    return out;
}
