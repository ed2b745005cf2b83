#include "teacher/dataset.h"

#include "flow/pcg.h"
#include "teacher/columns.h"
#include "teacher/kinds.h"
#include "teacher/scale.h"
#include "teacher/streams.h"
#include "teacher/weights.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What one call of data_set_create works with. */
typedef struct job {
    const file_table *table;
    const char *source;
    const data_options *options;
    size_t *data, *context; /* (D), (C) columns of the table */
    size_t weights;         /* likewise, if options->weights */
    bool *taken;            /* (table->cols) column is data or context */
    size_t *rows;           /* (n) rows of the table in use, in the order of the parts */
    size_t n;
    data_set *out;
} job;

data_options data_options_default(void)
{
    return (data_options){.kind = data_kind_plain,
                          .standardize = true,
                          .nonfinite = DATA_NONFINITE_ERROR,
                          .split = DATA_SPLIT_POSITION,
                          .valid = 0.1,
                          .test = 0.1};
}

static void *array(size_t n, size_t size, flow_err *err)
{
    void *block = calloc(n > 0 ? n : 1, size);
    if (!block)
        flow_fail(err, FLOW_ENOMEM, "no memory for %zu x %zu bytes", n, size);
    return block;
}

/* ---- columns */

static int choose_columns(job *self, flow_err *err)
{
    const data_options *options = self->options;
    size_t all = self->table->cols;
    if (options->n_columns > all || options->n_context > all)
        return flow_fail(err, FLOW_ECONFIG, "%s: %zu columns are asked for, there are %zu",
                         self->source,
                         options->n_columns > all ? options->n_columns : options->n_context, all);
    self->data = array(all, sizeof *self->data, err);
    self->context = array(all, sizeof *self->context, err);
    self->taken = array(all, sizeof *self->taken, err);
    if (!self->data || !self->context || !self->taken)
        return FLOW_ENOMEM;
    int code = data_columns_find(self->context, self->taken, self->table, self->source,
                                 options->context, options->n_context, err);
    if (!code && options->weights)
        code = data_columns_find(&self->weights, self->taken, self->table, self->source,
                                 &options->weights, 1, err);
    if (!code)
        code = data_columns_find(self->data, self->taken, self->table, self->source,
                                 options->columns, options->n_columns, err);
    if (code)
        return code;
    self->out->n_context = options->n_context;
    self->out->dim = options->n_columns;
    for (size_t col = 0; options->n_columns == 0 && col < all; col++)
        if (!self->taken[col])
            self->data[self->out->dim++] = col;
    if (self->out->dim == 0)
        return flow_fail(err, FLOW_ECONFIG, "%s: every column is context; none is left to model",
                         self->source);
    return FLOW_OK;
}

static int name_columns(job *self, flow_err *err)
{
    data_set *out = self->out;
    out->names = data_columns_names(self->table, self->data, out->dim, err);
    if (!out->names)
        return FLOW_ENOMEM;
    if (out->n_context > 0)
        out->context_names = data_columns_names(self->table, self->context, out->n_context, err);
    return out->context_names || out->n_context == 0 ? FLOW_OK : FLOW_ENOMEM;
}

/* ---- rows */

/* The first of cols (n) whose value in the row is not finite; n if all are. */
static size_t first_nonfinite(const double *row, const size_t *cols, size_t n)
{
    size_t i = 0;
    while (i < n && isfinite(row[cols[i]]))
        i++;
    return i;
}

/* The column of the table that is not finite in the row, or table->cols. */
static size_t bad_column(const job *self, size_t row)
{
    const double *values = self->table->values + row * self->table->cols;
    size_t i = first_nonfinite(values, self->data, self->out->dim);
    if (i < self->out->dim)
        return self->data[i];
    i = first_nonfinite(values, self->context, self->out->n_context);
    if (i < self->out->n_context)
        return self->context[i];
    bool weighed = self->options->weights && !isfinite(values[self->weights]);
    return weighed ? self->weights : self->table->cols;
}

/* Whether no row has a number in the column. */
static bool is_empty(const file_table *table, size_t col)
{
    size_t row = 0;
    while (row < table->rows && !isfinite(table->values[row * table->cols + col]))
        row++;
    return row == table->rows;
}

