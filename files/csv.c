#include "files/csv.h"

#include "files/atomic.h"
#include "files/utf8.h"

#include <errno.h>
#include <locale.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* The "C" locale for this thread, so that 0.5 is read and written with a point in a program that
 * has chosen another one. */
typedef struct c_locale {
    locale_t mine, before;
} c_locale;

static c_locale c_locale_enter(void)
{
    c_locale self = {newlocale(LC_ALL_MASK, "C", (locale_t)0), (locale_t)0};
    if (self.mine)
        self.before = uselocale(self.mine);
    return self;
}

static void c_locale_leave(c_locale self)
{
    if (!self.mine)
        return;
    uselocale(self.before);
    freelocale(self.mine);
}

/* ---- lines and fields */

typedef struct reader {
    FILE *in;
    const char *name;
    char delimiter;
    char *line; /* the current line; fields point into it */
    size_t line_size;
    size_t number; /* of the line, from 1 */
    char **fields;
    size_t n_fields, fields_room;
    file_table *table;
    size_t room; /* rows that table->values can hold */
} reader;

/* Reads a line without its ending. 1: there is one; 0: end of file; else an error. */
static int read_line(reader *self, flow_err *err)
{
    errno = 0;
    ssize_t len = getline(&self->line, &self->line_size, self->in);
    if (len < 0 && feof(self->in))
        return 0;
    self->number++;
    if (len < 0)
        return flow_fail(err, FLOW_EIO, "%s:%zu: cannot be read: %s", self->name, self->number,
                         strerror(errno));
    if (strlen(self->line) != (size_t)len)
        return flow_fail(err, FLOW_EDATA, "%s:%zu: holds a zero byte: not a text file", self->name,
                         self->number);
    if (len > 0 && self->line[len - 1] == '\n')
        self->line[--len] = '\0';
    if (len > 0 && self->line[len - 1] == '\r')
        self->line[--len] = '\0';
    return 1;
}

/* "FILE:LINE: column C (NAME): what", columns counted from 1. */
static int fail_at(const reader *self, size_t col, flow_err *err, const char *what)
{
    const file_table *table = self->table;
    bool named = table && table->names && col < table->cols;
    int code = flow_fail(err, FLOW_EDATA, "%s:%zu: column %zu%s%.80s%s: %s", self->name,
                         self->number, col + 1, named ? " (" : "", named ? table->names[col] : "",
                         named ? ")" : "", what);
    for (char *c = err ? err->text : NULL; c && *c; c++) /* the file's text may be anything */
        if ((unsigned char)*c < ' ' || *c == 0x7f)
            *c = '?';
    return code;
}

static int add_field(reader *self, char *field, flow_err *err)
{
    if (self->n_fields == self->fields_room) {
        size_t room = self->fields_room ? 2 * self->fields_room : 64;
        char **fields = realloc(self->fields, room * sizeof *fields);
        if (!fields)
            return flow_fail(err, FLOW_ENOMEM, "%s:%zu: no memory for %zu fields", self->name,
                             self->number, room);
        self->fields = fields;
        self->fields_room = room;
    }
    self->fields[self->n_fields++] = field;
    return FLOW_OK;
}

/* Takes the quotes off the field that starts at `at`, in place; returns what follows the closing
 * quote, or NULL if there is none. Two quotes stand for one (RFC 4180). */
static char *unquote(char *at)
{
    char *to = at, *from = at + 1;
    for (;; from++) {
        if (*from == '\0')
            return NULL;
        if (*from == '"' && *++from != '"')
            break;
        *to++ = *from;
    }
    *to = '\0';
    return from;
}

/* Cuts the line into fields. */
static int split(reader *self, flow_err *err)
{
    self->n_fields = 0;
    for (char *at = self->line, *end; at; at = end ? end + 1 : NULL) {
        int code = add_field(self, at, err);
        if (code)
            return code;
        if (*at != '"') {
            end = strchr(at, self->delimiter);
        } else {
            end = unquote(at);
            if (!end || (*end && *end != self->delimiter))
                return fail_at(self, self->n_fields - 1, err,
                               end ? "text behind a closing quote" : "a quote is not closed");
            end = *end ? end : NULL;
        }
        if (end)
            *end = '\0';
    }
    return FLOW_OK;
}

static bool is_blank(const char *line)
{
    return line[strspn(line, " \t")] == '\0';
}

/* Comma if there is one outside quotes, else semicolon, else tab. */
static char find_delimiter(const char *line)
{
    bool quoted = false, semicolon = false;
    for (; *line; line++) {
        quoted ^= *line == '"';
        if (!quoted && *line == ',')
            return ',';
        semicolon |= !quoted && *line == ';';
    }
    return semicolon ? ';' : '\t';
}

/* ---- numbers */

typedef enum number_kind { NUMBER_GOOD, NUMBER_EMPTY, NUMBER_TEXT, NUMBER_RANGE } number_kind;

