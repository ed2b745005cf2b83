#include "files/csv_opening.h"

#include <stdlib.h>
#include <string.h>

bool csv_is_comment(const char *line)
{
    return line[strspn(line, " \t")] == '#';
}

static int no_memory(const csv_text *text, flow_err *err)
{
    return flow_fail(err, FLOW_ENOMEM, "%s:%zu: no memory for the line", text->name, text->number);
}

/* ---- reading the lines */

/* The text behind '#', of which the last one is kept. */
static int keep_comment(csv_opening *self, const csv_text *text, flow_err *err)
{
    if (self->lines[0]) {
        self->comments++;
        return FLOW_OK;
    }
    free(self->comment);
    const char *at = strchr(text->line, '#');
    at += strspn(at, "# \t");
    self->comment = strdup(at);
    self->comment_number = text->number;
    return self->comment ? FLOW_OK : no_memory(text, err);
}

/* What spreadsheets put first: the delimiter. */
static bool take_separator(csv_opening *self, const csv_text *text)
{
    const char *line = text->line;
    if (text->number > 1 || strncmp(line, "sep=", 4) != 0 || !line[4] || line[5] ||
        !strchr(",;\t ", line[4]))
        return false;
    self->delimiter = line[4];
    return true;
}

static int keep_line(csv_opening *self, size_t *n, const csv_text *text, flow_err *err)
{
    if (*n == 0 && csv_is_blank(text->line))
        return flow_fail(err, FLOW_EDATA, "%s:%zu: the first line is empty", text->name,
                         text->number);
    self->lines[*n] = strdup(text->line);
    self->numbers[*n] = text->number;
    return self->lines[(*n)++] ? FLOW_OK : no_memory(text, err);
}

static int read_lines(csv_opening *self, csv_text *text, flow_err *err)
{
    size_t n = 0;
    int code = FLOW_OK, got;
    while (!code && n < 2) {
        got = csv_text_next(text, err);
        if (got <= 0)
            return got < 0 ? got
                   : n > 0 ? FLOW_OK
                   : text->number == 0
                       ? flow_fail(err, FLOW_EDATA, "%s: is empty", text->name)
                       : flow_fail(err, FLOW_EDATA, "%s: holds only comments", text->name);
        if (csv_is_comment(text->line))
            code = keep_comment(self, text, err);
        else if (!take_separator(self, text))
            code = keep_line(self, &n, text, err);
    }
    return code;
}

/* ---- judging them. A line that cannot be cut has no fields here; who reads it says why. */

typedef struct cut {
    csv_fields fields;
    char *copy;
} cut;

static int cut_copy(cut *self, const char *line, char delimiter, const csv_text *text,
                    flow_err *err)
{
    *self = (cut){.copy = strdup(line ? line : "")};
    csv_cut result =
        self->copy ? csv_fields_cut(&self->fields, self->copy, delimiter) : CSV_NO_MEMORY;
    if (result != CSV_CUT || !line || csv_is_blank(line))
        self->fields.n = 0;
    return result == CSV_NO_MEMORY ? no_memory(text, err) : FLOW_OK;
}

static void cut_free(cut *self)
{
    free(self->fields.at);
    free(self->copy);
}

/* How many fields are of a kind. */
static size_t count(const csv_fields *fields, csv_kind kind, char delimiter)
{
    size_t n = 0;
    for (size_t i = 0; i < fields->n; i++) {
        double ignored;
        csv_decimals any = {.commas = delimiter == ';'};
        n += csv_parse(&ignored, &any, fields->at[i]) == kind;
    }
    return n;
}

/* Whether the delimiter cuts both lines alike, up to a name of the row; *share: of the fields of the
 * second, how many are numbers. */
static int try_delimiter(bool *fits, double *share, const csv_opening *self, char delimiter,
                         const csv_text *text, flow_err *err)
{
    cut first, second = {{NULL, 0, 0}, NULL};
    int code = cut_copy(&first, self->lines[0], delimiter, text, err);
    if (!code)
        code = cut_copy(&second, self->lines[1], delimiter, text, err);
    size_t a = first.fields.n, b = second.fields.n;
    *fits = !code && b > 1 && (b == a || b == a + 1);
    *share = *fits ? (double)count(&second.fields, CSV_NUMBER, delimiter) / (double)b : 0;
    cut_free(&first);
    cut_free(&second);
    return code;
}

