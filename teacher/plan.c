#include "teacher/plan.h"

#include "flow/pcg.h"
#include "teacher/columns.h"
#include "teacher/streams.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

data_options data_options_default(void)
{
    return (data_options){.kind = data_kind_plain,
                          .standardize = true,
                          .nonfinite = DATA_NONFINITE_ERROR,
                          .split = DATA_SPLIT_POSITION,
                          .valid = 0.1,
                          .test = 0.1,
                          .precision = FLOW_F64};
}

/* What one call of data_plan_init works with. */
typedef struct job {
    data_plan *out;
    const file_table *head;
    const char *source;
    const data_options *options;
} job;

static int no_memory(const job *self, flow_err *err)
{
    return flow_fail(err, FLOW_ENOMEM, "no memory for the plan of %s", self->source);
}

/* ---- columns */

static int find_columns(const job *self, bool *taken, flow_err *err)
{
    const data_options *o = self->options;
    data_plan *out = self->out;
    int code = data_columns_find(out->context, taken, self->head, self->source, o->context,
                                 o->n_context, err);
    if (!code && o->weights)
        code =
            data_columns_find(&out->weights, taken, self->head, self->source, &o->weights, 1, err);
    return code ? code
                : data_columns_find(out->data, taken, self->head, self->source, o->columns,
                                    o->n_columns, err);
}

/* All that nothing else takes, where none is asked for. */
static int count_columns(const job *self, const bool *taken, flow_err *err)
{
    data_plan *out = self->out;
    out->n_context = self->options->n_context;
    out->dim = self->options->n_columns;
    for (size_t col = 0; self->options->n_columns == 0 && col < self->head->cols; col++)
        if (!taken[col])
            out->data[out->dim++] = col;
    return out->dim > 0
               ? FLOW_OK
               : flow_fail(err, FLOW_ECONFIG, "%s: every column is context; none is left to model",
                           self->source);
}