/* A decimal number, nan or inf, with spaces around it; no hexadecimal. */
static number_kind parse_number(const char *field, double *value)
{
    char *end;
    field += strspn(field, " \t");
    if (!*field)
        return NUMBER_EMPTY;
    errno = 0;
    *value = strtod(field, &end);
    if (end == field || !is_blank(end) || strpbrk(field, "xX"))
        return NUMBER_TEXT;
    return errno == ERANGE && isinf(*value) ? NUMBER_RANGE : NUMBER_GOOD;
}

static int fail_number(const reader *self, size_t col, number_kind kind, flow_err *err)
{
    const char *field = self->fields[col];
    char what[160];
    if (kind == NUMBER_EMPTY)
        return fail_at(self, col, err, "the field is empty; write nan for a missing value");
    bool comma = strchr(field, ',') != NULL;
    snprintf(what, sizeof what, "'%.40s' is %s%s", field,
             kind == NUMBER_RANGE ? "too large for a double" : "not a number",
             comma ? "; decimals want a point, not a comma" : "");
    return fail_at(self, col, err, what);
}

/* ---- the table */

static int parse_row(reader *self, flow_err *err)
{
    file_table *table = self->table;
    if (self->n_fields != table->cols)
        return flow_fail(err, FLOW_EDATA, "%s:%zu: %zu fields, but the first line has %zu",
                         self->name, self->number, self->n_fields, table->cols);
    if (table->rows == self->room) {
        size_t room = self->room ? 2 * self->room : 256, bytes;
        double *values = NULL;
        if (!__builtin_mul_overflow(room, table->cols * sizeof *values, &bytes))
            values = realloc(table->values, bytes);
        if (!values)
            return flow_fail(err, FLOW_ENOMEM, "%s:%zu: no memory for %zu rows", self->name,
                             self->number, room);
        table->values = values;
        self->room = room;
    }
    double *row = table->values + table->rows * table->cols;
    for (size_t col = 0; col < table->cols; col++) {
        number_kind kind = parse_number(self->fields[col], &row[col]);
        if (kind != NUMBER_GOOD)
            return fail_number(self, col, kind, err);
    }
    table->rows++;
    return FLOW_OK;
}