/* By the first line alone: the first of them outside of quotes; blanks only between numbers. */
static char delimiter_of(const char *line)
{
    bool quoted = false, semicolon = false, tab = false;
    for (const char *c = line; *c; c++) {
        quoted ^= *c == '"';
        if (!quoted && *c == ',')
            return ',';
        semicolon |= !quoted && *c == ';';
        tab |= !quoted && *c == '\t';
    }
    bool numbers = strspn(line, " +-.0123456789eE") == strlen(line);
    return semicolon ? ';' : tab ? '\t' : numbers ? ' ' : ',';
}

static int find_delimiter(csv_opening *self, const csv_text *text, flow_err *err)
{
    static const char candidates[] = {',', ';', '\t', ' '};
    double best = -1;
    for (size_t i = 0; i < sizeof candidates; i++) {
        bool fits;
        double share;
        int code = try_delimiter(&fits, &share, self, candidates[i], text, err);
        if (code)
            return code;
        if (fits && share > best) {
            best = share;
            self->delimiter = candidates[i];
        }
    }
    if (best < 0)
        self->delimiter = delimiter_of(self->lines[0]);
    return FLOW_OK;
}

/* 0, 1, 2, ... behind a field without text: what pandas makes of columns without names. */
static bool counts_up(const csv_fields *fields)
{
    if (fields->n < 2 || !csv_is_blank(fields->at[0]))
        return false;
    for (size_t i = 1; i < fields->n; i++)
        if (!csv_is_count(fields->at[i]) || strtoull(fields->at[i], NULL, 10) != i - 1)
            return false;
    return true;
}

static bool all_counts(const csv_fields *fields)
{
    for (size_t i = 0; i < fields->n; i++)
        if (!csv_is_count(fields->at[i]))
            return false;
    return true;
}

/* Whether both lines have text in the same places: a column of words. */
static bool same_kinds(const csv_fields *a, const csv_fields *b)
{
    double ignored;
    csv_decimals any = {.commas = true};
    for (size_t i = 0; i < a->n && i < b->n; i++)
        if ((csv_parse(&ignored, &any, a->at[i]) == CSV_TEXT) !=
            (csv_parse(&ignored, &any, b->at[i]) == CSV_TEXT))
            return false;
    return a->n == b->n;
}

/* Of the numbers among the fields, the first that no column would be named by; NULL: there is none. */
static const char *first_decimal(const csv_fields *fields)
{
    double ignored;
    for (size_t i = 0; i < fields->n; i++) {
        csv_decimals any = {.commas = true};
        if (csv_parse(&ignored, &any, fields->at[i]) == CSV_NUMBER && !csv_is_count(fields->at[i]))
            return fields->at[i];
    }
    return NULL;
}

static const char *first_text(const csv_fields *fields)
{
    double ignored;
    size_t i = 0;
    for (csv_decimals any = {.commas = true};
         i + 1 < fields->n && csv_parse(&ignored, &any, fields->at[i]) != CSV_TEXT; i++)
        ;
    return fields->at[i];
}

static bool is_quoted(const char *line)
{
    return line[strspn(line, " \t")] == '"';
}

/* The line of numbers alone: data, but for the numbers that pandas counts columns by, and for what is
 * quoted above a line that is not. */
static bool numbers_are_names(csv_opening *self, const csv_fields *first, const csv_fields *second)
{
    bool quoted = is_quoted(self->lines[0]) && self->lines[1] && !is_quoted(self->lines[1]);
    if (quoted || counts_up(first))
        return true;
    if (first->n > 1 && all_counts(first) && second->n == first->n && !all_counts(second))
        self->doubt = CSV_TAKEN_AS_DATA;
    return false;
}

