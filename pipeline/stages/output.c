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

/* (rows, D) and (rows) side by side as (rows, D + 1). */
static void append_column(double *out, const double *x, const double *logp, size_t n, size_t dim)
{
    for (size_t r = 0; r < n; r++) {
        memcpy(out + r * (dim + 1), x + r * dim, dim * sizeof *out);
        out[r * (dim + 1) + dim] = logp[r];
    }
}

/* What a block is made in: (BLOCK, D), (BLOCK), (BLOCK, D + 1) and, where one row of context holds for all,
 * (BLOCK, C) copies of it. */
typedef struct workspace {
    double *x, *logp, *both, *context;
} workspace;

static int workspace_create(workspace *self, const output_request *q, flow_err *err)
{
    size_t dim = flow_dim(q->model->flow), c = flow_context(q->model->flow);
    size_t copies = q->n_context == 1 ? c : 0;
    self->x = malloc(BLOCK * (2 * dim + 2 + copies) * sizeof *self->x);
    if (!self->x)
        return flow_fail(err, FLOW_ENOMEM, "out of memory for samples");
    self->logp = self->x + BLOCK * dim;
    self->both = self->logp + BLOCK;
    self->context = copies ? self->both + BLOCK * (dim + 1) : NULL;
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

/* Rows row .. row + n - 1 as they are written: w->x, or w->both with log q. */
static int make_block(const output_request *q, const workspace *w, size_t row, size_t n,
                      flow_err *err)
{
    const double *context = w->context   ? w->context
                            : q->context ? q->context + row * flow_context(q->model->flow)
                                         : NULL;
    int code =
        flow_model_sample_tempered(q->model, q->pool, w->x, q->logp ? w->logp : NULL, context,
                                   q->stream, q->first + row, n, q->temperature, err);
    if (!code)
        code = check_block(q, w->x, row, n, err);
    if (!code && q->logp)
        append_column(w->both, w->x, w->logp, n, flow_dim(q->model->flow));
    return code;
}

static output *open_samples(const output_request *q, flow_err *err)
{
    size_t dim = flow_dim(q->model->flow);
    const char **names = malloc((dim + 1) * sizeof *names);
    if (!names) {
        flow_fail(err, FLOW_ENOMEM, "out of memory for the names of the columns");
        return NULL;
    }
    for (size_t i = 0; i < dim; i++)
        names[i] = json_string_value(json_array_get(q->model->names, i));
    names[dim] = "log_q";
    output *out = output_open(q->path, q->format, q->n, dim + q->logp, names, err);
    free(names);
    return out;
}

/* The output is opened when the first block is there: what cannot be drawn at all leaves stdout empty. */
static int write_blocks(const output_request *q, output **out, const workspace *w, flow_err *err)
{
    size_t row = 0, n;
    do {
        n = q->n - row < BLOCK ? q->n - row : BLOCK;
        int code = make_block(q, w, row, n, err);
        if (!code && !*out && !(*out = open_samples(q, err)))
            code = err->code;
        if (!code)
            code = output_append(*out, q->logp ? w->both : w->x, n, err);
        if (code)
            return code;
        row += n;
    } while (row < q->n);
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
