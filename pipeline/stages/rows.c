#include "pipeline/stages/rows.h"

#include "pipeline/console/notice.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What one call of rows_take works with. */
typedef struct job {
    const file_table *table;
    const char *source;
    const rows_wanted *wanted;
    size_t *cols;     /* (wanted->n) columns of the table */
    bool by_position; /* and not by name */
} job;

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
    for (size_t i = 0; i < self->wanted->n; i++) {
        const char *name = name_at(self->wanted->names, i);
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
    size_t n = self->wanted->n;
    listing all = list_all(self->wanted->names);
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
    for (size_t i = 0; i < self->wanted->n; i++)
        if (column_of(self->table, name_at(self->wanted->names, i)) == self->table->cols)
            list(&missing, name_at(self->wanted->names, i));
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
        if (*name && !knows(self->wanted, name))
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
    for (size_t i = 0; !code && i < self->wanted->n; i++)
        self->cols[i] = column_of(self->table, name_at(self->wanted->names, i));
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
    const job of_head = {.table = head, .source = self->source, .wanted = self->wanted};
    if (!head->names || speaks_otherwise(&of_head))
        return FLOW_OK;
    for (size_t col = 0; self->extra && col < head->cols; col++)
        wanted[col] = knows(self->wanted, head->names[col]);
    return check_names(&of_head, self->extra, err);
}

file_table *rows_read(const char *path, file_header header, const rows_wanted *wanted, bool extra,
                      flow_err *err)
{
    const asked asker = {wanted, path, extra};
    const file_wish wish = {.header = header,
                            .choose = choose,
                            .asker = &asker,
                            .remedy = "if the model does not know it, --extra leaves it aside"};
    file_table *table = file_read_wish(path, &wish, err);
    if (table && *table->note)
        notice_note("%s: %s", path, table->note);
    return table;
}

/* ---- values */

static double value_at(const job *self, size_t row, size_t i)
{
    return self->table->values[row * self->table->cols + self->cols[i]];
}

/* The first wanted column that is not finite in the row; wanted->n: none. */
static size_t first_nonfinite(const job *self, size_t row)
{
    size_t i = 0;
    while (i < self->wanted->n && isfinite(value_at(self, row, i)))
        i++;
    return i;
}

/* Rows that `first_in` finds a column in: how many, and the first. */
typedef struct finding {
    size_t count, row, i; /* i: of the wanted columns */
} finding;

static finding find(const job *self, size_t (*first_in)(const job *self, size_t row))
{
    finding out = {0, 0, 0};
    for (size_t row = 0; row < self->table->rows; row++) {
        size_t i = first_in(self, row);
        if (i < self->wanted->n && out.count++ == 0) {
            out.row = row;
            out.i = i;
        }
    }
    return out;
}

static int check_finite(const job *self, flow_err *err)
{
    const finding bad = find(self, first_nonfinite);
    if (bad.count == 0)
        return 0;
    char column[FILE_LABEL_SIZE], row[FILE_LABEL_SIZE];
    double value = value_at(self, bad.row, bad.i);
    return flow_fail(err, FLOW_EDATA, "%s: %zu of %zu rows are not finite; first: %s, %s is %g",
                     self->source, bad.count, self->table->rows,
                     file_row_label(row, self->table, bad.row),
                     file_column_label(column, self->table, self->cols[bad.i]),
                     isnan(value) ? NAN : value /* no "-nan" */);
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

/* The first wanted column that is far in the row; wanted->n: none. */
static size_t first_far(const job *self, size_t row)
{
    size_t i = 0;
    while (i < self->wanted->n && !is_far(self->wanted, i, value_at(self, row, i)))
        i++;
    return i;
}

static void warn_if_far(const job *self)
{
    if (!self->wanted->ranges)
        return;
    const finding far = find(self, first_far);
    if (far.count == 0)
        return;
    char column[FILE_LABEL_SIZE], row[FILE_LABEL_SIZE];
    const double *range = self->wanted->ranges + 2 * far.i;
    notice_warning("%s: %zu of %zu rows are far outside of what training saw; first: %s, %s is %g, "
                   "the training rows had %g .. %g",
                   self->source, far.count, self->table->rows,
                   file_row_label(row, self->table, far.row),
                   file_column_label(column, self->table, self->cols[far.i]),
                   value_at(self, far.row, far.i), range[0], range[1]);
}

/* One column cannot be mistaken for another. */
static void note_position(const job *self)
{
    listing all = list_all(self->wanted->names);
    if (self->by_position && self->wanted->n > 1)
        notice_note("%s: columns taken by position, as %s: %s", self->source, listed(&all),
                    self->table->names ? "the model was trained on a table without names"
                                       : "the table has no names");
}

/* ---- the whole */

static file_table *gather(const job *self, flow_err *err)
{
    size_t n = self->wanted->n;
    file_table *out = file_table_create(self->table->rows, n, err);
    for (size_t row = 0; out && row < out->rows; row++)
        for (size_t i = 0; i < n; i++)
            out->values[row * n + i] = value_at(self, row, i);
    return out;
}

int rows_take(file_table **out, const file_table *table, const char *source,
              const rows_wanted *wanted, bool extra, flow_err *err)
{
    job self = {.table = table, .source = source, .wanted = wanted};
    *out = NULL;
    self.cols = malloc((wanted->n + 1) * sizeof *self.cols);
    if (!self.cols)
        return flow_fail(err, FLOW_ENOMEM, "%s: out of memory for its columns", source);
    int code = match(&self, extra, err);
    if (!code)
        code = check_finite(&self, err);
    if (!code && !(*out = gather(&self, err)))
        code = err->code;
    if (!code) {
        warn_if_far(&self);
        note_position(&self);
    }
    free(self.cols);
    return code;
}
