#include "teacher/dataset.h"

#include "teacher/cells.h"
#include "teacher/columns.h"
#include "teacher/kinds.h"
#include "teacher/link.h"
#include "teacher/scale.h"
#include "teacher/walk.h"
#include "teacher/weights.h"

#include <math.h>
#include <stdlib.h>

/* What one call of data_set_read works with. */
typedef struct job {
    file_stream *rows;
    const file_table *head;
    const data_plan *plan;
    const char *source;
    const data_options *options;
    data_kind *kinds; /* (D) */
    data_points points;
    double *u, *work, *context; /* (DATA_PASS_ROWS, D), two of these, (DATA_PASS_ROWS, C) */
    data_set *out;
} job;

static void *array(size_t n, size_t size, flow_err *err)
{
    void *block = calloc(n > 0 ? n : 1, size);
    if (!block)
        flow_fail(err, FLOW_ENOMEM, "no memory for %zu x %zu bytes", n, size);
    return block;
}

/* ---- columns and weights */

static int name_columns(job *self, flow_err *err)
{
    data_set *out = self->out;
    const data_plan *plan = self->plan;
    out->names = data_columns_names(self->head, plan->data, out->dim, err);
    if (!out->names)
        return FLOW_ENOMEM;
    if (out->n_context > 0)
        out->context_names = data_columns_names(self->head, plan->context, out->n_context, err);
    return out->context_names || out->n_context == 0 ? FLOW_OK : FLOW_ENOMEM;
}

static int weigh(job *self, flow_err *err)
{
    if (self->plan->weights == DATA_NO_WEIGHTS)
        return FLOW_OK;
    data_numbers *w = &self->out->train.weight;
    int code = data_numbers_create(w, data_plan_n(self->plan), 1, self->options->precision, err);
    return code ? code : data_weights_read(w, self->rows, self->plan, self->source, err);
}

/* ---- units */

static int open_points(job *self, flow_err *err)
{
    const data_options *options = self->options;
    self->kinds = array(self->out->dim, sizeof *self->kinds, err);
    for (size_t col = 0; self->kinds && col < self->out->dim; col++)
        self->kinds[col] = options->kinds ? options->kinds[col] : options->kind;
    return self->kinds ? data_points_init(&self->points, self->rows, self->plan, self->kinds,
                                          options->wrap, options->seed, self->source, err)
                       : FLOW_ENOMEM;
}

/* Shift and scale of a column of the table, from those of its values x that train, which stand first. Without
 * standardizing, only the check. */
static int fit_unit(const job *self, flow_unit *unit, double *x, size_t col, bool standardize,
                    flow_err *err)
{
    size_t n = self->plan->n_train;
    data_scale m;
    char label[DATA_LABEL_SIZE];
    const data_numbers *weight = &self->out->train.weight;
    double first = x[0];
    if (weight->at)
        data_scale_weighted(&m, x, weight, n);
    else
        data_scale_measure(&m, x, n);
    data_column_label(label, self->head, col);
    if (m.constant)
        return flow_fail(err, FLOW_EDATA, "%s: %s is %g in all %zu training rows; leave it out",
                         self->source, label, first, n);
    if (!isfinite(m.sd) || !(m.sd > 0))
        return flow_fail(err, FLOW_EDATA, "%s: %s has a standard deviation of %g", self->source,
                         label, m.sd);
    if (flow_unit_is_angle(unit))
        data_kinds_fit_angle(unit, x, n);
    else if (standardize) {
        unit->shift = m.mean;
        unit->scale = m.sd;
    }
    return FLOW_OK;
}

static int take_points(void *arg, double *to, const data_pass *at, size_t first, size_t k,
                       flow_err *err)
{
    job *self = arg;
    return data_points_take(&self->points, to, at, first, k, err);
}

/* Of the points that are taken from now on. */
static int fit_link(job *self, double *x, size_t col, flow_err *err)
{
    if (!data_kind_is_half_line(&self->kinds[col]))
        return FLOW_OK;
    return data_link_fit(&self->points.units->column[col], self->kinds[col].link, x,
                         self->plan->n_train, &self->out->train.weight, err);
}

