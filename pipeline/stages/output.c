#include "pipeline/stages/output.h"

#include "files/csv.h"
#include "files/npy.h"
#include "pipeline/console/foreign.h"
#include "pipeline/console/progress.h"
#include "pipeline/console/signals.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK = 16384 };         /* rows in memory at a time */
enum { MOST_VALUES = 1 << 21 }; /* that are written of them, unless one row has more */

struct output {
    file_npy_writer *npy;
    file_csv_writer *csv;
};

table_format output_format_of(const char *path)
{
    size_t length = path ? strlen(path) : 0;
    return length > 4 && strcmp(path + length - 4, ".npy") == 0 ? TABLE_NPY : TABLE_CSV;
}

output *output_open(const char *path, output_form form, size_t rows, size_t cols,
                    const char *const *names, flow_err *err)
{
    FILE *to = path ? NULL : foreign_stdout();
    output *self = path || to ? calloc(1, sizeof *self) : NULL;
    if (!self) {
        flow_fail(err, FLOW_ENOMEM, "out of memory for an output");
        return NULL;
    }
    if (form.format == TABLE_NPY)
        self->npy = path ? file_npy_open(path, rows, cols, FLOW_F64, err)
                         : file_npy_open_stream(to, "standard output", rows, cols, FLOW_F64, err);
    else
        self->csv = path ? file_csv_open(path, cols, names, err)
                         : file_csv_open_stream(to, "standard output", cols, names, err);
    if (self->csv && form.digits)
        file_csv_digits(self->csv, (int)form.digits);
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

/* What a block is made in: (BLOCK, D), (BLOCK), and, where one row of context holds for all, (BLOCK, C) copies of it. What
 * is written of it, `part` rows at a time, as far as it is not the same: (part, D) chosen rows, (part, width) and
 * (part, width + 2). */
typedef struct workspace {
    double *x, *logp, *context;
    double *taken, *values, *rows;
    size_t part;
} workspace;

static size_t width_of(const output_request *q)
{
    return derived_width(q->derived);
}

static size_t columns(const output_request *q)
{
    return width_of(q) + q->logp + (q->log_w != NULL);
}

/* The next n numbers of memory, if they are wanted; memory NULL: they are counted alone. */
static double *carve(double *memory, size_t *used, bool wanted, size_t n)
{
    double *out = memory && wanted ? memory + *used : NULL;
    *used += wanted ? n : 0;
    return out;
}

/* Returns how many numbers it needs. */
static size_t lay_out(workspace *self, const output_request *q, double *memory)
{
    size_t dim = flow_dim(q->model->flow), width = width_of(q), used = 0;
    self->part = width * BLOCK <= MOST_VALUES ? BLOCK
                 : width < MOST_VALUES        ? MOST_VALUES / width
                                              : 1;
    self->x = carve(memory, &used, true, BLOCK * dim);
    self->logp = carve(memory, &used, q->logp, BLOCK);
    self->context = carve(memory, &used, q->n_context == 1, BLOCK * flow_context(q->model->flow));
    self->taken = carve(memory, &used, q->chosen, self->part * dim);
    self->values = carve(memory, &used, !derived_is_plain(q->derived), self->part * width);
    self->rows = carve(memory, &used, columns(q) > width, self->part * columns(q));
    return used;
}

static int workspace_create(workspace *self, const output_request *q, flow_err *err)
{
    size_t c = flow_context(q->model->flow);
    double *memory = malloc(lay_out(self, q, NULL) * sizeof *memory);
    if (!memory)
        return flow_fail(err, FLOW_ENOMEM, "out of memory for samples");
    lay_out(self, q, memory);
    for (size_t i = 0; self->context && i < BLOCK * c; i++)
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

static output *open_samples(const output_request *q, flow_err *err)
{
    size_t width = width_of(q);
    const char **names = malloc((width + 2) * sizeof *names);
    if (!names) {
        flow_fail(err, FLOW_ENOMEM, "out of memory for the names of the columns");
        return NULL;
    }
    memcpy(names, derived_names(q->derived), width * sizeof *names);
    if (q->logp)
        names[width] = "log_q";
    names[width + q->logp] = "log_w";
    output *out = output_open(q->path, q->form, q->n, columns(q), names, err);
    free(names);
    return out;
}

/* Some rows of a block: its first is row `row` of the stream; they are those that `chosen` says, or NULL: all of it. */
typedef struct rows {
    const size_t *chosen;
    size_t row, n;
} rows;

/* Where in the block the k-th of them is. */
static size_t place_of(const rows *of, size_t k)
{
    return of->chosen ? of->chosen[k] - of->row : k;
}

/* n of them from the k-th on, side by side. */
static const double *take(const workspace *w, const rows *of, size_t dim, size_t k, size_t n)
{
    if (!of->chosen)
        return w->x + k * dim;
    for (size_t r = 0; r < n; r++)
        memcpy(w->taken + r * dim, w->x + place_of(of, k + r) * dim, dim * sizeof *w->x);
    return w->taken;
}

/* Their values with densities and weights behind them. */
static const double *complete(const output_request *q, const workspace *w, const rows *of, size_t k,
                              size_t n, const double *values)
{
    size_t width = width_of(q);
    for (size_t r = 0; r < n && w->rows; r++) {
        double *to = w->rows + r * columns(q);
        size_t at = place_of(of, k + r);
        memcpy(to, values + r * width, width * sizeof *to);
        if (q->logp)
            to[width] = w->logp[at];
        if (q->log_w)
            to[width + q->logp] = q->log_w[of->row + at];
    }
    return w->rows ? w->rows : values;
}

/* first: the number of the first of them among all that are written. */
static int write_rows(const output_request *q, output *out, const workspace *w, const rows *of,
                      size_t first, flow_err *err)
{
    int code = 0;
    for (size_t k = 0; k < of->n && !code; k += w->part) {
        size_t n = of->n - k < w->part ? of->n - k : w->part;
        const double *values = take(w, of, flow_dim(q->model->flow), k, n);
        if (w->values) {
            code = derived_rows(q->derived, q->pool, w->values, values, n, first + k, err);
            values = w->values;
        }
        if (!code)
            code = output_append(out, complete(q, w, of, k, n, values), n, err);
    }
    return code;
}

/* Of the block of n rows that starts at `row`, those that are wanted, from q->chosen[at] on. */
static rows wanted(const output_request *q, size_t at, size_t row, size_t n)
{
    size_t end = at;
    if (!q->chosen)
        return (rows){.row = row, .n = n};
    while (end < q->n && q->chosen[end] < row + n)
        end++;
    return (rows){.chosen = q->chosen + at, .row = row, .n = end - at};
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
        const rows some = wanted(q, at, row, n);
        if (!code)
            code = write_rows(q, *out, w, &some, q->chosen ? at : q->first + row, err);
        if (code)
            return code;
        at += some.n;
        row += n;
        progress_update(q->chosen ? at : row, "%s", "");
        if (signals_pending())
            return flow_fail(err, FLOW_ESTOPPED, "stopped behind %zu of %zu samples",
                             q->chosen ? at : row, q->n);
    } while (q->chosen ? at < q->n : row < q->n);
    return FLOW_OK;
}

int output_samples(const output_request *q, flow_err *err)
{
    workspace w;
    output *out = NULL;
    int code = workspace_create(&w, q, err);
    if (!code)
        code = write_blocks(q, &out, &w, err);
    if (!code)
        code = derived_end(q->derived, err);
    free(w.x);
    if (!code)
        return output_close(out, err);
    output_discard(out);
    return code;
}
