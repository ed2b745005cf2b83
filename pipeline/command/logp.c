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

/* Rows of the table, and what they are given: columns of the same table, rows of another, or one row for all. A few thousand
 * are in memory at a time. */
typedef struct job {
    const flow_model *model;
    flow_pool *pool;
    const logp_options *options;
    file_stream *rows;
    context_rows other;          /* rows NULL: there is none, or the table has it */
    rows_columns *data, *inside; /* inside: the context in the same table; NULL */
    rows_columns *beside;        /* in the other; NULL */
    outside outside;
    double *x, *context, *logp; /* (most, D), (most, C), (most) */
    size_t most;
} job;

/* ---- matching */

/* A table of data that names the model's context, too, needs no --context. */
static int match_context(job *self, const char *model_path, flow_err *err)
{
    const logp_options *o = self->options;
    const rows_wanted wanted = rows_of_context(self->model);
    const file_table *head = file_stream_head(self->rows);
    if (!o->context.given && wanted.n && rows_are_named(head, &wanted)) {
        self->inside = rows_match(head, o->input, &wanted, o->context.extra, err);
        return self->inside ? 0 : err->code;
    }
    int code = context_open(&self->other, self->model, model_path, &o->context, head->rows, err);
    if (code || !self->other.rows)
        return code;
    self->beside = rows_match(file_stream_head(self->other.rows), self->other.source, &wanted,
                              o->context.extra, err);
    return self->beside ? rows_scan(&self->beside, 1, self->other.rows, err) : err->code;
}

static int match_data(job *self, flow_err *err)
{
    const logp_options *o = self->options;
    const rows_wanted wanted = rows_of_data(self->model);
    self->data = rows_match(file_stream_head(self->rows), o->input, &wanted, o->context.extra, err);
    if (!self->data)
        return err->code;
    rows_columns *const sides[] = {self->inside, self->data};
    return rows_scan(sides, 2, self->rows, err);
}

/* ---- blocks */

static int reserve(job *self, flow_err *err)
{
    enum { SHARDS = 64, NUMBERS = 1 << 20 };
    size_t width = flow_dim(self->model->flow) + flow_context(self->model->flow) + 1;
    size_t shards = NUMBERS / FLOW_SHARD / width;
    self->most = (shards < 1 ? 1 : shards < SHARDS ? shards : SHARDS) * FLOW_SHARD;
    self->x = malloc(self->most * width * sizeof *self->x);
    if (!self->x)
        return flow_fail(err, FLOW_ENOMEM, "out of memory for %zu rows", self->most);
    self->context = self->x + self->most * flow_dim(self->model->flow);
    self->logp = self->context + self->most * flow_context(self->model->flow);
    return 0;
}

/* Rows of a stream as they are wanted, whatever its blocks are. */
typedef struct cursor {
    file_stream *rows;
    const double *block;
    size_t left;
} cursor;

/* to[k] (n, ..) = the next n rows for each of the sides (2). */
static int take_rows(cursor *self, double *const *to, rows_columns *const *sides, size_t *widths,
                     size_t n, flow_err *err)
{
    size_t cols = file_stream_head(self->rows)->cols;
    for (size_t done = 0, some; done < n; done += some) {
        if (self->left == 0 && file_stream_next(self->rows, &self->block, &self->left, err))
            return err->code;
        some = self->left < n - done ? self->left : n - done;
        for (size_t k = 0; k < 2; k++)
            if (sides[k])
                rows_gather(sides[k], to[k] + done * widths[k], self->block, some);
        self->block += some * cols;
        self->left -= some;
    }
    return 0;
}

/* A density of 0, -inf, is an answer. */
static int check(const job *self, size_t first, size_t n, flow_err *err)
{
    for (size_t r = 0; r < n; r++)
        if (isnan(self->logp[r]))
            return flow_fail(err, FLOW_EDATA,
                             "%s: row %zu: its log-density is not a number: too far from what "
                             "training saw",
                             self->options->input, first + r);
    return 0;
}

/* One row for all is there already. */
static int take_block(job *self, cursor *data, cursor *context, size_t n, flow_err *err)
{
    size_t widths[] = {flow_dim(self->model->flow), flow_context(self->model->flow)};
    double *const to[] = {self->x, self->context};
    rows_columns *const here[] = {self->data, self->inside}, *const there[] = {NULL, self->beside};
    int code = take_rows(data, to, here, widths, n, err);
    if (!code && context->rows)
        code = take_rows(context, to, there, widths, n, err);
    return code;
}

static int spread_one(job *self, flow_err *err)
{
    size_t c = flow_context(self->model->flow), n;
    const double *row;
    int code = file_stream_next(self->other.rows, &row, &n, err);
    for (size_t r = 0; !code && r < self->most; r++)
        rows_gather(self->beside, self->context + r * c, row, 1);
    return code;
}

/* Not before there are densities: a first row that has none leaves nothing behind, on stdout either. */
static int append(output **out, const job *self, size_t n, flow_err *err)
{
    const logp_options *o = self->options;
    size_t all = file_stream_head(self->rows)->rows;
    if (!*out)
        *out = output_open(o->output, o->form, all, 1, (const char *const[]){"log_p"}, err);
    return *out ? output_append(*out, self->logp, n, err) : err->code;
}

static int evaluate(job *self, output **out, flow_err *err)
{
    size_t n = file_stream_head(self->rows)->rows, some;
    bool one = self->beside && file_stream_head(self->other.rows)->rows != n;
    cursor data = {.rows = self->rows}, context = {.rows = one ? NULL : self->other.rows};
    const double *given = self->inside || self->beside ? self->context : NULL;
    int code = one && n ? spread_one(self, err) : 0;
    for (size_t first = 0; !code && first < n; first += some) {
        some = n - first < self->most ? n - first : self->most;
        code = take_block(self, &data, &context, some, err);
        if (!code)
            code =
                flow_model_log_prob(self->model, self->pool, self->logp, self->x, given, some, err);
        outside_look(&self->outside, self->model, self->x, code ? 0 : some);
        code = code ? code : check(self, first, some, err);
        code = code ? code : append(out, self, some, err);
        progress_update(first + some, "%s", "");
    }
    return code || n ? code : append(out, self, 0, err);
}

/* ---- the whole */

static int write(job *self, flow_err *err)
{
    output *out = NULL;
    const logp_options *o = self->options;
    show_progress("logp", file_stream_head(self->rows)->rows, o->quiet, !o->output);
    int code = evaluate(self, &out, err);
    progress_clear();
    if (code) {
        output_discard(out);
        return err->code;
    }
    outside_tell(&self->outside, self->model, o->input);
    return output_close(out, err);
}

static void release(job *self)
{
    rows_columns_free(self->data);
    rows_columns_free(self->inside);
    rows_columns_free(self->beside);
    context_close(&self->other);
    file_stream_free(self->rows);
    free(self->x);
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
    const logp_options *o = options;
    const rows_wanted wanted = rows_of_data(what->model);
    job self = {.model = what->model, .pool = what->pool, .options = o};
    int code = opened_be_precise(what, err);
    if (code)
        return code;
    self.rows = rows_open(o->input, o->context.header, &wanted, o->context.extra, err);
    if (!self.rows)
        return err->code;
    tell_columns(self.model, o->input);
    code = match_context(&self, what->path, err);
    code = code ? code : match_data(&self, err);
    code = code ? code : reserve(&self, err);
    code = code ? code : write(&self, err);
    release(&self);
    return code;
}

int logp_verb(const logp_options *options)
{
    return with_model(options->model, "student", options->network, options->threads, options, logp);
}
