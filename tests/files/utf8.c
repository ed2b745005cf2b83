/* What is text: the table of well-formed byte sequences of RFC 3629, its edges and what lies just beyond them. */
#include "files/utf8.h"

#include <criterion/criterion.h>
#include <string.h>

Test(utf8, well_formed)
{
    static const struct {
        const char *text;
        size_t good;
    } cases[] = {{"", 0},
                 {"mass", 4},
                 {"gr\xf6\xdf"
                  "e",
                  2}, /* Latin-1 */
                 {"gr\xc3\xb6\xc3\x9f"
                  "e",
                  7},                                     /* the same in UTF-8 */
                 {"\x7f\xc2\x80\xdf\xbf", 5},             /* one byte, the ends of two */
                 {"a\x80", 1},                            /* a byte that only continues */
                 {"a\xc1\xbf", 1},                        /* too long for what it says */
                 {"\xe0\xa0\x80\xef\xbf\xbf", 6},         /* the ends of three */
                 {"\xe0\x9f\xbf", 0},                     /* too long */
                 {"\xed\x9f\xbf\xed\xa0\x80", 3},         /* up to the surrogates */
                 {"\xee\x80\x80", 3},                     /* behind them */
                 {"\xf0\x90\x80\x80\xf4\x8f\xbf\xbf", 8}, /* the ends of four */
                 {"\xf0\x8f\xbf\xbf", 0},                 /* too long */
                 {"\xf4\x90\x80\x80", 0},                 /* above U+10FFFF */
                 {"\xf5\x80\x80\x80", 0},
                 {"ab\xe2\x82", 2}, /* cut off */
                 {"ab\xf0\x9f\x98", 2},
                 {"ab\xc3", 2},
                 {"ab\xe2\x82z", 2}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *text = cases[i].text, *bad = file_not_utf8(text);
        size_t good = bad ? (size_t)(bad - text) : strlen(text);
        cr_expect_eq(good, cases[i].good, "case %zu: %zu", i, good);
    }
}

Test(utf8, mend)
{
    char text[] = "gr\xf6\xdf\x65 \xc3\xb6\xe2\x82";
    file_mend_utf8(text);
    cr_expect_str_eq(text, "gr??e \xc3\xb6??");
}