static int fit_points(void *arg, double *x, size_t col, flow_err *err)
{
    job *self = arg;
    flow_unit *unit = &self->out->units->column[col];
    int code = fit_link(self, x, col, err);
    *unit = self->points.units->column[col];
    return code ? code
                : fit_unit(self, unit, x, self->plan->data[col], self->options->standardize, err);
}

static int fit_data(job *self, flow_err *err)
{
    const data_walk walk = {self->out->dim, take_points, fit_points, self};
    self->out->units = flow_units_create(self->out->dim, err);
    return self->out->units ? data_walk_run(&walk, self->rows, self->plan, err) : FLOW_ENOMEM;
}

static int take_context(void *arg, double *to, const data_pass *at, size_t first, size_t k,
                        flow_err *err)
{
    const job *self = arg;
    (void)err;
    data_pass_take(to, at, self->plan->context + first, k);
    return FLOW_OK;
}

static int fit_one_context(void *arg, double *x, size_t col, flow_err *err)
{
    job *self = arg;
    return fit_unit(self, &self->out->context_units->column[col], x, self->plan->context[col], true,
                    err);
}

static int fit_context(job *self, flow_err *err)
{
    const data_walk walk = {self->out->n_context, take_context, fit_one_context, self};
    if (self->out->n_context == 0)
        return FLOW_OK;
    self->out->context_units = flow_units_create(self->out->n_context, err);
    return self->out->context_units ? data_walk_run(&walk, self->rows, self->plan, err)
                                    : FLOW_ENOMEM;
}

/* ---- rows */

static void cut_parts(data_set *out, const data_plan *plan)
{
    data_part all = out->train, *const parts[] = {&out->train, &out->valid, &out->test};
    const size_t n[] = {plan->n_train, plan->n_valid, plan->n_test};
    for (size_t p = 0, first = 0; p < 3; first += n[p++])
        *parts[p] = (data_part){.x = data_numbers_from(&all.x, first),
                                .context = data_numbers_from(&all.context, first),
                                .weight = data_numbers_from(&all.weight, first),
                                .n = n[p]};
}

static int reserve(job *self, flow_err *err)
{
    data_set *out = self->out;
    size_t n = data_plan_n(self->plan), d = out->dim, c = out->n_context;
    self->u = array(DATA_PASS_ROWS * (3 * d + c), sizeof *self->u, err);
    out->ranges = array(d, sizeof *out->ranges, err);
    out->train_ranges = array(d + c, sizeof *out->train_ranges, err);
    if (!self->u || !out->ranges || !out->train_ranges)
        return FLOW_ENOMEM;
    self->work = self->u + DATA_PASS_ROWS * d;
    self->context = self->work + 2 * DATA_PASS_ROWS * d;
    for (size_t col = 0; col < d; col++)
        out->ranges[col] = (data_range){INFINITY, -INFINITY};
    for (size_t col = 0; col < d + c; col++)
        out->train_ranges[col] = (data_range){INFINITY, -INFINITY};
    int code = data_numbers_create(&out->train.x, n, d, self->options->precision, err);
    if (!code && c > 0)
        code = data_numbers_create(&out->train.context, n, c, self->options->precision, err);
    return code;
}

static void widen(data_range *ranges, const double *row, size_t n)
{
    for (size_t col = 0; col < n; col++) {
        ranges[col].low = fmin(ranges[col].low, row[col]);
        ranges[col].high = fmax(ranges[col].high, row[col]);
    }
}

static void note_ranges(job *self, const data_pass *at)
{
    data_set *out = self->out;
    size_t d = out->dim, c = out->n_context;
    for (size_t i = 0; i < at->n; i++) {
        widen(out->ranges, self->u + i * d, d);
        if (at->place[i] >= self->plan->n_train)
            continue;
        widen(out->train_ranges, self->u + i * d, d);
        widen(out->train_ranges + d, self->context + i * c, c);
    }
}

