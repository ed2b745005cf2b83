/* What a wrong configuration is advised to do is done, and read again: the complaint must be gone. */
#include "pipeline/config/config.h"

#include "pipeline/config/schema.h"
#include "tests/common/temp.h"
#include "tests/pipeline/golden.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TEXT = 8192, WORD = 256 };

/* One complaint with its advice. line 0: of a --set. */
typedef struct advice {
    size_t line, column, length;
    char head[WORD],
        help[WORD]; /* "unknown key 'hiden' in teacher.flow [E101]"; the advice, "" if there is none */
} advice;

static char *line_after(char *at)
{
    char *end = at ? strchr(at, '\n') : NULL;
    return end && end[1] ? end + 1 : NULL;
}

static void copy_line(char out[WORD], const char *from)
{
    snprintf(out, WORD, "%.*s", (int)strcspn(from, "\n"), from);
}

/* The marks below the source line. */
static size_t marks(const char *line)
{
    const char *mark = strchr(line, '^');
    return mark ? 1 + strspn(mark + 1, "~") : 1;
}

/* Reads the complaint at *at and goes behind it; false: there is none. */
static bool next_advice(advice *out, char **at)
{
    *out = (advice){.line = 0};
    while (*at && !strstr(*at, " error: "))
        return false;
    while (*at && (!strstr(*at, " error: ") || strstr(*at, " error: ") > *at + strcspn(*at, "\n")))
        *at = line_after(*at);
    if (!*at)
        return false;
    if (sscanf(*at, "t.yaml:%zu:%zu:", &out->line, &out->column) != 2)
        out->line = 0;
    copy_line(out->head, strstr(*at, " error: ") + 8);
    char *help = strstr(out->head, "; help: ");
    if (help) {
        copy_line(out->help, help + 8);
        *help = '\0';
    }
    char *next = line_after(*at);
    for (; next && out->line && (*next == ' ' || strncmp(next, "help: ", 6) == 0);
         next = line_after(next)) {
        if (strncmp(next, "      | ", 8) == 0)
            out->length = marks(next);
        if (strncmp(next, "help: ", 6) == 0)
            copy_line(out->help, next + 6);
    }
    *at = next;
    return true;
}

/* What stands between quotes behind `before` in text; false: it is not there. */
static bool quoted(char out[WORD], const char *text, const char *before)
{
    const char *at = strstr(text, before);
    if (!at)
        return false;
    at += strlen(before);
    snprintf(out, WORD, "%.*s", (int)strcspn(at, "'"), at);
    return at[strcspn(at, "'")] == '\'';
}

/* text with `size` bytes at `at` replaced. */
static void replace(char out[TEXT], const char *text, size_t at, size_t size, const char *by)
{
    snprintf(out, TEXT, "%.*s%s%s", (int)at, text, by, text + at + size);
}

/* The offset of line and column of an ASCII text. */
static size_t offset_of(const char *text, const advice *a)
{
    const char *at = text;
    for (size_t line = 1; line < a->line; line++)
        at = strchr(at, '\n') + 1;
    return (size_t)(at - text) + a->column - 1;
}

/* What to put in the place of the token; false: the advice is none of this sort. */
static bool instead(char out[WORD], const advice *a, const char *token, size_t size)
{
    char room[WORD];
    if (quoted(room, a->help, "did you mean '"))
        snprintf(out, WORD, "%s", room);
    else if (strncmp(a->help, "write [", 7) == 0)
        snprintf(out, WORD, "%s", a->help + 6);
    else if (strcmp(a->help, "write it without quotes") == 0)
        snprintf(out, WORD, "%.*s", (int)size - 2, token + 1);
    else if (strncmp(a->help, "put quotes around", 17) == 0 && a->length > 1)
        snprintf(out, WORD, "\"%.*s\"", (int)size, token);
    else if (strncmp(a->help, "write the number out", 20) == 0)
        snprintf(out, WORD, "%.*s000", (int)size - 1, token);
    else if (strcmp(a->help, "the decimal sign is a point") == 0)
        snprintf(out, WORD, "%.*s.%s", (int)strcspn(token, ","), token, "5");
    else if (strcmp(a->help, "write it without '_'") == 0)
        for (snprintf(out, WORD, "%.*s", (int)size, token); strchr(out, '_');)
            memmove(strchr(out, '_'), strchr(out, '_') + 1, strlen(strchr(out, '_')));
    else if (strcmp(a->help, "write it without leading zeros") == 0)
        snprintf(out, WORD, "%.*s", (int)(size - strspn(token, "0")), token + strspn(token, "0"));
    else
        return false;
    return true;
}

/* Whether a complaint of that sort is still made there: at the same place of the file, or, of a --set, of the word
 * that was advised. */
static bool still_says(const load_input *input, const advice *a, const char *word)
{
    char *said;
    advice now;
    config_free(load_text(input, &said, NULL));
    char *at = said, *code = strrchr(a->head, '[');
    bool found = false;
    while (!found && next_advice(&now, &at))
        found = now.line == a->line && now.column == a->column && code && strstr(now.head, code) &&
                (a->line || strstr(now.head, word));
    free(said);
    return found;
}

