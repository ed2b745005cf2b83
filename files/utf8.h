/* files/utf8.h -- whether bytes are text. Names of columns go into JSON, which holds UTF-8 and nothing else. */
#ifndef FILES_UTF8_H
#define FILES_UTF8_H

#include <stddef.h>

/* How many bytes from the start of text are whole characters of UTF-8 (RFC 3629: no surrogates, none above
 * U+10FFFF, none longer than it need be); all of them if text is well-formed. */
size_t utf8_prefix(const char *text);

/* Puts a '?' in place of each byte that belongs to no character. */
void utf8_mend(char *text);

/* "its name is not UTF-8: byte 0xf6 after 'gr'; ...": what is wrong with a name of a column of the file at
 * path, into out (UTF8_COMPLAINT); NULL: nothing is. */
enum { UTF8_COMPLAINT = 400 };
const char *utf8_complaint(char *out, const char *name, const char *path);

#endif
