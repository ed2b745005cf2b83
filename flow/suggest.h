/* flow/suggest.h -- "did you mean": the known word nearest to a mistyped one. */
#ifndef FLOW_SUGGEST_H
#define FLOW_SUGGEST_H

#include <stddef.h>

/* The one of words (n) at the smallest edit distance from word (insert, delete, replace, swap of
 * neighbours; case is free), the first among equals; NULL if none is near enough to be meant: at
 * most one edit for words of up to 4 letters, 2 up to 8, 3 beyond. */
const char *flow_suggest(const char *word, const char *const *words, size_t n);

#endif
