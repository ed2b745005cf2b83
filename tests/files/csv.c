/* Tables as text: what spreadsheets and programs write is read; what is wrong is named by line and
 * column. */
#include "files/csv.h"

#include "tests/common/temp.h"

#include <criterion/criterion.h>
#include <locale.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static const file_wish all = {.head = false};

static file_table *read_text(const char *text, file_header header, flow_err *err)
{
    FILE *in = fmemopen((void *)(uintptr_t)text, strlen(text), "rb");
    cr_assert_not_null(in);
    file_table *table = file_csv_read_stream(
        in, "x.csv", &(file_wish){.header = header, .remedy = "leave it out"}, err);
    fclose(in);
    return table;
}

/* The first four values of cases are 2.385 -0.713 1e-310 -17. */
static const double four[] = {2.385, -0.713, 1e-310, -17};

Test(csv, reads)
{
    static const struct {
        const char *text;
        file_header header;
        size_t rows, cols;
        const char *names; /* joined by |; NULL: none */
    } cases[] = {
        {"2.385,-0.713\n1e-310,-17\n", FILE_HEADER_AUTO, 2, 2, NULL},
        {"2.385,-0.713\n1e-310,-17", FILE_HEADER_AUTO, 2, 2, NULL},
        {"2.385,-0.713\r\n1e-310,-17\r\n\r\n", FILE_HEADER_AUTO, 2, 2, NULL},
        {"2.385;-0.713\n1e-310;-17\n\n\n", FILE_HEADER_AUTO, 2, 2, NULL},
        {"2.385\t-0.713\n1e-310\t-17\n", FILE_HEADER_AUTO, 2, 2, NULL},
        {" 2.385 , -0.713\t\n+1E-310,-17.0\n", FILE_HEADER_AUTO, 2, 2, NULL},
        {"2.385\n-0.713\n1e-310\n-17\n", FILE_HEADER_AUTO, 4, 1, NULL},
        {"\xef\xbb\xbf"
         "2.385,-0.713,1e-310,-17\n",
         FILE_HEADER_AUTO, 1, 4, NULL},
        {"\xef\xbb\xbf"
         "a,b\n2.385,-0.713\n1e-310,-17\n",
         FILE_HEADER_AUTO, 2, 2, "a|b"},
        {"a, b c \n2.385,-0.713\n1e-310,-17\n", FILE_HEADER_AUTO, 2, 2, "a|b c"},
        {"1,b\n2.385,-0.713\n1e-310,-17\n", FILE_HEADER_AUTO, 2, 2, "1|b"},
        {"0,1\n2.385,-0.713\n1e-310,-17\n", FILE_HEADER_YES, 2, 2, "0|1"},
        {"\"a,;\",\"b \"\"q\"\"\"\n\"2.385\",-0.713\n1e-310,\"-17\"\n", FILE_HEADER_AUTO, 2, 2,
         "a,;|b \"q\""},
        {"\"a,b\";c\n2.385;-0.713\n1e-310;-17\n", FILE_HEADER_AUTO, 2, 2, "a,b|c"},
        {"x\n2.385\n-0.713\n1e-310\n-17\n", FILE_HEADER_AUTO, 4, 1, "x"},
        {"2.385 -0.713\n1e-310 -17\n", FILE_HEADER_AUTO, 2, 2, NULL},
        {"  2.385   -0.713 \n\t1e-310\t -17\n", FILE_HEADER_AUTO, 2, 2, NULL},
        {"a b\n2.385 -0.713\n1e-310 -17\n", FILE_HEADER_AUTO, 2, 2, "a|b"},
        {"a b\n2.385\n-0.713\n1e-310\n-17\n", FILE_HEADER_AUTO, 4, 1, "a b"},
        {"2,385;-0,713\n1e-310;-17\n", FILE_HEADER_AUTO, 2, 2, NULL},
        {"a;b\n2,385;-0,713\n1e-310;-17\n", FILE_HEADER_AUTO, 2, 2, "a|b"},
        {"sep=;\na;b\n2.385;-0.713\n1e-310;-17\n", FILE_HEADER_AUTO, 2, 2, "a|b"},
        {"# by X\na,b\n2.385,-0.713\n1e-310,-17\n", FILE_HEADER_AUTO, 2, 2, "a|b"},
        {"# by X\n2.385,-0.713\n# half\n1e-310,-17\n", FILE_HEADER_AUTO, 2, 2, NULL},
        {"# a,b\n2.385,-0.713\n1e-310,-17\n", FILE_HEADER_AUTO, 2, 2, "a|b"},
        {"# a,b\n2.385,-0.713\n1e-310,-17\n", FILE_HEADER_YES, 2, 2, "a|b"},
        {"# a,b\n2.385,-0.713\n1e-310,-17\n", FILE_HEADER_NO, 2, 2, NULL},
        {"\"#a\",b\n2.385,-0.713\n1e-310,-17\n", FILE_HEADER_AUTO, 2, 2, "#a|b"},
        {"\"a\",\"b\"\n\"7\",2.385,-0.713\n\"8\",1e-310,-17\n", FILE_HEADER_AUTO, 2, 2, "a|b"},
        {"x;y", FILE_HEADER_AUTO, 0, 2, "x|y"},
        {"x\ty\n", FILE_HEADER_AUTO, 0, 2, "x|y"},
        {",a,b\n0,2.385,-0.713\n1,1e-310,-17\n", FILE_HEADER_AUTO, 2, 2, "a|b"},
        {"\"\",\"a\",\"b\"\n\"r\",2.385,-0.713\n\"s\",1e-310,-17\n", FILE_HEADER_AUTO, 2, 2, "a|b"},
        {"\"a\",\"b\"\n\"r\",2.385,-0.713\n\"s\",1e-310,-17\n", FILE_HEADER_AUTO, 2, 2, "a|b"},
        {"a b\n1 2.385 -0.713\n2 1e-310 -17\n", FILE_HEADER_AUTO, 2, 2, "a|b"},
        {",0,1\n0,2.385,-0.713\n1,1e-310,-17\n", FILE_HEADER_AUTO, 2, 2, "0|1"},
        {"a,b,\n2.385,-0.713,\n1e-310,-17,\n", FILE_HEADER_AUTO, 2, 2, "a|b"},
        {"a,NA\n2.385,-0.713\n1e-310,-17\n", FILE_HEADER_AUTO, 2, 2, "a|NA"},
        {"x", FILE_HEADER_AUTO, 0, 1, "x"},
        {"x,y\n\n", FILE_HEADER_AUTO, 0, 2, "x|y"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        flow_err err = FLOW_ERR_INIT;
        file_table *table = read_text(cases[i].text, cases[i].header, &err);
        cr_assert_not_null(table, "case %zu: %s", i, err.text);
        cr_assert_eq(table->rows, cases[i].rows, "case %zu: %zu", i, table->rows);
        cr_assert_eq(table->cols, cases[i].cols, "case %zu: %zu", i, table->cols);
        for (size_t j = 0; j < table->rows * table->cols; j++)
            cr_assert_eq(table->values[j], four[j], "case %zu: value %zu is %g", i, j,
                         table->values[j]);
        cr_assert_eq(!table->names, !cases[i].names, "case %zu", i);
        char joined[80] = "";
        for (size_t col = 0; table->names && col < table->cols; col++) {
            strcat(joined, col ? "|" : "");
            strcat(joined, table->names[col]);
        }
        cr_assert_str_eq(joined, cases[i].names ? cases[i].names : "", "case %zu", i);
        file_table_free(table);
    }
}

Test(csv, not_finite_is_a_number)
{
    flow_err err = FLOW_ERR_INIT;
    file_table *table = read_text("nan,NaN,-inf\nInf,infinity,-nan\n", FILE_HEADER_AUTO, &err);
    cr_assert_not_null(table, "%s", err.text);
    cr_assert_eq(table->rows, 2);
    const double *v = table->values;
    cr_assert(isnan(v[0]) && isnan(v[1]) && isnan(v[5]));
    cr_assert(v[2] == -INFINITY && v[3] == INFINITY && v[4] == INFINITY);
    file_table_free(table);
}

Test(csv, missing_is_nan)
{
    static const char *const texts[] = {"1,\n2,3\n",          "1,NA\n2,3\n",   "1, \n2,3\n",
                                        "a,b\n1,\"\"\n2,3\n", "NA,?\n2,3\n",   "1,null\n2,3\n",
                                        "1,<NA>\n2,3\n",      "1,n/a \n2,3\n", "1,1.#QNAN\n2,3\n",
                                        "1,-nan(ind)\n2,3\n", "1;\n2;3\n",     "1\t\n2\t3\n",
                                        "1 NA\n2 3\n"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        flow_err err = FLOW_ERR_INIT;
        file_table *table = read_text(texts[i], FILE_HEADER_AUTO, &err);
        cr_assert_not_null(table, "case %zu: %s", i, err.text);
        cr_assert(table->rows == 2 && table->cols == 2, "case %zu", i);
        cr_assert(isnan(table->values[1]), "case %zu", i);
        cr_assert(table->values[2] == 2 && table->values[3] == 3, "case %zu", i);
        file_table_free(table);
    }
}

/* What was made of a file is told where it may surprise. */
Test(csv, notes)
{
    static const struct {
        const char *text, *note; /* a part of it; "" for none at all */
    } cases[] = {
        {"a,b\n1,2\n", ""},
        {"1,2\n1.5,2.5\n", "line 1 is taken as data, though it could be names; header: yes"},
        {"2001\n1.5\n", ""},
        {"1,2\n3,4\n", ""},
        {"a,2001\n1.5,2.5\n", "line 1 is taken as names, though it holds numbers; header: no"},
        {"# a,b\n1.5,2.5\n", "names are those in the comment of line 1"},
        {"# by X\n1.5,2.5\n", ""},
        {"1.5\n# c\n2\n# d\n3\n", "lines left out that start with #, below the first: 2"},
        {",a\n0,2.5\n", "column 0 (counted from 0) has no name and is left out"},
        {"a,b\n\"r\",1,2\n", "the names of the rows are left out"},
        {"a;b\n1,5;2\n", "decimals are read with commas"},
        {"a;b\n1.5;2\n", ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        flow_err err = FLOW_ERR_INIT;
        file_table *table = read_text(cases[i].text, FILE_HEADER_AUTO, &err);
        cr_assert_not_null(table, "case %zu: %s", i, err.text);
        cr_assert(*cases[i].note ? strstr(table->note, cases[i].note) != NULL : !*table->note,
                  "case %zu: '%s'", i, table->note);
        file_table_free(table);
    }
}

/* A row is called by its line where rows are lines one after the other. */
Test(csv, rows_have_lines)
{
    static const struct {
        const char *text;
        size_t first_line;
    } cases[] = {{"1\n2\n3\n", 1}, {"a\n1\n2\n", 2}, {"# c\na\n1\n2\n", 3}, {"1\n# c\n2\n3\n", 0}};
    char label[FILE_LABEL_SIZE];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        flow_err err = FLOW_ERR_INIT;
        file_table *table = read_text(cases[i].text, FILE_HEADER_AUTO, &err);
        cr_assert_not_null(table, "case %zu: %s", i, err.text);
        cr_assert_eq(table->first_line, cases[i].first_line, "case %zu: %zu", i, table->first_line);
        cr_assert_str_eq(file_row_label(label, table, 1), i == 0   ? "row 1 (line 2)"
                                                          : i == 1 ? "row 1 (line 3)"
                                                          : i == 2 ? "row 1 (line 4)"
                                                                   : "row 1");
        file_table_free(table);
    }
}

#define GAP "rows before hold numbers there; write nan for a missing value"

Test(csv, refuses)
{
    static const struct {
        const char *text;
        file_header header;
        const char *want; /* the whole message */
    } cases[] = {
        {"1,2\n3,x\n", FILE_HEADER_AUTO,
         "x.csv:2: column 1 (counted from 0): 'x' is not a number; " GAP},
        {"a,b\n1,2\n3,x\n", FILE_HEADER_AUTO,
         "x.csv:3: column 1 'b' (counted from 0): 'x' is not a number; " GAP},
        {"a,b\n1,x\n3,4\n", FILE_HEADER_AUTO,
         "x.csv:2: column 1 'b' (counted from 0): 'x' is not a number; leave it out"},
        {"1,2x\n3,4\n", FILE_HEADER_NO,
         "x.csv:1: column 1 (counted from 0): '2x' is not a number; leave it out"},
        {"1\n0x10\n", FILE_HEADER_AUTO,
         "x.csv:2: column 0 (counted from 0): '0x10' is not a number; " GAP},
        {"1\n1e400\n", FILE_HEADER_AUTO,
         "x.csv:2: column 0 (counted from 0): '1e400' is too large for a double"},
        {"a,b\n1,\"2,5\"\n", FILE_HEADER_AUTO,
         "x.csv:2: column 1 'b' (counted from 0): '2,5' is not a number; it has a decimal comma, "
         "or a "
         "thousands separator: write 1234.5"},
        {"a,b\n1,\"1,234.5\"\n", FILE_HEADER_AUTO,
         "x.csv:2: column 1 'b' (counted from 0): '1,234.5' is not a number; take the thousands "
         "separators out"},
        {"a;b\n1,5;2.5\n", FILE_HEADER_AUTO,
         "x.csv:2: column 1 'b' (counted from 0): '2.5' is not a number; fields before have a "
         "decimal "
         "comma"},
        {"a;b\n1.5;2,5\n", FILE_HEADER_AUTO,
         "x.csv:2: column 1 'b' (counted from 0): '2,5' is not a number; it has a decimal comma "
         "where "
         "fields before have a point"},
        {"a,b\n1,2.5D-3\n", FILE_HEADER_AUTO,
         "x.csv:2: column 1 'b' (counted from 0): '2.5D-3' is not a number; write E for D"},
        {"a,b\n1,2.5%\n", FILE_HEADER_AUTO,
         "x.csv:2: column 1 'b' (counted from 0): '2.5%' is not a number; write it without %"},
        {"a,b\n2024-01-31 12:00,1\n", FILE_HEADER_AUTO,
         "x.csv:2: column 0 'a' (counted from 0): '2024-01-31 12:00' is not a number; write dates "
         "and times as numbers, or leave the column out"},
        {"a,b\nTRUE,1\n", FILE_HEADER_AUTO,
         "x.csv:2: column 0 'a' (counted from 0): 'TRUE' is not a number; write 1 and 0 for it, or "
         "leave the column out"},
        {"a,b\n\xe2\x88\x92"
         "1.5,1\n",
         FILE_HEADER_AUTO,
         "x.csv:2: column 0 'a' (counted from 0): '\xe2\x88\x92"
         "1.5' is not a number; it has a typographic minus sign: write -"},
        {"a,b\n$1.5,1\n", FILE_HEADER_AUTO,
         "x.csv:2: column 0 'a' (counted from 0): '$1.5' is not a number; write it without the "
         "sign of a currency"},
        {"a,b\n(1.5),1\n", FILE_HEADER_AUTO,
         "x.csv:2: column 0 'a' (counted from 0): '(1.5)' is not a number; write - in place of "
         "brackets"},
        {"a|b\n1|2\n", FILE_HEADER_AUTO,
         "x.csv:2: column 0 'a|b' (counted from 0): '1|2' is not a number; a table is separated "
         "by commas, semicolons, tabs or blanks, not |"},
        {"a,b\n1,2\na,b\n3,4\n", FILE_HEADER_AUTO,
         "x.csv:3: column 0 'a' (counted from 0): 'a' is not a number; the names come again; take "
         "that line out"},
        {"[{\"a\": 1}]\n", FILE_HEADER_AUTO, "x.csv: is JSON; write its numbers as lines of CSV"},
        {"<!DOCTYPE html>\n", FILE_HEADER_AUTO,
         "x.csv: is a page of HTML; the download may have failed"},
        {"a,b\nm,kg\n1,2\n", FILE_HEADER_AUTO,
         "x.csv:2: column 0 'a' (counted from 0): 'm' is not a number; the line holds words alone; "
         "if "
         "it is no data, take it out"},
        {"0.5,x y,1\n1,2,3\n", FILE_HEADER_AUTO,
         "x.csv:1: names or data? '0.5' is a number, 'x y' is not; header: yes or header: no says "
         "which"},
        {"1,2\n3\n", FILE_HEADER_AUTO, "x.csv:2: 1 field, but the first line has 2"},
        {"1,2\n3,4,5\n", FILE_HEADER_AUTO, "x.csv:2: 3 fields, but the first line has 2"},
        {"a,b\n1,2,\n", FILE_HEADER_AUTO,
         "x.csv:2: 3 fields, but the first line has 2; it ends in a delimiter"},
        {"a,b\n3,2,5\n", FILE_HEADER_AUTO, "x.csv:2: 3 fields, but the first line has 2"},
        {"a,b\n1,2,5\n1,2,5\n", FILE_HEADER_AUTO,
         "x.csv:3: rows have one field more than there are names, and the first does not count the "
         "rows: a name is missing"},
        {"1,2\n\n3,4\n", FILE_HEADER_AUTO, "x.csv:2: the line is empty, but rows follow"},
        {"\n1,2\n", FILE_HEADER_AUTO, "x.csv:1: the first line is empty"},
        {"\xef\xbb\xbf", FILE_HEADER_AUTO, "x.csv:1: the first line is empty"},
        {"# alone\n", FILE_HEADER_AUTO, "x.csv: holds only comments"},
        {"1,2\n\"3,4\n", FILE_HEADER_AUTO, "x.csv:2: field 1: a quote is not closed in its line"},
        {"\"a\nb\",c\n1,2\n", FILE_HEADER_AUTO,
         "x.csv:1: field 1: a quote is not closed in its line"},
        {"1,2\n\"3\"x,4\n", FILE_HEADER_AUTO, "x.csv:2: field 1: text behind a closing quote"},
        {",\n1,2\n", FILE_HEADER_YES, "x.csv:1: no column has a name"},
        {"a,b,a\n1,2,3\n", FILE_HEADER_AUTO,
         "x.csv:1: two columns are named 'a'; rename one, or ask for other columns"},
        {"a,b\x01\n1,2\n", FILE_HEADER_AUTO,
         "x.csv:1: the name of column 1 (counted from 0) holds a control character"},
        {"a,gr\xf6\xdf"
         "e\n1,2\n",
         FILE_HEADER_AUTO,
         "x.csv:1: the name of column 1 (counted from 0) is not UTF-8 (byte 0xf6 at 2); if the "
         "file is "
         "Latin-1, iconv -f latin1 -t utf-8 FILE converts it"},
        {"a,b\r1,2\r3,4\r", FILE_HEADER_AUTO,
         "x.csv:1: has line ends of CR alone; tr '\\r' '\\n' <FILE mends them"},
        {"\xff\xfe"
         "a",
         FILE_HEADER_AUTO, "x.csv: is UTF-16 text; iconv -f utf-16 -t utf-8 FILE converts it"},
        {"\x1f\x8b\x08", FILE_HEADER_AUTO, "x.csv: is compressed by gzip; gunzip it first"},
        {"1\n\x1b[2Jq\n", FILE_HEADER_AUTO,
         "x.csv:2: column 0 (counted from 0): '?[2Jq' is not a number; " GAP},
        {"1\n012345678901234567890123456789012345678901234567890123456789x\n", FILE_HEADER_AUTO,
         "x.csv:2: column 0 (counted from 0): '0123456789012345678901234567890123456789' is not a "
         "number; " GAP},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        flow_err err = FLOW_ERR_INIT;
        cr_assert_null(read_text(cases[i].text, cases[i].header, &err), "case %zu", i);
        cr_assert_eq(err.code, FLOW_EDATA, "case %zu", i);
        cr_assert_str_eq(err.text, cases[i].want, "case %zu: %s", i, err.text);
    }
}

Test(csv, refuses_files)
{
    flow_err err = FLOW_ERR_INIT;
    temp_open();
    cr_assert_null(file_csv_read(temp_path("none.csv"), &all, &err));
    cr_assert_eq(err.code, FLOW_ENOINPUT);
    cr_assert(strstr(err.text, "none.csv: cannot be opened: No such file"), "%s", err.text);
    cr_assert_null(file_csv_read(temp_path("."), &all, &err));
    cr_assert_eq(err.code, FLOW_EIO);
    cr_assert(strstr(err.text, "cannot be read: Is a directory"), "%s", err.text);
    cr_assert_null(file_csv_read(temp_write("x.csv", "", 0), &all, &err));
    cr_assert_eq(err.code, FLOW_EDATA);
    cr_assert(strstr(err.text, "x.csv: is empty"), "%s", err.text);
    cr_assert_null(file_csv_read(temp_write("x.csv",
                                            "1\n2\0"
                                            "3\n",
                                            6),
                                 &all, &err));
    cr_assert_eq(err.code, FLOW_EDATA);
    cr_assert(strstr(err.text, "x.csv:2: holds a zero byte"), "%s", err.text);
    temp_close();
}

/* ---- writing */

static double odd_value(size_t i)
{
    static const double special[] = {INFINITY,  -INFINITY, -0.0,
                                     0x1p-1074, 0.1,       1.7976931348623157e308};
    return i % 7 < 6 ? special[i % 7] : 2.385 * (double)i - 713;
}

enum { ROWS = 1500, COLS = 3, COUNT = ROWS * COLS };

/* More rows than the first two steps of the growing table. */
Test(csv, round_trip_keeps_bits)
{
    static const char *const names[] = {"a", "b \"q\", c", "d;e"};
    static double values[COUNT];
    flow_err err = FLOW_ERR_INIT;
    const char *path = (temp_open(), temp_path("x.csv"));
    for (size_t i = 0; i < COUNT; i++)
        values[i] = odd_value(i);
    cr_assert_eq(file_csv_write(path, values, ROWS, COLS, names, &err), 0, "%s", err.text);
    cr_assert_eq(temp_count(), 1);
    file_table *table = file_csv_read(path, &all, &err);
    cr_assert_not_null(table, "%s", err.text);
    cr_assert_eq(table->rows, ROWS);
    cr_assert_eq(memcmp(table->values, values, sizeof values), 0);
    for (size_t col = 0; col < COLS; col++)
        cr_assert_str_eq(table->names[col], names[col]);
    file_table_free(table);
    temp_close();
}

Test(csv, names_like_data)
{
    static const char *const names[][2] = {
        {"2001", "NA"}, {"#a", "b"}, {"1e3", "-2"}, {"a b", "c d"}};
    flow_err err = FLOW_ERR_INIT;
    const char *path = (temp_open(), temp_path("x.csv"));
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        cr_assert_eq(file_csv_write(path, four, 2, 2, names[i], &err), 0, "%s", err.text);
        file_table *table = file_csv_read(path, &all, &err);
        cr_assert_not_null(table, "%s", err.text);
        cr_assert(table->rows == 2 && table->names, "case %zu", i);
        cr_assert_str_eq(table->names[0], names[i][0]);
        cr_assert_str_eq(table->names[1], names[i][1]);
        file_table_free(table);
    }
    temp_close();
}

