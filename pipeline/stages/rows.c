#include "pipeline/stages/rows.h"

#include "pipeline/console/notice.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Rows in which a column was found: how many, and the first. */
typedef struct finding {
    size_t count, row, i; /* i: of the wanted columns */
    double value;
} finding;

struct rows_columns {
    const file_table *table;
    const char *source;
    rows_wanted wanted;
    size_t *cols;     /* (wanted.n) columns of the table */
    bool by_position; /* and not by name */
    size_t seen;      /* rows that were looked at */
    finding broken, far;
};
typedef rows_columns job;

rows_wanted rows_of_data(const flow_model *model)
{
    return (rows_wanted){.names = model->names,
                         .others = model->context_names,
                         .ranges = model->ranges,
                         .units = model->units,
                         .n = flow_dim(model->flow)};
}

rows_wanted rows_of_context(const flow_model *model)
{
    return (rows_wanted){.names = model->context_names,
                         .others = model->names,
                         .ranges = model->context_ranges,
                         .units = model->context_units,
                         .n = flow_context(model->flow)};
}

/* ---- names */

static const char *name_at(const json_t *names, size_t i)
{
    return json_string_value(json_array_get(names, i));
}

static bool is_among(const json_t *names, const char *name)
{
    for (size_t i = 0; i < json_array_size(names); i++)
        if (strcmp(name_at(names, i), name) == 0)
            return true;
    return false;
}

/* The column of that name, or table->cols. */
static size_t column_of(const file_table *table, const char *name)
{
    size_t col = 0;
    while (table->names && col < table->cols && strcmp(table->names[col], name) != 0)
        col++;
    return table->names ? col : table->cols;
}

/* A list of names for a message, cut off after a few: "'a', 'b' and 7 more". */
typedef struct listing {
    char text[400];
    size_t n;
} listing;

enum { LISTED = 4 };

static void list(listing *self, const char *name)
{
    size_t used = strlen(self->text);
    if (self->n++ < LISTED)
        snprintf(self->text + used, sizeof self->text - used, "%s'%.60s'", used ? ", " : "", name);
}

static const char *listed(listing *self)
{
    size_t used = strlen(self->text);
    if (self->n > LISTED)
        snprintf(self->text + used, sizeof self->text - used, " and %zu more", self->n - LISTED);
    return self->text;
}

static listing list_all(const json_t *names)
{
    listing out = {.n = 0};
    for (size_t i = 0; i < json_array_size(names); i++)
        list(&out, name_at(names, i));
    return out;
}

/* "x0", "x17": what a column is called whose table has no names (teacher/columns.h). */
static bool is_made_up(const char *name)
{
    return name[0] == 'x' && name[1] && strspn(name + 1, "0123456789") == strlen(name + 1);
}

/* The table has names, and not one is the model's, whose own are made up. */
static bool speaks_otherwise(const job *self)
{
    for (size_t i = 0; i < self->wanted.n; i++) {
        const char *name = name_at(self->wanted.names, i);
        if (!is_made_up(name) || column_of(self->table, name) < self->table->cols)
            return false;
    }
    return true;
}

bool rows_are_named(const file_table *table, const rows_wanted *wanted)
{
    for (size_t i = 0; i < wanted->n; i++)
        if (column_of(table, name_at(wanted->names, i)) == table->cols)
            return false;
    return true;
}

/* ---- matching */

static int by_position(job *self, flow_err *err)
{
    size_t n = self->wanted.n;
    listing all = list_all(self->wanted.names);
    self->by_position = true;
    if (self->table->cols != n)
        return flow_fail(err, FLOW_EDATA, "%s: %zu columns, the model wants %zu: %s", self->source,
                         self->table->cols, n, listed(&all));
    for (size_t i = 0; i < n; i++)
        self->cols[i] = i;
    return 0;
}

static int refuse_missing(const job *self, flow_err *err)
{
    listing missing = {.n = 0}, there = {.n = 0};
    for (size_t i = 0; i < self->wanted.n; i++)
        if (column_of(self->table, name_at(self->wanted.names, i)) == self->table->cols)
            list(&missing, name_at(self->wanted.names, i));
    if (missing.n == 0)
        return 0;
    for (size_t col = 0; col < self->table->cols; col++)
        list(&there, self->table->names[col]);
    return flow_fail(err, FLOW_EDATA, "%s: there is no column %s; its columns are %s", self->source,
                     listed(&missing), listed(&there));
}