/* Nothing is left: most often one column is to blame, which the first bad row need not name. */
static int fail_all(const job *self, size_t first_col, flow_err *err)
{
    char label[DATA_LABEL_SIZE];
    size_t col = first_col;
    for (size_t i = 0; i < self->out->dim && !is_empty(self->table, col); i++)
        col = self->data[i];
    for (size_t i = 0; i < self->out->n_context && !is_empty(self->table, col); i++)
        col = self->context[i];
    bool one = is_empty(self->table, col);
    data_column_label(label, self->table, one ? col : first_col);
    return flow_fail(err, FLOW_EDATA, "%s: none of the %zu rows is finite: %s %s", self->source,
                     self->table->rows, label,
                     one ? "has no number in any of them; leave it out"
                         : "is the first that has none");
}

/* rows = the finite ones, in the order of the table. */
static int keep_finite(job *self, flow_err *err)
{
    const file_table *table = self->table;
    size_t first_row = 0, first_col = 0;
    self->rows = array(table->rows, sizeof *self->rows, err);
    if (!self->rows)
        return FLOW_ENOMEM;
    for (size_t row = 0; row < table->rows; row++) {
        size_t col = bad_column(self, row);
        if (col == table->cols) {
            self->rows[self->n++] = row;
        } else if (self->out->dropped++ == 0) {
            first_row = row;
            first_col = col;
        }
    }
    if (self->out->dropped > 0 && self->n == 0)
        return fail_all(self, first_col, err);
    if (self->out->dropped == 0 || self->options->nonfinite == DATA_NONFINITE_DROP)
        return FLOW_OK;
    char label[DATA_LABEL_SIZE], place[FILE_LABEL_SIZE];
    double value = table->values[first_row * table->cols + first_col];
    return flow_fail(
        err, FLOW_EDATA,
        "%s: %zu of %zu rows are not finite; first: %s, %s is %s; data.nonfinite: drop "
        "leaves such rows out",
        self->source, self->out->dropped, table->rows, file_row_label(place, table, first_row),
        data_column_label(label, table, first_col),
        isnan(value) ? "nan, or missing"
        : value > 0  ? "inf"
                     : "-inf");
}

static int shuffle(job *self, flow_err *err)
{
    pcg_stream stream = {self->options->seed, STREAM_DATA, PCG_SPLIT};
    size_t *order = array(self->n, sizeof *order, err), *from = self->rows;
    if (!order)
        return FLOW_ENOMEM;
    pcg_permutation(order, self->n, stream, 0);
    for (size_t i = 0; i < self->n; i++)
        order[i] = from[order[i]];
    self->rows = order;
    free(from);
    return FLOW_OK;
}

/* Rows before the share that ends the table; a hair more, so that 0.8 of 1000 is 800. */
static size_t rows_before(size_t n, double share)
{
    return (size_t)floor((double)n * (1 - share) + 1e-9);
}

static int split_rows(job *self, flow_err *err)
{
    const data_options *options = self->options;
    data_set *out = self->out;
    size_t n = self->n;
    if (!(options->valid >= 0 && options->test >= 0 && options->valid + options->test < 1))
        return flow_fail(err, FLOW_ECONFIG,
                         "shares of %g for validation and %g for test leave nothing to train on",
                         options->valid, options->test);
    out->train.n = rows_before(n, options->valid + options->test);
    out->valid.n = rows_before(n, options->test) - out->train.n;
    out->test.n = n - out->train.n - out->valid.n;
    if (out->train.n < 2 || (options->valid > 0 && out->valid.n == 0) ||
        (options->test > 0 && out->test.n == 0))
        return flow_fail(err, FLOW_EDATA,
                         "%s: %zu rows are too few: %zu to train, %zu to validate, %zu to test",
                         self->source, n, out->train.n, out->valid.n, out->test.n);
    return options->split == DATA_SPLIT_SEED ? shuffle(self, err) : FLOW_OK;
}

/* ---- numbers */

