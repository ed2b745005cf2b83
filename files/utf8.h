/* files/utf8.h -- whether text is UTF-8 (RFC 3629, section 4). */
#ifndef FILES_UTF8_H
#define FILES_UTF8_H

/* The first byte of text that is not UTF-8, or NULL: all of it is. */
const char *file_not_utf8(const char *text);

/* Puts a '?' in place of each byte that is not. */
void file_mend_utf8(char *text);

#endif