/* Does what is advised of the file: 1 done and gone, 0 no such advice, -1 said again. */
static int follow_in_file(const load_input *input, const advice *a)
{
    char text[TEXT], word[WORD], set[WORD];
    load_input next = *input;
    size_t at = offset_of(input->text, a);
    size_t n_sets = 0;
    while (next.sets[n_sets])
        n_sets++;
    int key = (int)strcspn(a->help + 4, ":");
    if (strncmp(a->help, "take it out", 11) == 0 && n_sets < LOAD_SETS) {
        snprintf(set, sizeof set, "%.*s=null", (int)strcspn(a->head, " "), a->head);
        next.sets[n_sets] = set;
    } else if (strncmp(a->help, "set data.", 9) == 0 && n_sets < LOAD_SETS) {
        snprintf(set, sizeof set, "%.*s=%s", key, a->help + 4, a->help + 4 + key + 2);
        next.sets[n_sets] = set;
    } else if (instead(word, a, input->text + at, a->length)) {
        replace(text, input->text, at, a->length, word);
        next.text = text;
    } else {
        return 0;
    }
    return still_says(&next, a, "") ? -1 : 1;
}

/* The same of a --set that has the word in it. */
static int follow_in_set(const load_input *input, const advice *a)
{
    char set[TEXT], word[WORD], by[WORD], quote[WORD];
    load_input next = *input;
    bool named = quoted(word, a->head, "unknown key '") || quoted(word, a->head, "got '");
    if (!named || !quoted(by, a->help, "did you mean '"))
        return 0;
    for (size_t i = 0; i < LOAD_SETS && input->sets[i]; i++) {
        const char *at = strstr(input->sets[i], word);
        if (!at)
            continue;
        replace(set, input->sets[i], (size_t)(at - input->sets[i]), strlen(word), by);
        next.sets[i] = set;
        snprintf(quote, sizeof quote, "'%.200s'", by);
        return still_says(&next, a, quote) ? -1 : 1;
    }
    return 0;
}

static bool is_ascii(const char *text)
{
    while (*text && !(*text & ~0x7f))
        text++;
    return !*text;
}

Test(suggestions, what_is_advised_word_for_word_is_right)
{
    char *rest, *text = golden_open(&rest);
    golden one;
    size_t followed = 0;
    load_open();
    while (golden_next(&one, &rest)) {
        advice a;
        char *at = one.says;
        while (is_ascii(one.text) && next_advice(&a, &at)) {
            int end = a.line ? follow_in_file(&one.input, &a) : follow_in_set(&one.input, &a);
            cr_expect_geq(end, 0, "%s: '%s' is said again after '%s'", one.name, a.head, a.help);
            followed += end > 0;
        }
        golden_release(&one);
    }
    cr_expect_geq(followed, 43, "only %zu pieces of advice were followed", followed);
    free(text);
    temp_close();
}

/* ---- names that were mistyped */

/* The name without its second letter, or with two of it. */
static void mistype(char out[WORD], const char *name, bool twice)
{
    if (twice)
        snprintf(out, WORD, "%c%c%s", name[0], name[1], name + 1);
    else
        snprintf(out, WORD, "%c%s", name[0], name + 2);
}

/* A mistyped name at the end of path, alone in its file, or as --set has it. */
static bool advised(const char *path, bool twice, bool in_set)
{
    const char *dot = strrchr(path, '.'), *name = dot ? dot + 1 : path;
    char word[WORD], text[TEXT] = LOAD_HEAD, set[TEXT], *said;
    advice a;
    size_t depth = 0;
    mistype(word, name, twice);
    snprintf(set, sizeof set, "%.*s%s=1", (int)(name - path), path, word);
    if (!in_set) {
        strcpy(text, strncmp(path, "data.", 5) == 0 ? "" : LOAD_HEAD);
        for (const char *at = path; at < name; at += strcspn(at, ".") + 1, depth += 2)
            snprintf(text + strlen(text), TEXT - strlen(text), "%*s%.*s:\n", (int)depth, "",
                     (int)strcspn(at, "."), at);
        snprintf(text + strlen(text), TEXT - strlen(text), "%*s%s: 1\n", (int)depth, "", word);
    }
    const load_input input = {.text = text, .sets = {in_set ? set : NULL}};
    config_free(load_text(&input, &said, NULL));
    char *at = said;
    bool found = next_advice(&a, &at);
    cr_expect(found && strstr(a.head, "[E101]"), "%s: %s", in_set ? set : text, said);
    int end = found ? (a.line ? follow_in_file(&input, &a) : follow_in_set(&input, &a)) : 0;
    cr_expect_geq(end, 0, "%s says again after its advice: %s", in_set ? set : text, said);
    free(said);
    return end > 0;
}

Test(suggestions, a_letter_too_few_or_too_many)
{
    size_t right = 0, all = 0;
    load_open();
    for (size_t i = 0; i < schema_n_keys; i++) {
        const char *dot = strrchr(schema_keys[i].name, '.');
        if (strlen(dot ? dot + 1 : schema_keys[i].name) < 4)
            continue; /* lr: what is left of it is like anything */
        for (int way = 0; way < 4; way++, all++)
            right += advised(schema_keys[i].name, way & 1, way & 2);
    }
    cr_expect_gt(all, 250);
    cr_expect_eq(right, all, "%zu of %zu", right, all);
    temp_close();
}

/* What is proposed where something is missing is a config. */
Test(suggestions, what_could_be_added)
{
    char *said, word[WORD];
    size_t n = 0;
    load_open();
    config_free(load_text(&(load_input){.text = "schema: 1\n"}, &said, NULL));
    for (char *at = said; (at = strstr(at, ": {")); at++, n++) {
        char *from = at, text[TEXT];
        while (from[-1] != '\'')
            from--;
        snprintf(word, sizeof word, "%.*s", (int)strcspn(from, "'"), from);
        char *file = strstr(word, "FILE.npy");
        if (file)
            memcpy(file, "  ok.npy", 8);
        snprintf(text, sizeof text, "schema: 1\n%s\n", word);
        config_free(load_good(text));
    }
    cr_expect_eq(n, 3);
    free(said);
    temp_close();
}