/* A number too large for single precision. */
static int check_size(const job *self, const data_pass *at, flow_err *err)
{
    size_t d = self->out->dim;
    char label[DATA_LABEL_SIZE];
    for (size_t i = 0; i < at->n * d; i++)
        if (!isfinite((float)self->u[i]))
            return flow_fail(err, FLOW_EDATA,
                             "%s: row %zu, %s: %.9g is too large for single precision; "
                             "data.standardize: true, or precision: f64",
                             self->source, at->number[i / d],
                             data_column_label(label, self->head, self->plan->data[i % d]),
                             self->u[i]);
    return FLOW_OK;
}

static int convert(job *self, const data_pass *at, flow_err *err)
{
    size_t d = self->out->dim;
    const flow_unit *units = self->out->units->column;
    int code = data_points_take(&self->points, self->u, at, 0, d, err);
    for (size_t i = 0; !code && i < at->n * d; i++)
        self->u[i] = flow_unit_scaled(&units[i % d], self->u[i]);
    if (!code && self->out->n_context) {
        data_pass_take(self->context, at, self->plan->context, self->out->n_context);
        flow_units_to_flow(self->out->context_units, self->context, NULL, self->context, at->n);
    }
    return code;
}

static void put_rows(const job *self, const data_pass *at)
{
    const data_set *out = self->out;
    for (size_t i = 0; i < at->n; i++) {
        data_numbers_put(&out->train.x, at->place[i], self->u + i * out->dim);
        if (out->n_context)
            data_numbers_put(&out->train.context, at->place[i], self->context + i * out->n_context);
    }
}

static int take_block(job *self, const data_pass *at, flow_err *err)
{
    bool single = self->options->precision == FLOW_F32;
    int code = convert(self, at, err);
    if (!code && single)
        code = check_size(self, at, err);
    if (code)
        return code;
    note_ranges(self, at);
    if (single && self->points.spreads)
        data_cells_round(self->out->units, self->u, at->n, self->work);
    put_rows(self, at);
    return FLOW_OK;
}

static int fill(job *self, flow_err *err)
{
    data_pass at;
    int code = reserve(self, err);
    if (code)
        return code;
    for (data_pass_begin(&at, self->rows, self->plan); !code && data_pass_next(&at, err);)
        code = take_block(self, &at, err);
    cut_parts(self->out, self->plan);
    return code ? code : at.code;
}

/* ---- the whole */

static int run(job *self, flow_err *err)
{
    static int (*const steps[])(job *, flow_err *) = {name_columns, weigh,       open_points,
                                                      fit_data,     fit_context, fill};
    int code = FLOW_OK;
    for (size_t i = 0; !code && i < sizeof steps / sizeof *steps; i++)
        code = steps[i](self, err);
    return code;
}

data_set *data_set_read(file_stream *rows, const data_plan *plan, const char *source,
                        const data_options *options, flow_err *err)
{
    job self = {.rows = rows,
                .head = file_stream_head(rows),
                .plan = plan,
                .source = source,
                .options = options};
    self.out = array(1, sizeof *self.out, err);
    if (!self.out)
        return NULL;
    self.out->dim = plan->dim;
    self.out->n_context = plan->n_context;
    self.out->dropped = plan->dropped;
    int code = run(&self, err);
    free(self.kinds);
    data_points_release(&self.points);
    free(self.u);
    if (!code)
        return self.out;
    data_set_free(self.out);
    return NULL;
}

data_set *data_set_create(const file_table *table, const char *source, const data_options *options,
                          flow_err *err)
{
    data_plan plan;
    data_set *out = NULL;
    file_stream *rows = file_stream_of_table(table, err);
    if (rows && data_plan_init(&plan, rows, source, options, err) == FLOW_OK) {
        out = data_set_read(rows, &plan, source, options, err);
        data_plan_release(&plan);
    }
    file_stream_free(rows);
    return out;
}

data_part data_set_all(const data_set *self)
{
    data_part out = self->train;
    out.n += self->valid.n + self->test.n;
    return out;
}

void data_set_free(data_set *self)
{
    if (!self)
        return;
    free(self->train.x.at);
    free(self->train.context.at);
    free(self->train.weight.at);
    free(self->ranges);
    free(self->train_ranges);
    flow_units_free(self->units);
    flow_units_free(self->context_units);
    data_columns_names_free(self->names, self->dim);
    data_columns_names_free(self->context_names, self->n_context);
    free(self);
}
