/* Words as a shell reads them. */
#include "pipeline/console/shell_word.h"

#include <criterion/criterion.h>
#include <string.h>

Test(shell_word, is_quoted_where_it_has_to_be)
{
    static const char *const cases[][2] = {
        {"runs/moons", "runs/moons"},
        {"", "''"},
        {"messy data.yaml", "'messy data.yaml'"},
        {"it's", "'it'\\''s'"},
        {"$HOME", "'$HOME'"},
        {"a*", "'a*'"},
        {"100%,x=1", "100%,x=1"},
        {"\xcf\x87", "'\xcf\x87'"},
    };
    char out[SHELL_WORD];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        cr_expect_str_eq(shell_text(out, cases[i][0]), cases[i][1]);
}

Test(shell_word, that_is_too_long_is_cut)
{
    static char word[3 * SHELL_WORD];
    char out[SHELL_WORD];
    for (size_t length = SHELL_WORD - 6; length < sizeof word - 1; length += length / 700 + 1) {
        memset(word, 'a', length);
        word[length] = '\0';
        const char *got = shell_text(out, word);
        bool fits = length < SHELL_WORD - 1;
        cr_expect_eq(strlen(got), fits ? length : SHELL_WORD - 1, "%zu", length);
        cr_expect(fits || strcmp(got + SHELL_WORD - 4, "...") == 0, "%zu", length);
    }
}
