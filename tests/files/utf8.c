/* What is text: the table of well-formed byte sequences of RFC 3629, its edges and what lies just beyond them. */
#include "files/utf8.h"

#include <criterion/criterion.h>
#include <string.h>

Test(utf8, prefix)
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
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        cr_expect_eq(utf8_prefix(cases[i].text), cases[i].good, "case %zu: %zu", i,
                     utf8_prefix(cases[i].text));
}

Test(utf8, mend)
{
    char text[] = "gr\xf6\xdf\x65 \xc3\xb6\xe2\x82";
    utf8_mend(text);
    cr_expect_str_eq(text, "gr??e \xc3\xb6??");
}

Test(utf8, complaint)
{
    char why[UTF8_COMPLAINT], name[200];
    cr_expect_null(utf8_complaint(why,
                                  "stra\xc3\x9f"
                                  "e",
                                  "a.csv"));
    cr_assert_not_null(utf8_complaint(why,
                                      "stra\xdf"
                                      "e",
                                      "a.csv"));
    cr_expect_str_eq(why,
                     "its name is not UTF-8: byte 0xdf after 'stra'; convert the file, say with "
                     "iconv -f latin1 -t utf-8 'a.csv'");
    memset(name, 'n', sizeof name);
    memcpy(name + 120, "\xc3\xb6\xff", 4); /* what is shown of a long name is text, too */
    cr_assert_not_null(utf8_complaint(why, name, "a.csv"));
    cr_expect(strstr(why, "byte 0xff after 'nnnn"), "%s", why);
    cr_expect_eq(utf8_prefix(why), strlen(why));
}
