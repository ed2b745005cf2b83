#include "pipeline/stages/output.h"

#include "files/csv.h"
#include "files/npy.h"

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

static int write_block(const output_request *q, output *out, double *x, size_t row, size_t n,
                       flow_err *err)
{
    size_t dim = flow_dim(q->model->flow);
    double *logp = x + BLOCK * dim, *both = logp + BLOCK;
    const double *context = q->context ? q->context + row * flow_context(q->model->flow) : NULL;
    int code = flow_model_sample(q->model, q->pool, x, q->logp ? logp : NULL, context, q->stream,
                                 q->first + row, n, err);
    if (code)
        return code;
    if (q->logp)
        append_column(both, x, logp, n, dim);
    return output_append(out, q->logp ? both : x, n, err);
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

int output_samples(const output_request *q, flow_err *err)
{
    size_t dim = flow_dim(q->model->flow);
    output *out = open_samples(q, err);
    if (!out)
        return err->code;
    double *memory = malloc(BLOCK * (2 * dim + 2) * sizeof *memory);
    int code = memory ? 0 : flow_fail(err, FLOW_ENOMEM, "out of memory for samples");
    for (size_t row = 0; row < q->n && !code; row += BLOCK)
        code = write_block(q, out, memory, row, q->n - row < BLOCK ? q->n - row : BLOCK, err);
    free(memory);
    if (!code)
        return output_close(out, err);
    output_discard(out);
    return code;
}