static int is_header(bool *header, csv_opening *self, const csv_fields *first,
                     const csv_fields *second, const csv_text *text, flow_err *err)
{
    size_t texts = count(first, CSV_TEXT, self->delimiter);
    size_t numbers = count(first, CSV_NUMBER, self->delimiter);
    const char *decimal = first_decimal(first);
    *header = texts > 0;
    if (texts == 0) {
        *header = numbers_are_names(self, first, second);
    } else if (numbers > 0 && same_kinds(first, second)) {
        *header = false; /* a column of words */
    } else if (numbers > 0 && decimal) {
        return flow_fail(err, FLOW_EDATA,
                         "%s:%zu: names or data? '%.40s' is a number, '%.40s' is not; header: yes "
                         "or header: no says which",
                         text->name, self->numbers[0], decimal, first_text(first));
    } else if (numbers > 0) {
        self->doubt = CSV_TAKEN_AS_NAMES;
    }
    return FLOW_OK;
}

/* A comment of as many words as there are columns, right above numbers, as NumPy writes names. */
static int names_in_comment(csv_opening *self, const csv_text *text, flow_err *err)
{
    cut comment;
    if (!self->comment)
        return FLOW_OK;
    int code = cut_copy(&comment, self->comment, self->delimiter, text, err);
    size_t n = comment.fields.n;
    bool words = n == 1 ? !strpbrk(self->comment, " \t") : n > 0;
    if (!code && n == self->n_columns && words &&
        count(&comment.fields, CSV_TEXT, self->delimiter) == n) {
        self->names = self->comment;
        self->names_number = self->comment_number;
        self->doubt = CSV_NAMES_IN_COMMENT;
    }
    cut_free(&comment);
    return code;
}

/* A row of one field more than there are names, and the first field the name of a row. An empty last
 * one is a delimiter too many. */
static bool has_row_names(const csv_opening *self, const csv_fields *second)
{
    double ignored;
    csv_decimals any = {.commas = true};
    if (second->n != self->n_columns + 1 || csv_is_blank(second->at[second->n - 1]))
        return false;
    const char *name = second->at[0];
    return is_quoted(self->lines[1]) || csv_parse(&ignored, &any, name) == CSV_TEXT ||
           (csv_is_count(name) && strtoull(name, NULL, 10) <= 1);
}

static int find_names(csv_opening *self, const csv_fields *first, const csv_fields *second,
                      file_header header, const csv_text *text, flow_err *err)
{
    bool named = header == FILE_HEADER_YES;
    int code = header == FILE_HEADER_AUTO ? is_header(&named, self, first, second, text, err) : 0;
    bool words = count(first, CSV_TEXT, self->delimiter) > 0;
    if (!code && header != FILE_HEADER_NO && !words)
        code = names_in_comment(self, text, err);
    if (code || self->names || !named)
        return code;
    self->names = self->lines[0];
    self->names_number = self->numbers[0];
    self->row_names = has_row_names(self, second);
    return FLOW_OK;
}

static int judge(csv_opening *self, const csv_text *text, file_header header, flow_err *err)
{
    cut first, second = {{NULL, 0, 0}, NULL};
    int code = self->delimiter ? FLOW_OK : find_delimiter(self, text, err);
    if (code)
        return code;
    self->decimals.commas = self->delimiter == ';';
    code = cut_copy(&first, self->lines[0], self->delimiter, text, err);
    if (!code)
        code = cut_copy(&second, self->lines[1], self->delimiter, text, err);
    self->n_columns = first.fields.n;
    if (!code && first.fields.n > 0)
        code = find_names(self, &first.fields, &second.fields, header, text, err);
    cut_free(&first);
    cut_free(&second);
    return code;
}

int csv_opening_read(csv_opening *self, csv_text *text, file_header header, flow_err *err)
{
    *self = (csv_opening){.names = NULL};
    int code = read_lines(self, text, err);
    self->last_number = text->number;
    return code ? code : judge(self, text, header, err);
}

void csv_opening_free(csv_opening *self)
{
    free(self->lines[0]);
    free(self->lines[1]);
    free(self->comment);
}
