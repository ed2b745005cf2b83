#include "pipeline/stages/output.h"

#include "files/csv.h"
#include "files/npy.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK = 16384 }; /* rows in memory at a time */

struct output {
    file_npy_writer *npy;
    file_csv_writer *csv;
};

table_format output_format_of(const char *path)
{
    size_t length = path ? strlen(path) : 0;
    return length > 4 && strcmp(path + length - 4, ".npy") == 0 ? TABLE_NPY : TABLE_CSV;
}

output *output_open(const char *path, table_format format, size_t rows, size_t cols,
                    const char *const *names, flow_err *err)
{
    output *self = calloc(1, sizeof *self);
    if (!self) {
        flow_fail(err, FLOW_ENOMEM, "out of memory for an output");
        return NULL;
    }
    if (format == TABLE_NPY)
        self->npy =
            path ? file_npy_open(path, rows, cols, FLOW_F64, err)
                 : file_npy_open_stream(stdout, "standard output", rows, cols, FLOW_F64, err);
    else
        self->csv = path ? file_csv_open(path, cols, names, err)
                         : file_csv_open_stream(stdout, "standard output", cols, names, err);
    if (self->npy || self->csv)
        return self;
    free(self);
    return NULL;
}

int output_append(output *self, const double *values, size_t n, flow_err *err)
{
    return self->npy ? file_npy_append(self->npy, values, n, err)
                     : file_csv_append(self->csv, values, n, err);
}

int output_close(output *self, flow_err *err)
{
    int code = self->npy ? file_npy_close(self->npy, err) : file_csv_close(self->csv, err);
    free(self);
    return code;
}

void output_discard(output *self)
{
    if (!self)
        return;
    if (self->npy)
        file_npy_discard(self->npy);
    if (self->csv)
        file_csv_discard(self->csv);
    free(self);
}

/* ---- samples */

/* What a block is made in: (BLOCK, D), (BLOCK), (BLOCK, D + 2) and, where one row of context holds for all,
 * (BLOCK, C) copies of it. */
typedef struct workspace {
    double *x, *logp, *rows, *context;
} workspace;

static int workspace_create(workspace *self, const output_request *q, flow_err *err)
{
    size_t dim = flow_dim(q->model->flow), c = flow_context(q->model->flow);
    size_t copies = q->n_context == 1 ? c : 0;
    self->x = malloc(BLOCK * (2 * dim + 3 + copies) * sizeof *self->x);
    if (!self->x)
        return flow_fail(err, FLOW_ENOMEM, "out of memory for samples");
    self->logp = self->x + BLOCK * dim;
    self->rows = self->logp + BLOCK;
    self->context = copies ? self->rows + BLOCK * (dim + 2) : NULL;
    for (size_t i = 0; i < BLOCK * copies; i++)
        self->context[i] = q->context[i % c];
    return 0;
}

/* Samples of a model that is asked for something far from all it has seen may overflow. */
static int check_block(const output_request *q, const double *x, size_t row, size_t n,
                       flow_err *err)
{
    size_t dim = flow_dim(q->model->flow);
    for (size_t i = 0; i < n * dim; i++)
        if (!isfinite(x[i]))
            return flow_fail(err, FLOW_EDIVERGED, "sample %llu: column '%.80s' is %g: not finite%s",
                             (unsigned long long)(q->first + row + i / dim),
                             json_string_value(json_array_get(q->model->names, i % dim)),
                             isnan(x[i]) ? NAN : x[i],
                             q->context ? "; its context may be far from those of training" : "");
    return 0;
}

/* Rows row .. row + n - 1 of the stream, counted from q->first. */
static int make_block(const output_request *q, const workspace *w, size_t row, size_t n,
                      flow_err *err)
{
    const double *context = w->context   ? w->context
                            : q->context ? q->context + row * flow_context(q->model->flow)
                                         : NULL;
    int code =
        flow_model_sample_tempered(q->model, q->pool, w->x, q->logp ? w->logp : NULL, context,
                                   q->stream, q->first + row, n, q->temperature, err);
    return code ? code : check_block(q, w->x, row, n, err);
}

static size_t columns(const output_request *q)
{
    return flow_dim(q->model->flow) + q->logp + (q->log_w != NULL);
}

/* Row r of the block that starts at `row`, as it is written. */
static void copy_row(double *to, const output_request *q, const workspace *w, size_t row, size_t r)
{
    size_t dim = flow_dim(q->model->flow);
    memcpy(to, w->x + r * dim, dim * sizeof *to);
    if (q->logp)
        to[dim] = w->logp[r];
    if (q->log_w)
        to[dim + q->logp] = q->log_w[row + r];
}

static output *open_samples(const output_request *q, flow_err *err)
{
    size_t dim = flow_dim(q->model->flow);
    const char **names = malloc((dim + 2) * sizeof *names);
    if (!names) {
        flow_fail(err, FLOW_ENOMEM, "out of memory for the names of the columns");
        return NULL;
    }
    for (size_t i = 0; i < dim; i++)
        names[i] = json_string_value(json_array_get(q->model->names, i));
    if (q->logp)
        names[dim] = "log_q";
    names[dim + q->logp] = "log_w";
    output *out = output_open(q->path, q->format, q->n, columns(q), names, err);
    free(names);
    return out;
}

/* Of a block of n rows from `row` on those that are wanted, from q->chosen[*at] on. */
static int write_chosen(const output_request *q, output *out, const workspace *w, size_t *at,
                        size_t row, size_t n, flow_err *err)
{
    int code = 0;
    while (!code && *at < q->n && q->chosen[*at] < row + n) {
        size_t rows = 0;
        for (; rows < BLOCK && *at < q->n && q->chosen[*at] < row + n; rows++, ++*at)
            copy_row(w->rows + rows * columns(q), q, w, row, q->chosen[*at] - row);
        code = output_append(out, w->rows, rows, err);
    }
    return code;
}

static int write_all(const output_request *q, output *out, const workspace *w, size_t row, size_t n,
                     flow_err *err)
{
    if (columns(q) == flow_dim(q->model->flow))
        return output_append(out, w->x, n, err);
    for (size_t r = 0; r < n; r++)
        copy_row(w->rows + r * columns(q), q, w, row, r);
    return output_append(out, w->rows, n, err);
}

/* The output is opened when the first block is there: what cannot be drawn at all leaves stdout empty. */
static int write_blocks(const output_request *q, output **out, const workspace *w, flow_err *err)
{
    size_t row = 0, n, at = 0, end = q->chosen && q->n ? q->chosen[q->n - 1] + 1 : q->n;
    do {
        row = q->chosen && q->n ? q->chosen[at] : row;
        n = end - row < BLOCK ? end - row : BLOCK;
        int code = make_block(q, w, row, n, err);
        if (!code && !*out && !(*out = open_samples(q, err)))
            code = err->code;
        if (!code)
            code = q->chosen ? write_chosen(q, *out, w, &at, row, n, err)
                             : write_all(q, *out, w, row, n, err);
        if (code)
            return code;
        row += n;
    } while (q->chosen ? at < q->n : row < q->n);
    return FLOW_OK;
}

int output_samples(const output_request *q, flow_err *err)
{
    workspace w = {NULL, NULL, NULL, NULL};
    output *out = NULL;
    int code = workspace_create(&w, q, err);
    if (!code)
        code = write_blocks(q, &out, &w, err);
    free(w.x);
    if (!code)
        return output_close(out, err);
    output_discard(out);
    return code;
}