/* A column of either side. */
static bool knows(const rows_wanted *self, const char *name)
{
    return is_among(self->names, name) || is_among(self->others, name);
}

static int refuse_unknown(const job *self, flow_err *err)
{
    listing unknown = {.n = 0};
    for (size_t col = 0; col < self->table->cols; col++) {
        const char *name = self->table->names[col];
        if (*name && !knows(&self->wanted, name))
            list(&unknown, name);
    }
    if (unknown.n == 0)
        return 0;
    return flow_fail(err, FLOW_EDATA,
                     "%s: the model does not know column %s; take it out, or say --extra to leave "
                     "such columns aside",
                     self->source, listed(&unknown));
}

static int check_names(const job *self, bool extra, flow_err *err)
{
    int code = refuse_missing(self, err);
    return code || extra ? code : refuse_unknown(self, err);
}

static int match(job *self, bool extra, flow_err *err)
{
    if (!self->table->names || speaks_otherwise(self))
        return by_position(self, err);
    int code = check_names(self, extra, err);
    for (size_t i = 0; !code && i < self->wanted.n; i++)
        self->cols[i] = column_of(self->table, name_at(self->wanted.names, i));
    return code;
}

/* ---- reading */

typedef struct asked {
    const rows_wanted *wanted;
    const char *source;
    bool extra;
} asked;

/* Of a table that names its columns. A column without a name is nobody's. */
static int choose(bool *wanted, file_table *head, const void *asker, flow_err *err)
{
    const asked *self = asker;
    const job of_head = {.table = head, .source = self->source, .wanted = *self->wanted};
    if (!head->names || speaks_otherwise(&of_head))
        return FLOW_OK;
    for (size_t col = 0; self->extra && col < head->cols; col++)
        wanted[col] = knows(self->wanted, head->names[col]);
    return check_names(&of_head, self->extra, err);
}

static file_wish wish_of(const asked *asker, file_header header)
{
    return (file_wish){.header = header,
                       .choose = choose,
                       .asker = asker,
                       .remedy = "if the model does not know it, --extra leaves it aside"};
}

static void tell_note(const char *path, const file_table *table)
{
    if (*table->note)
        notice_note("%s: %s", path, table->note);
}

file_table *rows_read(const char *path, file_header header, const rows_wanted *wanted, bool extra,
                      flow_err *err)
{
    const asked asker = {wanted, path, extra};
    const file_wish wish = wish_of(&asker, header);
    file_table *table = file_read_wish(path, &wish, err);
    if (table)
        tell_note(path, table);
    return table;
}

file_stream *rows_open(const char *path, file_header header, const rows_wanted *wanted, bool extra,
                       flow_err *err)
{
    const asked asker = {wanted, path, extra};
    const file_wish wish = wish_of(&asker, header);
    file_stream *rows = file_stream_open(path, &wish, err);
    if (rows)
        tell_note(path, file_stream_head(rows));
    return rows;
}

/* ---- values */

/* The first wanted column of the row that is not finite; wanted.n: none. */
static size_t first_nonfinite(const job *self, const double *row)
{
    size_t i = 0;
    while (i < self->wanted.n && isfinite(row[self->cols[i]]))
        i++;
    return i;
}

static int check_finite(const job *self, flow_err *err)
{
    const finding *bad = &self->broken;
    if (bad->count == 0)
        return 0;
    char column[FILE_LABEL_SIZE], row[FILE_LABEL_SIZE];
    return flow_fail(err, FLOW_EDATA, "%s: %zu of %zu rows are not finite; first: %s, %s is %g",
                     self->source, bad->count, self->seen,
                     file_row_label(row, self->table, bad->row),
                     file_column_label(column, self->table, self->cols[bad->i]),
                     isnan(bad->value) ? NAN : bad->value /* no "-nan" */);
}

/* Farther outside than a quarter of the range: of a normal column of many rows, some six standard deviations from
 * its mean. */
static bool is_far(const rows_wanted *wanted, size_t i, double value)
{
    const double *range = wanted->ranges + 2 * i;
    double slack = (range[1] - range[0]) / 4;
    if (wanted->units->column[i].period > 0)
        return false;
    return value < range[0] - slack || value > range[1] + slack;
}

