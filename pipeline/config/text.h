/* pipeline/config/text.h -- lines and columns of UTF-8 text, counted as libyaml counts them. */
#ifndef PIPELINE_CONFIG_TEXT_H
#define PIPELINE_CONFIG_TEXT_H

#include <stddef.h>

/* Bytes of the code point at text (size >= 1 bytes); 1 for a byte that is not UTF-8. */
size_t text_point(const char *text, size_t size);

/* Bytes of the line break at text (size >= 1 bytes), 0 if there is none. The breaks of YAML 1.1
 * (section 5.4): LF, CR, CR LF, NEL, LS, PS. */
size_t text_break(const char *text, size_t size);

/* Copies code points first .. first + count - 1 of text to out, fit for a terminal: '?' for control
 * characters and broken UTF-8, ' ' for tabs. out has room for 4 * count bytes, or for size of them,
 * and one more. Returns the number of code points in text. */
size_t text_show(char *out, const char *text, size_t size, size_t first, size_t count);

/* The line of that number, from 1; its length in bytes in *length. NULL if there is none. */
const char *text_line(size_t *length, const char *text, size_t size, size_t number);

/* Line and column, from 1, of the byte at offset <= size. */
void text_locate(size_t *line, size_t *column, const char *text, size_t size, size_t offset);

#endif