Test(csv, a_name_with_the_other_delimiter)
{
    static const char *const names[] = {"d;e"};
    flow_err err = FLOW_ERR_INIT;
    const char *path = (temp_open(), temp_path("x.csv"));
    cr_assert_eq(file_csv_write(path, four, 2, 1, names, &err), 0, "%s", err.text);
    file_table *table = file_csv_read(path, &all, &err);
    cr_assert_not_null(table, "%s", err.text);
    cr_assert(table->rows == 2 && table->cols == 1);
    cr_assert_str_eq(table->names[0], "d;e");
    file_table_free(table);
    temp_close();
}

typedef struct memory {
    FILE *out;
    char *text; /* after the writer was closed */
    size_t size;
} memory;

/* Of two columns without names. */
static file_csv_writer *write_to(memory *self)
{
    flow_err err = FLOW_ERR_INIT;
    self->out = open_memstream(&self->text, &self->size);
    file_csv_writer *writer = file_csv_open_stream(self->out, "stdout", 2, NULL, &err);
    cr_assert_not_null(writer, "%s", err.text);
    return writer;
}

static void forget(memory *self)
{
    fclose(self->out);
    free(self->text);
}

Test(csv, writes_in_pieces)
{
    flow_err err = FLOW_ERR_INIT;
    memory m;
    file_csv_writer *writer = write_to(&m);
    cr_assert_eq(file_csv_append(writer, four, 1, &err), 0);
    cr_assert_eq(file_csv_append(writer, four, 0, &err), 0);
    cr_assert_eq(file_csv_append(writer, four + 2, 1, &err), 0);
    cr_assert_eq(file_csv_close(writer, &err), 0);
    cr_assert_str_eq(m.text, "2.3849999999999998,-0.71299999999999997\n"
                             "9.9999999999999694e-311,-17\n");
    forget(&m);
}