/* The first wanted column of the row that is far; wanted.n: none. */
static size_t first_far(const job *self, const double *row)
{
    size_t i = 0;
    while (i < self->wanted.n && !is_far(&self->wanted, i, row[self->cols[i]]))
        i++;
    return i;
}

static void warn_if_far(const job *self)
{
    const finding *far = &self->far;
    if (far->count == 0)
        return;
    char column[FILE_LABEL_SIZE], row[FILE_LABEL_SIZE];
    const double *range = self->wanted.ranges + 2 * far->i;
    notice_warning("%s: %zu of %zu rows are far outside of what training saw; first: %s, %s is %g, "
                   "the training rows had %g .. %g",
                   self->source, far->count, self->seen, file_row_label(row, self->table, far->row),
                   file_column_label(column, self->table, self->cols[far->i]), far->value, range[0],
                   range[1]);
}

/* One column cannot be mistaken for another. */
static void note_position(const job *self)
{
    listing all = list_all(self->wanted.names);
    if (self->by_position && self->wanted.n > 1)
        notice_note("%s: columns taken by position, as %s: %s", self->source, listed(&all),
                    self->table->names ? "the model was trained on a table without names"
                                       : "the table has no names");
}

/* ---- block by block */

rows_columns *rows_match(const file_table *head, const char *source, const rows_wanted *wanted,
                         bool extra, flow_err *err)
{
    rows_columns *self = calloc(1, sizeof *self);
    size_t *cols = malloc((wanted->n + 1) * sizeof *cols);
    int code =
        self && cols ? 0 : flow_fail(err, FLOW_ENOMEM, "%s: out of memory for its columns", source);
    if (!code) {
        *self = (rows_columns){.table = head, .source = source, .wanted = *wanted, .cols = cols};
        code = match(self, extra, err);
    }
    if (!code)
        return self;
    free(cols);
    free(self);
    return NULL;
}

void rows_columns_free(rows_columns *self)
{
    if (self)
        free(self->cols);
    free(self);
}

static void note(finding *self, const job *of, const double *row, size_t i)
{
    if (i < of->wanted.n && self->count++ == 0)
        *self = (finding){1, of->seen, i, row[of->cols[i]]};
}

void rows_look(rows_columns *self, const double *rows, size_t k)
{
    for (const double *row = rows; k > 0; k--, row += self->table->cols) {
        note(&self->broken, self, row, first_nonfinite(self, row));
        if (self->wanted.ranges)
            note(&self->far, self, row, first_far(self, row));
        self->seen++;
    }
}

int rows_judge(const rows_columns *self, flow_err *err)
{
    int code = check_finite(self, err);
    if (!code) {
        warn_if_far(self);
        note_position(self);
    }
    return code;
}

int rows_scan(rows_columns *const *sides, size_t n_sides, file_stream *rows, flow_err *err)
{
    const double *block;
    size_t n = 1;
    int code = 0;
    for (file_stream_rewind(rows); !code && n > 0;) {
        code = file_stream_next(rows, &block, &n, err);
        for (size_t k = 0; !code && k < n_sides; k++)
            if (sides[k])
                rows_look(sides[k], block, n);
    }
    for (size_t k = 0; !code && k < n_sides; k++)
        code = sides[k] ? rows_judge(sides[k], err) : 0;
    return code;
}

void rows_gather(const rows_columns *self, double *to, const double *rows, size_t k)
{
    size_t n = self->wanted.n;
    for (size_t row = 0; row < k; row++)
        for (size_t i = 0; i < n; i++)
            to[row * n + i] = rows[row * self->table->cols + self->cols[i]];
}

/* ---- a table */

static int take(file_table **out, rows_columns *self, flow_err *err)
{
    const file_table *table = self->table;
    rows_look(self, table->values, table->rows);
    int code = rows_judge(self, err);
    if (code)
        return code;
    *out = file_table_create(table->rows, self->wanted.n, err);
    if (!*out)
        return err->code;
    rows_gather(self, (*out)->values, table->values, table->rows);
    return 0;
}

int rows_take(file_table **out, const file_table *table, const char *source,
              const rows_wanted *wanted, bool extra, flow_err *err)
{
    *out = NULL;
    rows_columns *columns = rows_match(table, source, wanted, extra, err);
    int code = columns ? take(out, columns, err) : err->code;
    rows_columns_free(columns);
    return code;
}
