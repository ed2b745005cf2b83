/* "Did you mean": near words are found, far ones are not. */
#include "flow/suggest.h"

#include <criterion/criterion.h>

static const char *const words[] = {"hidden",        "layers", "permute", "lr",
                                    "learning_rate", "batch",  "bench"};
enum { WORDS = sizeof words / sizeof *words };

Test(suggest, nearest)
{
    static const struct {
        const char *word, *want;
    } cases[] = {{"hiden", "hidden"},
                 {"hidedn", "hidden"},
                 {"Hidden", "hidden"},
                 {"layerz", "layers"},
                 {"permutes", "permute"},
                 {"lrr", "lr"},
                 {"learnign_rte", "learning_rate"},
                 {"batc", "batch"},
                 {"bacth", "batch"},
                 {"banch", "batch"},
                 {"x", NULL},
                 {"", NULL},
                 {"lx", "lr"},
                 {"zz", NULL},
                 {"optimizer", NULL},
                 {"hiiddenn", "hidden"},
                 {"heddon", "hidden"},
                 {"haddonn", NULL},
                 {"rl", "lr"},
                 {"LR", "lr"},
                 {"benx", NULL},
                 {"lernin_rat", "learning_rate"},
                 {"learn", NULL}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *got = flow_suggest(cases[i].word, words, WORDS);
        cr_assert_eq(!got, !cases[i].want, "'%s' gave '%s'", cases[i].word, got ? got : "nothing");
        if (got)
            cr_assert_str_eq(got, cases[i].want, "'%s' gave '%s'", cases[i].word, got);
    }
}

Test(suggest, no_words_and_long_words)
{
    static const char long_word[] =
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
    const char *const list[] = {long_word, long_word + 1, ""};
    cr_assert_null(flow_suggest("lr", words, 0));
    cr_assert_null(flow_suggest(long_word, list, 3));
    cr_assert_null(flow_suggest("a", list, 3));
}
