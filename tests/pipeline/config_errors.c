/* Reading a configuration: what a wrong one is told, word for word. */
#include "pipeline/config/config.h"

#include "teacher/generate.h"
#include "tests/common/temp.h"
#include "tests/pipeline/golden.h"
#include "tests/pipeline/load.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- the texts of tests/pipeline/config_errors.txt. When a change of the table changes them on
 * purpose: UPDATE_EXPECTED=1 build/tests/test_pipeline writes the file anew; then read the diff. */

static size_t count(const char *text, const char *part)
{
    size_t n = 0;
    for (const char *at = text; (at = strstr(at, part)); at += strlen(part))
        n++;
    return n;
}

/* Whether said is the text wanted, in which <...> stands for whatever a line holds there: lists of kinds,
 * which grow. */
static bool matches(const char *said, const char *wanted)
{
    const char *hole = strstr(wanted, "<...>");
    if (!hole)
        return strcmp(said, wanted) == 0;
    size_t before = (size_t)(hole - wanted);
    if (strncmp(said, wanted, before) != 0)
        return false;
    for (const char *at = said + before;; at++) {
        if (matches(at, hole + 5))
            return true;
        if (!*at || *at == '\n')
            return false;
    }
}

static void write_case(FILE *to, const golden *one, const char *said)
{
    fprintf(to, "#### %s\n%s", one->name, one->text);
    for (size_t i = 0; i < LOAD_SETS && one->input.sets[i]; i++)
        fprintf(to, "#### set %s\n", one->input.sets[i]);
    fprintf(to, "#### says\n%s\n", said);
}

Test(config, errors_word_for_word)
{
    char *rest, *text = golden_open(&rest);
    bool update = getenv("UPDATE_EXPECTED") != NULL;
    FILE *to = update ? fopen(golden_file, "w") : NULL;
    if (update)
        fprintf(to, "%.*s", (int)(rest - text), text);
    load_open();

    golden one;
    size_t n = 0;
    for (; golden_next(&one, &rest); n++) {
        char *said;
        int status;
        config *self = load_text(&one.input, &said, &status);
        cr_expect_null(self, "%s: accepted", one.name);
        bool only_files = count(said, " error: ") == count(said, " [E100]");
        cr_expect_eq(status, only_files ? 66 : 78, "%s: status %d", one.name, status);
        if (update)
            write_case(to, &one, matches(said, one.says) ? one.says : said);
        else
            cr_expect(matches(said, one.says), "%s\nsays:\n%s\nnot:\n%s", one.name, said, one.says);
        config_free(self);
        free(said);
        golden_release(&one);
    }
    if (to)
        fclose(to);
    cr_expect_gt(n, 100);
    free(text);
    temp_close();
}

/* ---- what a text file cannot show */

Test(config, bytes_that_are_no_text)
{
    load_open();
    load_says(LOAD_HEAD "name: \"gr\xfcn\"\n", "t.yaml:3:10: error: not UTF-8 (byte 0xfc) [E107]\n"
                                               "    3 | name: \"gr?n\"\n"
                                               "      |          ^\n"
                                               "help: save the file as UTF-8\n"
                                               "1 error; nothing was run\n");
    load_says(LOAD_HEAD "name: a\x07"
                        "b\n",
              "t.yaml:3:8: error: a control character, U+0007 [E107]\n"
              "    3 | name: a?b\n"
              "      |        ^\n"
              "1 error; nothing was run\n");
    load_says("\xff\xfes\0c\0h\0", "t.yaml:1:1: error: not UTF-8 (byte 0xff) [E107]\n"
                                   "    1 | ??s\n"
                                   "      | ^\n"
                                   "help: save the file as UTF-8\n"
                                   "1 error; nothing was run\n");
    temp_close();
}

Test(config, line_ends_and_byte_order_mark)
{
    static const char says[] = "t.yaml:4:3: error: unknown key 'x' in teacher [E101]\n"
                               "    4 |   x: 1\n"
                               "      |   ^\n"
                               "help: Keys here: flow, train\n"
                               "1 error; nothing was run\n";
    load_open();
    load_says("\xef\xbb\xbf" LOAD_HEAD "teacher:\n  x: 1\n", says);
    load_says("schema: 1\r\ndata: {generator: rings}\r\nteacher:\r\n  x: 1\r\n", says);
    load_says("schema: 1\rdata: {generator: rings}\rteacher:\r  x: 1\r", says);
    /* NEL, LS and PS end a line in YAML 1.1 */
    load_says("schema: 1\xc2\x85"
              "data: {generator: rings}\xe2\x80\xa8teacher:\xe2\x80\xa9  x: 1\n",
              says);
    temp_close();
}