/* block (n, k): the columns cols (k) of the rows in use; each part gets its piece of it. */
static double *gather(const job *self, const size_t *cols, size_t k, flow_err *err)
{
    size_t count;
    if (__builtin_mul_overflow(self->n, k, &count))
        count = SIZE_MAX; /* calloc refuses */
    double *block = array(count, sizeof *block, err);
    for (size_t i = 0; block && i < self->n; i++) {
        const double *row = self->table->values + self->rows[i] * self->table->cols;
        for (size_t j = 0; j < k; j++)
            block[i * k + j] = row[cols[j]];
    }
    return block;
}

static int gather_all(job *self, flow_err *err)
{
    data_set *out = self->out;
    double *x = out->train.x = gather(self, self->data, out->dim, err);
    if (!x)
        return FLOW_ENOMEM;
    out->valid.x = x + out->train.n * out->dim;
    out->test.x = out->valid.x + out->valid.n * out->dim;
    if (out->n_context == 0)
        return FLOW_OK;
    double *c = out->train.context = gather(self, self->context, out->n_context, err);
    if (!c)
        return FLOW_ENOMEM;
    out->valid.context = c + out->train.n * out->n_context;
    out->test.context = out->valid.context + out->valid.n * out->n_context;
    return FLOW_OK;
}

static int check_weights(const job *self, const data_part *part, const char *what, flow_err *err)
{
    if (part->n == 0 || data_weights_worth(part->weight, part->n) > 0)
        return FLOW_OK;
    char label[DATA_LABEL_SIZE];
    return flow_fail(err, FLOW_EDATA, "%s: the weights of the %zu %s rows, %s, are all 0",
                     self->source, part->n, what,
                     data_column_label(label, self->table, self->weights));
}

static int weigh(job *self, flow_err *err)
{
    data_set *out = self->out;
    if (!self->options->weights)
        return FLOW_OK;
    double *w = out->train.weight = array(self->n, sizeof *w, err);
    if (!w)
        return FLOW_ENOMEM;
    out->valid.weight = w + out->train.n;
    out->test.weight = out->valid.weight + out->valid.n;
    int code = data_weights_read(w, self->table, self->source, self->weights, self->rows, self->n,
                                 out->train.n, err);
    if (!code)
        code = check_weights(self, &out->valid, "validation", err);
    return code ? code : check_weights(self, &out->test, "test", err);
}

/* ---- units */

/* One kind for each column, as data_kinds_apply wants them. */
static data_kind *list_kinds(const job *self, flow_err *err)
{
    const data_options *options = self->options;
    data_kind *kinds = array(self->out->dim, sizeof *kinds, err);
    for (size_t col = 0; kinds && col < self->out->dim; col++)
        kinds[col] = options->kinds ? options->kinds[col] : options->kind;
    return kinds;
}

static data_rows rows_of(const job *self)
{
    return (data_rows){.table = self->table,
                       .source = self->source,
                       .cols = self->data,
                       .rows = self->rows,
                       .n = self->n,
                       .n_train = self->out->train.n,
                       .seed = self->options->seed};
}

static int apply_kinds(job *self, flow_err *err)
{
    data_set *out = self->out;
    out->units = flow_units_create(out->dim, err);
    data_kind *kinds = out->units ? list_kinds(self, err) : NULL;
    if (!kinds)
        return FLOW_ENOMEM;
    data_rows from = rows_of(self);
    int code = data_kinds_apply(out->units, out->train.x, kinds, &from, err);
    free(kinds);
    return code;
}

/* Shift and scale of each column of block, from its first train.n rows; cols: their places in the
 * table. Without standardizing, only the check. */
static int fit_units(const job *self, flow_units *units, const double *block, const size_t *cols,
                     bool standardize, flow_err *err)
{
    size_t n = self->out->train.n;
    for (size_t col = 0; col < units->dim; col++) {
        data_scale m;
        char label[DATA_LABEL_SIZE];
        const double *weight = self->out->train.weight;
        if (weight ? data_scale_weighted(&m, block + col, weight, n, units->dim, err)
                   : data_scale_measure(&m, block + col, n, units->dim, err))
            return err->code;
        data_column_label(label, self->table, cols[col]);
        if (m.constant)
            return flow_fail(err, FLOW_EDATA, "%s: %s is %g in all %zu training rows; leave it out",
                             self->source, label, block[col], n);
        if (!isfinite(m.sd) || !(m.sd > 0))
            return flow_fail(err, FLOW_EDATA, "%s: %s has a standard deviation of %g", self->source,
                             label, m.sd);
        if (!standardize)
            continue;
        units->column[col].shift = m.mean;
        units->column[col].scale = m.sd;
    }
    return FLOW_OK;
}