static bool looks_like_header(const reader *self)
{
    double ignored;
    for (size_t col = 0; col < self->n_fields; col++)
        if (parse_number(self->fields[col], &ignored) == NUMBER_TEXT)
            return true;
    return false;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The same name twice would make a column impossible to ask for. Sorts the fields. */
static int check_unique(reader *self, flow_err *err)
{
    qsort(self->fields, self->n_fields, sizeof *self->fields, by_text);
    for (size_t i = 1; i < self->n_fields; i++)
        if (strcmp(self->fields[i - 1], self->fields[i]) == 0)
            return flow_fail(err, FLOW_EDATA, "%s:%zu: two columns are named '%.80s'", self->name,
                             self->number, self->fields[i]);
    return FLOW_OK;
}

static char *trim(char *text)
{
    text += strspn(text, " \t");
    size_t len = strlen(text);
    while (len > 0 && (text[len - 1] == ' ' || text[len - 1] == '\t'))
        text[--len] = '\0';
    return text;
}

static int parse_names(reader *self, flow_err *err)
{
    for (size_t col = 0; col < self->n_fields; col++) {
        char *name = self->fields[col] = trim(self->fields[col]);
        if (!*name)
            return fail_at(self, col, err, "has no name in the header");
        for (char *c = name; *c; c++)
            if ((unsigned char)*c < ' ' || *c == 0x7f)
                return fail_at(self, col, err, "its name holds a control character");
        char why[UTF8_COMPLAINT];
        if (utf8_complaint(why, name, self->name))
            return fail_at(self, col, err, why);
    }
    int code = file_table_set_names(self->table, (const char *const *)self->fields, err);
    return code ? code : check_unique(self, err);
}

/* The line decides the delimiter, the number of columns and whether it is a header. */
static int first_line(reader *self, file_header header, flow_err *err)
{
    static const char mark[] = "\xef\xbb\xbf";
    if (strncmp(self->line, mark, 3) == 0)
        memmove(self->line, self->line + 3, strlen(self->line + 3) + 1);
    if (is_blank(self->line))
        return flow_fail(err, FLOW_EDATA, "%s:1: the first line is empty", self->name);
    self->delimiter = find_delimiter(self->line);
    int code = split(self, err);
    if (code)
        return code;
    self->table = file_table_create(0, self->n_fields, err);
    if (!self->table)
        return FLOW_ENOMEM;
    if (header == FILE_HEADER_YES || (header == FILE_HEADER_AUTO && looks_like_header(self)))
        return parse_names(self, err);
    return parse_row(self, err);
}

static int other_lines(reader *self, flow_err *err)
{
    size_t blank = 0; /* number of the first empty line */
    int code;
    while ((code = read_line(self, err)) > 0) {
        if (is_blank(self->line)) {
            blank = blank ? blank : self->number;
            continue;
        }
        if (blank)
            return flow_fail(err, FLOW_EDATA, "%s:%zu: the line is empty, but rows follow",
                             self->name, blank);
        code = split(self, err);
        if (!code)
            code = parse_row(self, err);
        if (code)
            return code;
    }
    return code;
}

static int read_table(reader *self, file_header header, bool head, flow_err *err)
{
    int code = read_line(self, err);
    if (code == 0)
        return flow_fail(err, FLOW_EDATA, "%s: is empty", self->name);
    if (code > 0)
        code = first_line(self, header, err);
    if (code || !head)
        return code ? code : other_lines(self, err);
    self->table->rows = 0;
    return FLOW_OK;
}

/* head: only the first line. */
static file_table *read_stream(FILE *in, const char *name, file_header header, bool head,
                               flow_err *err)
{
    reader self = {.in = in, .name = name};
    c_locale locale = c_locale_enter();
    int code = read_table(&self, header, head, err);
    c_locale_leave(locale);
    free(self.line);
    free(self.fields);
    if (!code)
        return self.table;
    file_table_free(self.table);
    return NULL;
}

file_table *file_csv_read_stream(FILE *in, const char *name, file_header header, flow_err *err)
{
    return read_stream(in, name, header, false, err);
}

static file_table *read_path(const char *path, file_header header, bool head, flow_err *err)
{
    FILE *in = fopen(path, "rb");
    if (!in) {
        flow_fail(err, FLOW_ENOINPUT, "%s: cannot be opened: %s", path, strerror(errno));
        return NULL;
    }
    file_table *table = read_stream(in, path, header, head, err);
    fclose(in);
    return table;
}

file_table *file_csv_read(const char *path, file_header header, flow_err *err)
{
    return read_path(path, header, false, err);
}

file_table *file_csv_read_head(const char *path, file_header header, flow_err *err)
{
    return read_path(path, header, true, err);
}

/* ---- writing */

struct file_csv_writer {
    file_atomic *file; /* NULL: a stream of the caller */
    FILE *out;
    char *name;
    size_t cols;
};

static void write_name(FILE *out, const char *name)
{
    if (!strpbrk(name, ",;\"")) {
        fputs(name, out);
        return;
    }
    putc('"', out);
    for (; *name; name++) {
        if (*name == '"')
            putc('"', out);
        putc(*name, out);
    }
    putc('"', out);
}

static int check_stream(const file_csv_writer *self, flow_err *err)
{
    if (!ferror(self->out))
        return FLOW_OK;
    return flow_fail(err, FLOW_EIO, "%s: cannot be written: %s", self->name,
                     strerror(errno ? errno : EIO));
}

static file_csv_writer *writer_create(const char *path, FILE *out, const char *name, size_t cols,
                                      const char *const *names, flow_err *err)
{
    if (cols == 0) {
        flow_fail(err, FLOW_EUSAGE, "%s: a table wants columns", name);
        return NULL;
    }
    file_csv_writer *self = calloc(1, sizeof *self);
    if (self)
        self->name = strdup(name);
    if (!self || !self->name) {
        flow_fail(err, FLOW_ENOMEM, "%s: no memory to write it", name);
        goto fail;
    }
    self->cols = cols;
    if (path && !(self->file = file_atomic_open(path, err)))
        goto fail;
    self->out = path ? file_atomic_file(self->file) : out;
    for (size_t col = 0; names && col < cols; col++) {
        write_name(self->out, names[col]);
        putc(col + 1 < cols ? ',' : '\n', self->out);
    }
    if (check_stream(self, err) == FLOW_OK)
        return self;
fail:
    file_csv_discard(self);
    return NULL;
}

file_csv_writer *file_csv_open(const char *path, size_t cols, const char *const *names,
                               flow_err *err)
{
    return writer_create(path, NULL, path, cols, names, err);
}

file_csv_writer *file_csv_open_stream(FILE *out, const char *name, size_t cols,
                                      const char *const *names, flow_err *err)
{
    return writer_create(NULL, out, name, cols, names, err);
}

int file_csv_append(file_csv_writer *self, const double *values, size_t n, flow_err *err)
{
    c_locale locale = c_locale_enter();
    for (size_t i = 0; i < n * self->cols; i++)
        fprintf(self->out, (i + 1) % self->cols ? "%.17g," : "%.17g\n", values[i]);
    c_locale_leave(locale);
    return check_stream(self, err);
}

void file_csv_discard(file_csv_writer *self)
{
    if (!self)
        return;
    file_atomic_discard(self->file);
    free(self->name);
    free(self);
}

int file_csv_close(file_csv_writer *self, flow_err *err)
{
    int code;
    if (self->file) {
        code = file_atomic_commit(self->file, err);
        self->file = NULL;
    } else {
        errno = 0;
        (void)!fflush(self->out); /* sets the stream's error flag */
        code = check_stream(self, err);
    }
    file_csv_discard(self);
    return code;
}

int file_csv_write(const char *path, const double *values, size_t rows, size_t cols,
                   const char *const *names, flow_err *err)
{
    file_csv_writer *writer = file_csv_open(path, cols, names, err);
    if (!writer)
        return err ? err->code : FLOW_ECREATE;
    int code = file_csv_append(writer, values, rows, err);
    if (code) {
        file_csv_discard(writer);
        return code;
    }
    return file_csv_close(writer, err);
}