/* n times piece, between head and tail; to be freed. */
static char *repeated(const char *head, const char *piece, size_t n, const char *tail)
{
    char *out = malloc(strlen(head) + n * strlen(piece) + strlen(tail) + 1);
    char *at = out + sprintf(out, "%s", head);
    for (size_t i = 0; i < n; i++)
        at += sprintf(at, "%s", piece);
    strcpy(at, tail);
    return out;
}

static void expect_repeated(const char *head, const char *piece, size_t n, const char *tail,
                            const char *line)
{
    char *text = repeated(head, piece, n, tail), *said;
    config *self = load_text(&(load_input){.text = text}, &said, NULL);
    cr_expect_not_null(strstr(said, line), "%s %zu times says:\n%.2000s\nnot: %s", piece, n, said,
                       line);
    cr_expect_lt(strlen(said), 20000);
    config_free(self);
    free(said);
    free(text);
}

Test(config, limits_of_size)
{
    load_open();
    expect_repeated(LOAD_HEAD "x: ", "[", 31, "1\n", "error: this list is not closed");
    expect_repeated(LOAD_HEAD "x: ", "[", 32, "\n", "error: nested deeper than 32 levels [E109]");
    expect_repeated(LOAD_HEAD "x: ", "[", 100000, "", "error: nested deeper than 32 levels [E109]");
    expect_repeated(LOAD_HEAD, "- {a: ", 100000, "", "[E10");
    expect_repeated(LOAD_HEAD "x: [", "1,", 10000, "]\n", "error: more than 10000 values [E109]");
    expect_repeated(LOAD_HEAD "#", "x", 1 << 20, "\n", "error: longer than 1048576 bytes [E109]");
    expect_repeated(LOAD_HEAD "data: ", "x", 500000, "\n", "'data' is given twice");
    expect_repeated(LOAD_HEAD "", "k: 1\n", 3000, "", "... and 2980 more\n3000 errors; nothing");
    expect_repeated(LOAD_HEAD "a: &a [x, x]\nb: &b [*a, *a]\nc: [", "*b, ", 100000, "*b]\n",
                    "error: anchors (&name) are not read [E108]");
    expect_repeated(LOAD_HEAD "? ", "k", 2000, "\n: 1\n", "unknown key 'kkkkkkkkkkkkkkkkkkkkkkkk");
    temp_close();
}

Test(config, just_within_the_limits)
{
    load_open();
    char *text = repeated(LOAD_HEAD "#", "x", (1 << 20) - sizeof LOAD_HEAD - 1, "\n");
    config_free(load_good(text));
    free(text);
    text = repeated("schema: 1\ndata: {path: ok.csv, columns: [", "1,", 4095, "x]}\n");
    config *self = load_good(text);
    cr_expect_eq(self->data.columns.n, 4096);
    cr_expect_str_eq(self->data.columns.at[4095], "x");
    config_free(self);
    free(text);
    temp_close();
}

Test(config, files_that_cannot_be_read)
{
    load_open();
    static const char *const names[] = {"none.yaml", ".", "my.csv"};
    static const char *const says[] = {
        "none.yaml: error: cannot open: No such file or directory [E100]\n",
        ".: error: cannot read: Is a directory [E100]; help: give the YAML file; of a run it is "
        "config.yaml in its directory\n",
        "my.csv: error: is a table, not a config [E100]; help: a .yaml with the line data: {path: "
        "my.csv} "
        "is a whole one\n"};
    for (size_t i = 0; i < 3; i++) {
        complaints *out = complaints_create();
        char text[512] = "";
        cr_expect_null(config_load(&(config_sources){.file = names[i]}, out));
        FILE *to = fmemopen(text, sizeof text, "w");
        complaints_show(out, to, false);
        fclose(to);
        cr_expect_eq(strncmp(text, says[i], strlen(says[i])), 0, "%s", text);
        cr_expect_eq(complaints_exit_code(out), 66);
        complaints_free(out);
    }
    temp_close();
}

Test(config, colour_goes_around_the_same_words)
{
    complaints *out = complaints_create();
    size_t source = complaints_source(out, "a.yaml", "x: 1\n", 5);
    complain(out, E_UNKNOWN, (place){source, 1, 1, 1}, "try y", "unknown key 'x'");
    char *text;
    size_t size;
    FILE *to = open_memstream(&text, &size);
    complaints_show(out, to, true);
    fclose(to);
    cr_expect_str_eq(text,
                     "\033[1ma.yaml:1:1:\033[0m \033[1;31merror:\033[0m unknown key 'x' [E101]\n"
                     "    1 | x: 1\n"
                     "      | \033[1;31m^\033[0m\n"
                     "\033[1;36mhelp:\033[0m try y\n"
                     "1 error; nothing was run\n");
    free(text);
    complaints_free(out);
}