Test(csv, writes_fewer_digits)
{
    flow_err err = FLOW_ERR_INIT;
    memory m;
    file_csv_writer *writer = write_to(&m);
    file_csv_digits(writer, 3);
    cr_assert_eq(file_csv_append(writer, four, 2, &err), 0);
    cr_assert_eq(file_csv_close(writer, &err), 0);
    cr_expect_str_eq(m.text, "2.38,-0.713\n1e-310,-17\n");
    forget(&m);
}

Test(csv, failed_writes_leave_nothing)
{
    flow_err err = FLOW_ERR_INIT;
    temp_open();
    file_csv_writer *writer = file_csv_open(temp_path("x.csv"), 2, NULL, &err);
    cr_assert_not_null(writer, "%s", err.text);
    cr_assert_eq(file_csv_append(writer, four, 2, &err), 0);
    cr_assert_eq(temp_count(), 1);
    file_csv_discard(writer);
    file_csv_discard(NULL);
    cr_assert_eq(temp_count(), 0);
    cr_assert_eq(file_csv_write(temp_path("none/x.csv"), four, 2, 2, NULL, &err), FLOW_ECREATE);
    temp_disk_full(1);
    int code = file_csv_write(temp_path("x.csv"), four, 2, 2, NULL, &err);
    temp_disk_full(0);
    cr_assert_eq(code, FLOW_EIO);
    cr_assert(strstr(err.text, "x.csv: cannot be written: File too large"), "%s", err.text);
    cr_assert_eq(temp_count(), 0);
    FILE *out = fopen("/dev/full", "wb");
    writer = file_csv_open_stream(out, "stdout", 2, NULL, &err);
    cr_assert_eq(file_csv_append(writer, four, 2, &err), 0);
    cr_assert_eq(file_csv_close(writer, &err), FLOW_EIO);
    cr_assert(strstr(err.text, "stdout: cannot be written: the disk is full"), "%s", err.text);
    fclose(out);
    temp_close();
}

/* Numbers have a point in whatever locale the program has chosen. No other locale may be installed
 * where the test runs; then there is nothing to be wrong. */
Test(csv, any_locale)
{
    static const char *const locales[] = {"de_DE.UTF-8", "de_DE.utf8", "fr_FR.UTF-8", "de_DE"};
    flow_err err = FLOW_ERR_INIT;
    for (size_t i = 0; i < 4 && !setlocale(LC_ALL, locales[i]); i++)
        ;
    file_table *table = read_text("2.385,-0.713\n", FILE_HEADER_AUTO, &err);
    cr_assert_not_null(table, "%s", err.text);
    cr_assert_eq(table->values[0], 2.385);
    file_table_free(table);
    const char *path = (temp_open(), temp_path("x.csv"));
    cr_assert_eq(file_csv_write(path, four, 1, 2, NULL, &err), 0);
    char *text = temp_slurp(path, NULL);
    cr_assert_str_eq(text, "2.3849999999999998,-0.71299999999999997\n");
    free(text);
    temp_close();
}
