#include "files/csv.h"

#include "files/c_locale.h"
#include "files/csv_opening.h"
#include "files/spool.h"
#include "files/stream_source.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

typedef struct reader {
    csv_text text;
    csv_opening opening;
    csv_fields fields;
    const file_wish *wish;
    file_table *table;
    file_spool *spool; /* where rows go; NULL: into the table */
    double *row;       /* (table->cols), if they go into a spool */
    size_t *slots;     /* (n_columns) of the table, for each column of the file */
    size_t n_columns;  /* of the file, names of rows left out */
    size_t room;       /* rows that table->values can hold */
    size_t blank;      /* number of the first empty line; 0: there was none */
    double first_name; /* of the rows, if they are named by numbers; else -1 */
} reader;

/* ---- messages */

/* "FILE:LINE: column C 'NAME' (counted from 0): what"; col is that of the file. */
static int fail_at(const reader *self, size_t col, flow_err *err, const char *what)
{
    char label[FILE_LABEL_SIZE];
    bool kept = self->slots && self->slots[col] != FILE_UNWANTED;
    static const file_table nameless;
    file_column_label(label, kept ? self->table : &nameless, kept ? self->slots[col] : col);
    return flow_fail(err, FLOW_EDATA, "%s:%zu: %s: %s", self->text.name, self->text.number, label,
                     what);
}

static int fail_line(const reader *self, flow_err *err, const char *what)
{
    return flow_fail(err, FLOW_EDATA, "%s:%zu: %s", self->text.name, self->text.number, what);
}

static int no_memory(const reader *self, flow_err *err)
{
    return flow_fail(err, FLOW_ENOMEM, "%s:%zu: no memory for its fields", self->text.name,
                     self->text.number);
}

/* ---- a row */

static int cut(reader *self, char *line, flow_err *err)
{
    csv_cut result = csv_fields_cut(&self->fields, line, self->opening.delimiter);
    if (result == CSV_CUT)
        return FLOW_OK;
    if (result == CSV_NO_MEMORY)
        return no_memory(self, err);
    char what[80];
    snprintf(what, sizeof what, "field %zu: %s", self->fields.n,
             result == CSV_OPEN_QUOTE ? "a quote is not closed in its line"
                                      : "text behind a closing quote");
    return fail_line(self, err, what);
}

static int grow(reader *self, flow_err *err)
{
    file_table *table = self->table;
    size_t room = self->room ? 2 * self->room : 256, bytes;
    double *values = NULL;
    if (!__builtin_mul_overflow(room, table->cols * sizeof *values, &bytes))
        values = realloc(table->values, bytes);
    if (!values)
        return flow_fail(err, FLOW_ENOMEM, "%s:%zu: no memory for %zu rows", self->text.name,
                         self->text.number, room);
    table->values = values;
    self->room = room;
    return FLOW_OK;
}

static int fail_count(const reader *self, flow_err *err)
{
    size_t skip = self->opening.row_names;
    size_t n = self->fields.n > skip ? self->fields.n - skip : 0;
    bool over = n == self->n_columns + 1 && !*self->fields.at[self->fields.n - 1];
    char what[160];
    snprintf(what, sizeof what, "%zu field%s, but the first line has %zu%s", n, n == 1 ? "" : "s",
             self->n_columns, over ? "; it ends in a delimiter" : "");
    return fail_line(self, err, what);
}

static bool all_words(const reader *self)
{
    double ignored;
    bool words = true;
    for (size_t i = 0; i < self->fields.n; i++) {
        csv_decimals decimals = self->opening.decimals;
        words &= csv_parse(&ignored, &decimals, self->fields.at[i]) == CSV_TEXT;
    }
    return words;
}

/* What helps depends on where the text stands: a line of words, a column of words, or one word. */
static const char *remedy_of(const reader *self)
{
    if (self->table->rows > 0)
        return "rows before hold numbers there; write nan for a missing value";
    if (self->n_columns > 1 && all_words(self))
        return "the line holds words alone; if it is no data, take it out";
    return self->wish->remedy;
}

/* The line that names the columns, once more. */
static bool repeats_name(const reader *self, size_t col, const char *field)
{
    char **names = self->table->names;
    return names && self->slots[col] != FILE_UNWANTED &&
           strcmp(names[self->slots[col]], field) == 0;
}

