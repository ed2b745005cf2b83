#include "files/utf8.h"

#include <stddef.h>

/* Bytes of the character that the text starts with, 0 if they are not UTF-8. */
static size_t character(const unsigned char *at)
{
    size_t length = *at < 0x80 ? 1 : *at < 0xc2 ? 0 : *at < 0xe0 ? 2 : *at < 0xf0 ? 3 : 4;
    for (size_t i = 1; i < length; i++)
        if ((at[i] & 0xc0) != 0x80)
            return 0;
    if ((*at == 0xe0 && at[1] < 0xa0) || (*at == 0xed && at[1] > 0x9f) ||
        (*at == 0xf0 && at[1] < 0x90) || (*at == 0xf4 && at[1] > 0x8f) || *at > 0xf4)
        return 0;
    return length;
}

const char *file_not_utf8(const char *text)
{
    const unsigned char *at = (const unsigned char *)text;
    for (size_t length; *at; at += length)
        if (!(length = character(at)))
            return (const char *)at;
    return NULL;
}

void file_mend_utf8(char *text)
{
    for (const char *bad; (bad = file_not_utf8(text)); *text = '?')
        text += bad - text;
}
