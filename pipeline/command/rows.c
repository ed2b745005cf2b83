#include "pipeline/command/rows.h"

#include "pipeline/console/notice.h"
#include "teacher/columns.h"

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
                         .n = flow_dim(model->flow)};
}

rows_wanted rows_of_context(const flow_model *model)
{
    return (rows_wanted){.names = model->context_names,
                         .others = model->names,
                         .ranges = model->context_ranges,
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

static int refuse_missing(const job *self, listing *missing, flow_err *err)
{
    listing there = {.n = 0};
    for (size_t col = 0; col < self->table->cols; col++)
        list(&there, self->table->names[col]);
    return flow_fail(err, FLOW_EDATA, "%s: there is no column %s; its columns are %s", self->source,
                     listed(missing), listed(&there));
}

static int by_name(job *self, flow_err *err)
{
    listing missing = {.n = 0};
    for (size_t i = 0; i < self->wanted->n; i++) {
        const char *name = name_at(self->wanted->names, i);
        self->cols[i] = column_of(self->table, name);
        if (self->cols[i] == self->table->cols)
            list(&missing, name);
    }
    return missing.n ? refuse_missing(self, &missing, err) : 0;
}

static int refuse_unknown(const job *self, flow_err *err)
{
    listing unknown = {.n = 0};
    for (size_t col = 0; col < self->table->cols; col++) {
        const char *name = self->table->names[col];
        if (!is_among(self->wanted->names, name) && !is_among(self->wanted->others, name))
            list(&unknown, name);
    }
    if (unknown.n == 0)
        return 0;
    return flow_fail(err, FLOW_EDATA,
                     "%s: the model does not know column %s; take it out, or say --extra to leave "
                     "such columns aside",
                     self->source, listed(&unknown));
}

static int match(job *self, bool extra, flow_err *err)
{
    if (!self->table->names || speaks_otherwise(self))
        return by_position(self, err);
    int code = by_name(self, err);
    return code || extra ? code : refuse_unknown(self, err);
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

static int check_finite(const job *self, flow_err *err)
{
    size_t count = 0, first_row = 0, first = 0;
    for (size_t row = 0; row < self->table->rows; row++) {
        size_t i = first_nonfinite(self, row);
        if (i < self->wanted->n && count++ == 0) {
            first_row = row;
            first = i;
        }
    }
    if (count == 0)
        return 0;
    char label[DATA_LABEL_SIZE];
    double value = value_at(self, first_row, first);
    return flow_fail(err, FLOW_EDATA,
                     "%s: %zu of %zu rows are not finite; first: row %zu, %s is %g", self->source,
                     count, self->table->rows, first_row,
                     data_column_label(label, self->table, self->cols[first]),
                     isnan(value) ? NAN : value /* no "-nan" */);
}

/* Farther outside than a quarter of the range: of a normal column of many rows, some six standard deviations from its
 * mean. */
static bool is_far(const double *range, double value)
{
    double slack = (range[1] - range[0]) / 4;
    return value < range[0] - slack || value > range[1] + slack;
}

/* The first wanted column that is far in the row; wanted->n: none. */
static size_t first_far(const job *self, size_t row)
{
    size_t i = 0;
    while (i < self->wanted->n && !is_far(self->wanted->ranges + 2 * i, value_at(self, row, i)))
        i++;
    return i;
}

static void warn_if_far(const job *self)
{
    size_t count = 0, first_row = 0, first = 0;
    for (size_t row = 0; self->wanted->ranges && row < self->table->rows; row++) {
        size_t i = first_far(self, row);
        if (i < self->wanted->n && count++ == 0) {
            first_row = row;
            first = i;
        }
    }
    if (count == 0)
        return;
    char label[DATA_LABEL_SIZE];
    const double *range = self->wanted->ranges + 2 * first;
    notice_warning("%s: %zu of %zu rows are far outside of what training saw; first: row %zu, %s "
                   "is %g, the training rows had %g .. %g",
                   self->source, count, self->table->rows, first_row,
                   data_column_label(label, self->table, self->cols[first]),
                   value_at(self, first_row, first), range[0], range[1]);
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