static int fail_number(const reader *self, size_t col, const char *field, csv_kind kind,
                       flow_err *err)
{
    char what[320];
    const char *remedy = kind == CSV_TEXT ? remedy_of(self) : NULL;
    if (remedy && repeats_name(self, col, field))
        remedy = "the names come again; take that line out";
    csv_complain(what, sizeof what, &self->opening.decimals, field, kind);
    if (remedy && !csv_has_remedy(&self->opening.decimals, field))
        snprintf(what + strlen(what), sizeof what - strlen(what), "; %s", remedy);
    return fail_at(self, col, err, what);
}

/* Names of rows that are numbers count up; anything else was a column that has no name. */
static int check_row_name(reader *self, flow_err *err)
{
    const char *name = self->fields.at[0];
    if (self->table->rows == 0)
        self->first_name = csv_is_count(name) ? strtod(name, NULL) : -1;
    if (self->first_name < 0 || strtod(name, NULL) == self->first_name + (double)self->table->rows)
        return FLOW_OK;
    return fail_line(self, err,
                     "rows have one field more than there are names, and the first does not count "
                     "the rows: a name is missing");
}

static int parse_row(reader *self, flow_err *err)
{
    file_table *table = self->table;
    size_t skip = self->opening.row_names;
    if (self->fields.n != self->n_columns + skip)
        return fail_count(self, err);
    int code = skip ? check_row_name(self, err) : FLOW_OK;
    if (!code && !self->spool && table->rows == self->room)
        code = grow(self, err);
    if (code)
        return code;
    double *row = self->spool ? self->row : table->values + table->rows * table->cols;
    for (size_t col = 0; col < self->n_columns; col++) {
        size_t slot = self->slots[col];
        if (slot == FILE_UNWANTED)
            continue;
        const char *field = self->fields.at[col + skip];
        csv_kind kind = csv_parse(&row[slot], &self->opening.decimals, field);
        if (kind == CSV_TEXT || kind == CSV_RANGE)
            return fail_number(self, col, field, kind, err);
    }
    table->rows++;
    return self->spool ? file_spool_append(self->spool, row, table->cols, err) : FLOW_OK;
}

/* Whether row i is still line first_line + i. */
static void note_line(reader *self)
{
    file_table *table = self->table;
    if (table->rows == 0)
        table->first_line = self->text.number;
    else if (table->first_line + table->rows != self->text.number)
        table->first_line = 0;
}

static int read_line(reader *self, char *line, flow_err *err)
{
    if (csv_is_comment(line)) {
        self->opening.comments++;
        return FLOW_OK;
    }
    if (csv_is_blank(line)) {
        self->blank = self->blank ? self->blank : self->text.number;
        return FLOW_OK;
    }
    if (self->blank) {
        self->text.number = self->blank;
        return fail_line(self, err, "the line is empty, but rows follow");
    }
    int code = cut(self, line, err);
    if (code)
        return code;
    note_line(self);
    return parse_row(self, err);
}

/* ---- the table */

static char *trim(char *text)
{
    text += strspn(text, " \t");
    size_t len = strlen(text);
    while (len > 0 && (text[len - 1] == ' ' || text[len - 1] == '\t'))
        text[--len] = '\0';
    return text;
}

static void note_doubt(file_table *table, csv_doubt doubt, const csv_opening *opening)
{
    if (doubt == CSV_NAMES_IN_COMMENT)
        file_table_note(table, "names are those in the comment of line %zu", opening->names_number);
    else if (doubt == CSV_TAKEN_AS_DATA)
        file_table_note(
            table, "line %zu is taken as data, though it could be names; header: yes makes it so",
            opening->numbers[0]);
    else if (doubt == CSV_TAKEN_AS_NAMES)
        file_table_note(
            table, "line %zu is taken as names, though it holds numbers; header: no makes it data",
            opening->numbers[0]);
    if (opening->row_names)
        file_table_note(table, "the names of the rows are left out");
}

/* Names from their line, which is cut. */
static int name_columns(reader *self, flow_err *err)
{
    for (size_t col = 0; col < self->fields.n; col++)
        self->fields.at[col] = trim(self->fields.at[col]);
    return file_table_set_names(self->table, (const char *const *)self->fields.at, err);
}

