#include "flow/suggest.h"

#include <ctype.h>
#include <string.h>

enum { LONGEST = 64 }; /* longer words are not compared: nobody mistypes one */

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

static int folded(char c)
{
    return tolower((unsigned char)c);
}

/* Edits that turn a into b: insert, delete, replace, swap neighbours (optimal string alignment,
 * Damerau 1964). row[i % 3][j] is the distance of the first i letters of a and the first j of b. */
static size_t distance(const char *a, size_t a_len, const char *b, size_t b_len)
{
    size_t row[3][LONGEST + 1];
    for (size_t j = 0; j <= b_len; j++)
        row[0][j] = j;
    for (size_t i = 1; i <= a_len; i++) {
        size_t *now = row[i % 3], *last = row[(i + 2) % 3], *before = row[(i + 1) % 3];
        now[0] = i;
        for (size_t j = 1; j <= b_len; j++) {
            size_t replaced = last[j - 1] + (folded(a[i - 1]) != folded(b[j - 1]));
            now[j] = smaller(replaced, 1 + smaller(last[j], now[j - 1]));
            if (i > 1 && j > 1 && folded(a[i - 1]) == folded(b[j - 2]) &&
                folded(a[i - 2]) == folded(b[j - 1]))
                now[j] = smaller(now[j], before[j - 2] + 1);
        }
    }
    return row[a_len % 3][b_len];
}

const char *flow_suggest(const char *word, const char *const *words, size_t n)
{
    size_t len = strlen(word);
    if (len == 0 || len > LONGEST)
        return NULL;
    size_t best = len <= 4 ? 2 : len <= 8 ? 3 : 4; /* the first distance that is too far */
    const char *found = NULL;
    for (size_t i = 0; i < n; i++) {
        size_t other = strlen(words[i]);
        if (other == 0 || other > LONGEST)
            continue;
        size_t d = distance(word, len, words[i], other);
        if (d < best && d < len) {
            best = d;
            found = words[i];
        }
    }
    return found;
}