static int convert_data(job *self, flow_err *err)
{
    data_set *out = self->out;
    /* shift 0, scale 1: the support alone, whose moments are wanted; then the rest of the map */
    double *x = out->train.x;
    data_rows from = rows_of(self);
    flow_units_to_flow(out->units, x, NULL, x, self->n);
    data_kinds_blur_cuts(out->units, x, &from);
    int code = fit_units(self, out->units, x, self->data, self->options->standardize, err);
    for (size_t i = 0; !code && i < self->n * out->dim; i++)
        x[i] = (x[i] - out->units->column[i % out->dim].shift) /
               out->units->column[i % out->dim].scale;
    return code;
}

static int convert_context(job *self, flow_err *err)
{
    data_set *out = self->out;
    double *c = out->train.context;
    if (out->n_context == 0)
        return FLOW_OK;
    out->context_units = flow_units_create(out->n_context, err);
    if (!out->context_units)
        return FLOW_ENOMEM;
    int code = fit_units(self, out->context_units, c, self->context, true, err);
    if (!code)
        flow_units_to_flow(out->context_units, c, NULL, c, self->n);
    return code;
}

/* ---- the whole */

static int run(job *self, flow_err *err)
{
    static int (*const steps[])(job *, flow_err *) = {
        choose_columns, name_columns, keep_finite,  split_rows,     gather_all,
        weigh,          apply_kinds,  convert_data, convert_context};
    int code = FLOW_OK;
    for (size_t i = 0; !code && i < sizeof steps / sizeof *steps; i++)
        code = steps[i](self, err);
    return code;
}

static void release(job *self)
{
    free(self->data);
    free(self->context);
    free(self->taken);
    free(self->rows);
}

data_set *data_set_create(const file_table *table, const char *source, const data_options *options,
                          flow_err *err)
{
    job self = {.table = table, .source = source, .options = options};
    self.out = array(1, sizeof *self.out, err);
    if (self.out && run(&self, err)) {
        data_set_free(self.out);
        self.out = NULL;
    }
    release(&self);
    return self.out;
}

int data_plan_init(data_plan *self, const file_table *table, const char *source,
                   const data_options *options, flow_err *err)
{
    data_set out = {.dim = 0};
    job work = {.table = table, .source = source, .options = options, .out = &out};
    *self = (data_plan){.dim = 0};
    int code = choose_columns(&work, err);
    code = code ? code : keep_finite(&work, err);
    code = code ? code : split_rows(&work, err);
    if (!code) {
        *self = (data_plan){work.data,   work.context, out.dim,    out.n_context, work.rows,
                            out.train.n, out.valid.n,  out.test.n, out.dropped};
        work.data = work.context = work.rows = NULL; /* handed over */
    }
    release(&work);
    return code;
}

void data_plan_release(data_plan *self)
{
    free(self->data);
    free(self->context);
    free(self->rows);
}

int data_set_shape(size_t *dim, size_t *n_context, const file_table *table, const char *source,
                   const data_options *options, flow_err *err)
{
    data_set out = {.dim = 0};
    job self = {.table = table, .source = source, .options = options, .out = &out};
    int code = choose_columns(&self, err);
    *dim = out.dim;
    *n_context = out.n_context;
    release(&self);
    return code;
}

void data_set_free(data_set *self)
{
    if (!self)
        return;
    free(self->train.x);
    free(self->train.context);
    free(self->train.weight);
    flow_units_free(self->units);
    flow_units_free(self->context_units);
    data_columns_names_free(self->names, self->dim);
    data_columns_names_free(self->context_names, self->n_context);
    free(self);
}