/* A table of no rows with all columns of the file, and their names. */
static int start_table(reader *self, flow_err *err)
{
    const csv_opening *opening = &self->opening;
    char *names = opening->names;
    self->text.number = names ? opening->names_number : opening->numbers[0];
    self->n_columns = opening->n_columns;
    int code = FLOW_OK;
    if (names || self->n_columns == 0) /* no columns: the first line cannot be cut; that says why */
        code = cut(self, names ? names : opening->lines[0], err);
    if (code)
        return code;
    self->table = file_table_create(0, self->n_columns, err);
    if (!self->table)
        return FLOW_ENOMEM;
    note_doubt(self->table, opening->doubt, opening);
    return names ? name_columns(self, err) : FLOW_OK;
}

static int choose_columns(reader *self, flow_err *err)
{
    char where[512];
    snprintf(where, sizeof where, "%s:%zu", self->text.name, self->text.number);
    return file_wish_apply(self->wish, &self->slots, self->table, where, err);
}

/* The lines that were looked at ahead, then all others. */
static int read_rows(reader *self, flow_err *err)
{
    csv_opening *opening = &self->opening;
    int code = FLOW_OK;
    for (size_t i = opening->names == opening->lines[0]; i < 2 && opening->lines[i] && !code; i++) {
        self->text.number = opening->numbers[i];
        code = read_line(self, opening->lines[i], err);
    }
    self->text.number = opening->last_number;
    while (!code && (code = csv_text_next(&self->text, err)) > 0)
        code = read_line(self, self->text.line, err);
    if (opening->comments > 0)
        file_table_note(self->table, "lines left out that start with #, below the first: %zu",
                        opening->comments);
    if (opening->decimals.mark == ',')
        file_table_note(self->table, "decimals are read with commas");
    return code;
}

/* A row of what is put by. */
static int take_row(reader *self, flow_err *err)
{
    if (!self->spool)
        return FLOW_OK;
    self->row = calloc(self->table->cols, sizeof *self->row);
    return self->row ? FLOW_OK : no_memory(self, err);
}

static int read_table(reader *self, flow_err *err)
{
    int code = csv_opening_read(&self->opening, &self->text, self->wish->header, err);
    if (!code)
        code = start_table(self, err);
    if (!code)
        code = choose_columns(self, err);
    if (!code)
        code = take_row(self, err);
    return code || self->wish->head ? code : read_rows(self, err);
}

/* The file's text may be anything; a message is one line. */
static void sanitize(flow_err *err)
{
    for (char *c = err ? err->text : NULL; c && *c; c++)
        if ((unsigned char)*c < ' ' || *c == 0x7f)
            *c = '?';
}

/* Into the table, or, with a spool, into that; the table then has no values. */
static file_table *read_all(FILE *in, const char *name, const file_wish *wish, file_spool *spool,
                            flow_err *err)
{
    reader self = {.text = {.in = in, .name = name}, .wish = wish, .spool = spool};
    c_locale locale = c_locale_enter();
    int code = read_table(&self, err);
    c_locale_leave(locale);
    csv_opening_free(&self.opening);
    free(self.text.line);
    free(self.fields.at);
    free(self.slots);
    free(self.row);
    if (!code)
        return self.table;
    sanitize(err);
    file_table_free(self.table);
    return NULL;
}

file_table *file_csv_read_stream(FILE *in, const char *name, const file_wish *wish, flow_err *err)
{
    return read_all(in, name, wish, NULL, err);
}

static file_table *read_path(const char *path, const file_wish *wish, file_spool *spool,
                             flow_err *err)
{
    FILE *in = fopen(path, "rb");
    if (!in) {
        flow_fail(err, FLOW_ENOINPUT, "%s: cannot be opened: %s", path, strerror(errno));
        return NULL;
    }
    file_table *table = read_all(in, path, wish, spool, err);
    fclose(in);
    return table;
}

file_table *file_csv_read(const char *path, const file_wish *wish, flow_err *err)
{
    return read_path(path, wish, NULL, err);
}

file_stream *file_csv_stream(const char *path, const file_wish *wish, flow_err *err)
{
    file_spool *spool = file_spool_create(err);
    file_table *head = spool ? read_path(path, wish, spool, err) : NULL;
    if (!head) {
        file_spool_free(spool);
        return NULL;
    }
    const stream_source source = stream_source_of_spool(spool, head->rows, head->cols);
    return file_stream_create(head, &source, err);
}