static int choose_columns(const job *self, flow_err *err)
{
    const data_options *o = self->options;
    data_plan *out = self->out;
    size_t all = self->head->cols;
    if (o->n_columns > all || o->n_context > all)
        return flow_fail(err, FLOW_ECONFIG, "%s: %zu columns are asked for, there are %zu",
                         self->source, o->n_columns > all ? o->n_columns : o->n_context, all);
    out->weights = DATA_NO_WEIGHTS;
    out->data = calloc(all, sizeof *out->data);
    out->context = calloc(all, sizeof *out->context);
    bool *taken = calloc(all, sizeof *taken);
    int code =
        out->data && out->context && taken ? find_columns(self, taken, err) : no_memory(self, err);
    if (!code)
        code = count_columns(self, taken, err);
    free(taken);
    return code;
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

/* The column of the table that is not finite in the row, or head->cols. */
static size_t bad_column(const job *self, const double *row)
{
    const data_plan *plan = self->out;
    size_t i = first_nonfinite(row, plan->data, plan->dim);
    if (i < plan->dim)
        return plan->data[i];
    i = first_nonfinite(row, plan->context, plan->n_context);
    if (i < plan->n_context)
        return plan->context[i];
    bool weighed = plan->weights != DATA_NO_WEIGHTS && !isfinite(row[plan->weights]);
    return weighed ? plan->weights : self->head->cols;
}

/* The first row that is not finite. */
typedef struct bad_value {
    size_t row, col;
    double value;
} bad_value;

static int fail_nonfinite(const job *self, const bad_value *first, flow_err *err)
{
    char label[DATA_LABEL_SIZE], place[FILE_LABEL_SIZE];
    return flow_fail(
        err, FLOW_EDATA,
        "%s: %zu of %zu rows are not finite; first: %s, %s is %s; data.nonfinite: drop "
        "leaves such rows out",
        self->source, self->out->dropped, self->head->rows,
        file_row_label(place, self->head, first->row),
        data_column_label(label, self->head, first->col),
        isnan(first->value) ? "nan, or missing"
        : first->value > 0  ? "inf"
                            : "-inf");
}

static int drop(const job *self, size_t row, flow_err *err)
{
    data_plan *out = self->out;
    if (!out->unused)
        out->unused = calloc(self->head->rows / 8 + 1, 1);
    if (!out->unused)
        return no_memory(self, err);
    out->unused[row / 8] |= (unsigned char)(1 << row % 8);
    out->dropped++;
    return FLOW_OK;
}

static int look_at_rows(const job *self, bad_value *first, const double *rows, size_t number,
                        size_t n, flow_err *err)
{
    int code = FLOW_OK;
    for (size_t i = 0; i < n && !code; i++) {
        const double *row = rows + i * self->head->cols;
        size_t col = bad_column(self, row);
        if (col == self->head->cols)
            continue;
        if (self->out->dropped == 0)
            *first = (bad_value){number + i, col, row[col]};
        code = drop(self, number + i, err);
    }
    return code;
}

/* has (cols) = whether a column has a number in any row. */
static int look_for_numbers(const job *self, bool *has, file_stream *rows, flow_err *err)
{
    const double *block;
    size_t n = 1, cols = self->head->cols;
    int code = FLOW_OK;
    for (file_stream_rewind(rows); !code && n > 0;) {
        code = file_stream_next(rows, &block, &n, err);
        for (size_t i = 0; !code && i < n * cols; i++)
            has[i % cols] = has[i % cols] || isfinite(block[i]);
    }
    return code;
}

/* The first column of the data, then of the context, that has none; else `otherwise`. */
static size_t empty_column(const data_plan *plan, const bool *has, size_t otherwise)
{
    size_t i = 0, j = 0;
    while (i < plan->dim && has[plan->data[i]])
        i++;
    if (i < plan->dim)
        return plan->data[i];
    while (j < plan->n_context && has[plan->context[j]])
        j++;
    return j < plan->n_context ? plan->context[j] : otherwise;
}

/* Nothing is left: most often one column is to blame, which the first bad row need not name. */
static int fail_all(const job *self, const bad_value *first, file_stream *rows, flow_err *err)
{
    char label[DATA_LABEL_SIZE];
    bool *has = calloc(self->head->cols, sizeof *has);
    if (!has)
        return no_memory(self, err);
    int code = look_for_numbers(self, has, rows, err);
    size_t col = empty_column(self->out, has, first->col);
    const char *what =
        has[col] ? "is the first that has none" : "has no number in any of them; leave it out";
    if (!code)
        code = flow_fail(err, FLOW_EDATA, "%s: none of the %zu rows is finite: %s %s", self->source,
                         self->head->rows, data_column_label(label, self->head, col), what);
    free(has);
    return code;
}

static int find_finite(const job *self, file_stream *rows, flow_err *err)
{
    bad_value first = {0, 0, 0};
    const double *block;
    size_t number = 0, n = 1;
    int code = FLOW_OK;
    for (file_stream_rewind(rows); !code && n > 0; number += n) {
        code = file_stream_next(rows, &block, &n, err);
        if (!code)
            code = look_at_rows(self, &first, block, number, n, err);
    }
    if (!code && self->out->dropped > 0 && self->out->dropped == self->head->rows)
        return fail_all(self, &first, rows, err);
    if (code || self->out->dropped == 0 || self->options->nonfinite == DATA_NONFINITE_DROP)
        return code;
    return fail_nonfinite(self, &first, err);
}

/* ---- parts */

/* Rows before the share that ends the table; a hair more, so that 0.8 of 1000 is 800. */
static size_t rows_before(size_t n, double share)
{
    return (size_t)floor((double)n * (1 - share) + 1e-9);
}

/* place[i], where the permutation has i. */
static int shuffle(const job *self, size_t n, flow_err *err)
{
    pcg_stream stream = {self->options->seed, STREAM_DATA, PCG_SPLIT};
    if (n > FLOW_SHUFFLE_ROWS) {
        self->out->shuffle = flow_shuffle_of(n, stream, 0);
        return FLOW_OK;
    }
    uint32_t *order = malloc((n + 1) * sizeof *order);
    uint32_t *place = self->out->place = malloc((n + 1) * sizeof *place);
    if (!order || !place) {
        free(order);
        return no_memory(self, err);
    }
    pcg_permutation_32(order, n, stream, 0);
    for (size_t i = 0; i < n; i++)
        place[order[i]] = (uint32_t)i;
    free(order);
    return FLOW_OK;
}

static int check_shares(const job *self, flow_err *err)
{
    const data_options *o = self->options;
    if (o->valid >= 0 && o->test >= 0 && o->valid + o->test < 1)
        return FLOW_OK;
    return flow_fail(err, FLOW_ECONFIG,
                     "shares of %g for validation and %g for test leave nothing to train on",
                     o->valid, o->test);
}

static int split_rows(const job *self, flow_err *err)
{
    const data_options *o = self->options;
    data_plan *out = self->out;
    size_t n = self->head->rows - out->dropped;
    if (check_shares(self, err))
        return FLOW_ECONFIG;
    if (n > UINT32_MAX)
        return flow_fail(err, FLOW_EDATA, "%s: %zu rows; %lu are the most that can be used",
                         self->source, n, (unsigned long)UINT32_MAX);
    out->n_train = rows_before(n, o->valid + o->test);
    out->n_valid = rows_before(n, o->test) - out->n_train;
    out->n_test = n - out->n_train - out->n_valid;
    if (out->n_train < 2 || (o->valid > 0 && out->n_valid == 0) ||
        (o->test > 0 && out->n_test == 0))
        return flow_fail(err, FLOW_EDATA,
                         "%s: %zu rows are too few: %zu to train, %zu to validate, %zu to test",
                         self->source, n, out->n_train, out->n_valid, out->n_test);
    return o->split == DATA_SPLIT_SEED ? shuffle(self, n, err) : FLOW_OK;
}

/* ---- the whole */

int data_plan_init(data_plan *self, file_stream *rows, const char *source,
                   const data_options *options, flow_err *err)
{
    const job work = {self, file_stream_head(rows), source, options};
    *self = (data_plan){.dim = 0};
    int code = choose_columns(&work, err);
    code = code ? code : find_finite(&work, rows, err);
    code = code ? code : split_rows(&work, err);
    if (code)
        data_plan_release(self);
    return code;
}

void data_plan_release(data_plan *self)
{
    free(self->data);
    free(self->context);
    free(self->unused);
    free(self->place);
    *self = (data_plan){.dim = 0};
}

size_t data_plan_n(const data_plan *self)
{
    return self->n_train + self->n_valid + self->n_test;
}

bool data_plan_unused(const data_plan *self, size_t number)
{
    return self->unused && (self->unused[number / 8] >> number % 8 & 1);
}

size_t data_plan_place(const data_plan *self, size_t i)
{
    if (self->shuffle.n)
        return (size_t)flow_shuffle_place(&self->shuffle, i);
    return self->place ? self->place[i] : i;
}

/* The row in use that has a place. */
static size_t row_in_use(const data_plan *self, size_t place)
{
    if (self->shuffle.n)
        return (size_t)flow_shuffle_at(&self->shuffle, place);
    size_t i = self->place ? 0 : place;
    while (self->place && self->place[i] != place)
        i++;
    return i;
}

size_t data_plan_row(const data_plan *self, size_t place)
{
    size_t i = row_in_use(self, place), number = 0;
    if (!self->unused)
        return i;
    for (size_t left = i + 1; left > 0; number++)
        left -= !data_plan_unused(self, number);
    return number - 1;
}

int data_set_shape(size_t *dim, size_t *n_context, const file_table *head, const char *source,
                   const data_options *options, flow_err *err)
{
    data_plan plan = {.dim = 0};
    const job work = {&plan, head, source, options};
    int code = choose_columns(&work, err);
    *dim = plan.dim;
    *n_context = plan.n_context;
    data_plan_release(&plan);
    return code;
}

char **data_set_names(size_t *dim, const file_table *head, const char *source,
                      const data_options *options, flow_err *err)
{
    data_plan plan = {.dim = 0};
    const job work = {&plan, head, source, options};
    char **names = NULL;
    if (!choose_columns(&work, err))
        names = data_columns_names(head, plan.data, plan.dim, err);
    *dim = plan.dim;
    data_plan_release(&plan);
    return names;
}
