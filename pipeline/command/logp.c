#include "pipeline/command/logp.h"

#include "pipeline/command/outside.h"
#include "pipeline/command/show_progress.h"
#include "pipeline/command/with_model.h"
#include "pipeline/console/notice.h"
#include "pipeline/console/progress.h"
#include "pipeline/stages/output.h"
#include "pipeline/stages/rows.h"

#include <math.h>
#include <stdlib.h>

static int write_column(const logp_options *o, const double *logp, size_t n, flow_err *err)
{
    output *out = output_open(o->output, o->format, n, 1, (const char *const[]){"log_p"}, err);
    if (!out)
        return err->code;
    if (output_append(out, logp, n, err)) {
        output_discard(out);
        return err->code;
    }
    return output_close(out, err);
}

/* A density of 0, -inf, is an answer. */
static int check(const logp_options *o, const double *logp, size_t n, flow_err *err)
{
    for (size_t r = 0; r < n; r++)
        if (isnan(logp[r]))
            return flow_fail(err, FLOW_EDATA,
                             "%s: row %zu: its log-density is not a number: too far from what "
                             "training saw",
                             o->input, r);
    return 0;
}

/* Block by block, between which it is told how far that is. */
static int density(const flow_model *model, flow_pool *pool, double *logp, const file_table *rows,
                   const file_table *context, flow_err *err)
{
    enum { BLOCK = 16384 };
    int code = 0;
    for (size_t row = 0; row < rows->rows && !code; row += BLOCK) {
        size_t n = rows->rows - row < BLOCK ? rows->rows - row : BLOCK;
        code = flow_model_log_prob(model, pool, logp + row, rows->values + row * rows->cols,
                                   context ? context->values + row * context->cols : NULL, n, err);
        progress_update(row + n, "%s", "");
    }
    return code;
}

static int evaluate(const flow_model *model, flow_pool *pool, const logp_options *o,
                    const file_table *rows, const file_table *context, flow_err *err)
{
    double *logp = malloc((rows->rows + 1) * sizeof *logp);
    if (!logp)
        return flow_fail(err, FLOW_ENOMEM, "out of memory for %zu rows", rows->rows);
    show_progress("logp", rows->rows, o->quiet, !o->output);
    int code = density(model, pool, logp, rows, context, err);
    progress_clear();
    if (!code) {
        outside_tell(model, o->input, rows->values, rows->rows);
        code = check(o, logp, rows->rows, err);
    }
    if (!code)
        code = write_column(o, logp, rows->rows, err);
    free(logp);
    return code;
}

/* One row of context for each of n rows, where there is one for all. */
static int spread(file_table **context, size_t n, flow_err *err)
{
    const file_table *one = *context;
    if (!one || one->rows == n)
        return 0;
    file_table *all = file_table_create(n, one->cols, err);
    if (!all)
        return err->code;
    for (size_t i = 0; i < n * one->cols; i++)
        all->values[i] = one->values[i % one->cols];
    file_table_free(*context);
    *context = all;
    return 0;
}

/* A table of data that names the model's context, too, needs no --context. */
static int take_context(file_table **out, const opened *what, const logp_options *o,
                        const file_table *table, flow_err *err)
{
    const flow_model *model = what->model;
    const rows_wanted wanted = rows_of_context(model);
    if (!o->context.given && wanted.n && rows_are_named(table, &wanted))
        return rows_take(out, table, o->input, &wanted, o->context.extra, err);
    int code = context_load(out, model, what->path, &o->context, table->rows, err);
    return code ? code : spread(out, table->rows, err);
}

static int take_and_evaluate(const opened *what, const logp_options *o, const file_table *table,
                             flow_err *err)
{
    const flow_model *model = what->model;
    const rows_wanted wanted = rows_of_data(model);
    file_table *rows = NULL, *context = NULL;
    int code = take_context(&context, what, o, table, err);
    if (!code)
        code = rows_take(&rows, table, o->input, &wanted, o->context.extra, err);
    if (!code)
        code = evaluate(model, what->pool, o, rows, context, err);
    file_table_free(rows);
    file_table_free(context);
    return code;
}

/* Both may have one name, and be other numbers. */
static void tell_columns(const flow_model *model, const char *input)
{
    if (json_is_true(json_object_get(model->quantities, "instead")))
        notice_note("%s: rows are taken as the model's own columns (sample --quantities none), not "
                    "as the quantities of its target",
                    input);
}

static int logp(const opened *what, const void *options, flow_err *err)
{
    flow_model *model = what->model;
    const logp_options *o = options;
    int code = flow_model_convert(model, FLOW_F64, err);
    if (code)
        return code;
    const rows_wanted wanted = rows_of_data(model);
    file_table *table = rows_read(o->input, o->context.header, &wanted, o->context.extra, err);
    if (!table)
        return err->code;
    tell_columns(model, o->input);
    code = take_and_evaluate(what, o, table, err);
    file_table_free(table);
    return code;
}

int logp_verb(const logp_options *options)
{
    return with_model(options->model, "student", options->threads, options, logp);
}
