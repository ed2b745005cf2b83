/* teacher/target_logistic.c -- Bayesian logistic regression on a user's table: columns of mean 0 and variance 1 and a
 * 1 in front of them are x_n, w ~ N(0, prior_sd^2 I), y_n ~ Bernoulli(L(x_n w)), L the logistic function.
 *
 * With a_n = (2 y_n - 1) x_n, all rows of A:
 *
 *   log p~ = log N(w; 0, prior_sd^2 I) + sum_n log L(a_n w), its gradient -w / prior_sd^2 + A^T L(-A w)
 *
 * The products are OpenBLAS's, in tiles of TILE rows, so that a row does not depend on how many there are. */
#include "teacher/columns.h"
#include "teacher/target_density.h"
#include "teacher/target_table.h"

#include <cblas.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

extern const target_kind target_logistic;

enum { TILE = 16, MAX_DIM = 4096 };

typedef struct logistic_options {
    const char *data, *label;
    double prior_sd, log_z, log_z_se;
} logistic_options;

typedef struct logistic {
    target_density base;
    size_t n;
    double *a; /* (N, D) */
    double precision, constant;
} logistic;

static const logistic *down(const target_density *self)
{
    return (const logistic *)self;
}

/* ---- the density */

/* eta (N) becomes L(-eta); returns the sum of log L(eta). Each log(1 + e^-x) is at most log 2, so many share a
 * logarithm; signs are as good as random, so nothing branches on them. */
static double likelihood(double *eta, size_t n)
{
    double twice = 0, logs = 0, product = 1;
    for (size_t i = 0; i < n; i++) {
        double size = fabs(eta[i]), e = exp(-size);
        twice += eta[i] - size;
        product *= 1 + e;
        eta[i] = 0.5 - copysign(0.5 * (1 - e) / (1 + e), eta[i]);
        if (i % 512 == 511) {
            logs += log(product);
            product = 1;
        }
    }
    return 0.5 * twice - logs - log(product);
}

static double square_of(const double *w, size_t dim)
{
    double sum = 0;
    for (size_t i = 0; i < dim; i++)
        sum += w[i] * w[i];
    return sum;
}

/* n <= TILE rows; room: w (TILE, D), which becomes the gradient, and eta (TILE, N). */
static void tile_log_p(const logistic *l, double *logp, double *grad, const double *x, size_t n,
                       double *room)
{
    blasint dim = (blasint)l->base.base.dim, rows = (blasint)l->n;
    size_t size = TILE * (size_t)dim;
    double *w = room, *eta = room + size;
    memset(w, 0, size * sizeof *w);
    memcpy(w, x, n * (size_t)dim * sizeof *w);
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, TILE, rows, dim, 1, w, dim, l->a, dim, 0,
                eta, rows);
    for (size_t r = 0; r < n; r++)
        logp[r] = l->constant + likelihood(eta + r * l->n, l->n) -
                  0.5 * l->precision * square_of(x + r * (size_t)dim, (size_t)dim);
    if (!grad)
        return;
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, TILE, dim, rows, 1, eta, rows, l->a, dim,
                -l->precision, w, dim);
    memcpy(grad, w, n * (size_t)dim * sizeof *grad);
}

static void logistic_log_ps(const target_density *self, double *logp, double *grad, const double *x,
                            size_t n, double *room)
{
    size_t dim = self->base.dim;
    for (size_t r = 0; r < n; r += TILE)
        tile_log_p(down(self), logp + r, grad ? grad + r * dim : NULL, x + r * dim,
                   n - r < TILE ? n - r : TILE, room);
}

/* ---- the table */

/* Column col of the table into column at of A, of mean 0 and variance 1; a constant one becomes 0. */
static void standardise(logistic *self, size_t at, const file_table *table, size_t col)
{
    size_t dim = self->base.base.dim;
    double mean = 0, square = 0, count = (double)self->n, largest = 0;
    for (size_t r = 0; r < self->n; r++)
        mean += table->values[r * table->cols + col] / count;
    for (size_t r = 0; r < self->n; r++) {
        double off = table->values[r * table->cols + col] - mean;
        square += off * off / count;
        largest = fmax(largest, fabs(off));
    }
    bool constant = largest <= 1e-13 * fabs(mean);
    for (size_t r = 0; r < self->n; r++)
        self->a[r * dim + at] =
            constant ? 0 : (table->values[r * table->cols + col] - mean) / sqrt(square);
}

/* Rows of label 0 change their sign. */
static int take_labels(logistic *self, const file_table *table, size_t label, const char *path,
                       flow_err *err)
{
    char row[FILE_LABEL_SIZE], column[FILE_LABEL_SIZE];
    size_t dim = self->base.base.dim;
    for (size_t r = 0; r < self->n; r++) {
        double y = table->values[r * table->cols + label];
        if (y != 0 && y != 1)
            return flow_fail(err, FLOW_EDATA, "%s: %s, %s is %.9g; a label wants to be 0 or 1",
                             path, file_row_label(row, table, r),
                             file_column_label(column, table, label), y);
        for (size_t i = 0; i < dim && y == 0; i++)
            self->a[r * dim + i] *= -1;
    }
    return 0;
}

static int take(logistic *self, const file_table *table, size_t label, const char *path,
                flow_err *err)
{
    size_t dim = table->cols, at = 1;
    if (table->rows == 0 || dim < 2 || dim > MAX_DIM)
        return flow_fail(err, FLOW_EDATA,
                         "%s: %zu rows and %zu columns; wanted one row and 2 .. %d columns", path,
                         table->rows, dim, MAX_DIM);
    self->n = table->rows;
    self->base.base.dim = dim;
    self->a = target_density_hold(&self->base, self->n * dim, err);
    if (!self->a)
        return FLOW_ENOMEM;
    for (size_t r = 0; r < self->n; r++)
        self->a[r * dim] = 1;
    for (size_t col = 0; col < table->cols; col++)
        if (col != label)
            standardise(self, at++, table, col);
    return take_labels(self, table, label, path, err);
}

/* The column of that name or number; NULL: the last. */
static int find_label(size_t *col, const file_table *table, const logistic_options *o,
                      flow_err *err)
{
    bool *taken = calloc(table->cols + 1, sizeof *taken);
    int code = 0;
    *col = table->cols - 1;
    if (!taken)
        code = flow_fail(err, FLOW_ENOMEM, "out of memory for %zu columns", table->cols);
    else if (o->label && data_columns_find(col, taken, table, o->data, &o->label, 1, err))
        code = flow_fail_prefix(err, "label");
    free(taken);
    return code;
}

static int read_table(logistic *self, const logistic_options *o, flow_err *err)
{
    size_t label;
    file_table *table = target_table_read(o->data, err);
    if (!table)
        return err->code;
    int code = find_label(&label, table, o, err);
    if (!code)
        code = take(self, table, label, o->data, err);
    file_table_free(table);
    return code;
}

/* ---- the kind */

static int logistic_begin(target_density *base, const void *options, const json_t *object,
                          flow_err *err)
{
    const logistic_options *o = options;
    logistic *self = (logistic *)base;
    int code = read_table(self, o, err);
    (void)object;
    self->precision = 1 / (o->prior_sd * o->prior_sd);
    self->constant = -(double)base->base.dim * (TARGET_HALF_LOG_2PI + log(o->prior_sd));
    target_density_log_z(&base->base, o->log_z, o->log_z_se, NAN);
    base->room = TILE * (base->base.dim + self->n);
    return code;
}

static const target_density_ops logistic_ops = {.kind = &target_logistic,
                                                .size = sizeof(logistic),
                                                .begin = logistic_begin,
                                                .log_ps = logistic_log_ps};

static target *logistic_create(const json_t *object, flow_err *err)
{
    return target_density_create(&logistic_ops, object, err);
}

static const char *logistic_conflict(char *why, size_t size, const void *options)
{
    const logistic_options *o = options;
    return target_density_log_z_conflict(why, size, o->log_z, o->log_z_se);
}

static const flow_key logistic_keys[] = {
    {FLOW_KEY(logistic_options, data), .type = FLOW_KEY_TEXT,
     .flags = FLOW_KEY_FILE | FLOW_KEY_REQUIRED, .min = 1, .max = 4096,
     .doc = "A .csv or .npy table: a column of labels 0 and 1, the others explain it. These are "
            "shifted and scaled to mean 0 and variance 1; a constant one counts for nothing."},
    {FLOW_KEY(logistic_options, label), .type = FLOW_KEY_TEXT, .min = 1, .max = 1024,
     .doc = "The column of labels, by its name or its number counted from 0. If not given: the "
            "last."},
    {FLOW_KEY(logistic_options, prior_sd), .type = FLOW_KEY_REAL, .flags = FLOW_KEY_OPEN_MIN,
     .min = 0, .max = 1e6, .def = "1", .doc = "Of each weight a priori; the constant has one too."},
    {FLOW_KEY(logistic_options, log_z), .type = FLOW_KEY_REAL, .flags = FLOW_KEY_AUTO,
     .min = -INFINITY, .max = INFINITY, .def = "auto", .unit = "nats",
     .doc = "log of the integral of the density, the log evidence, if it is known from elsewhere; "
            "auto: it is not."},
    {FLOW_KEY(logistic_options, log_z_se), .type = FLOW_KEY_REAL, .min = 0, .max = INFINITY,
     .def = "0", .unit = "nats", .only = "log_z",
     .doc = "Standard error of that log_z, which the verdict's KLs then have too; 0: it is exact."},
    TARGET_COLUMNS_KEY,
    {.name = NULL}};

const target_kind target_logistic = {
    .kind = {.name = "logistic",
             .doc = "the weights of a Bayesian logistic regression on a table",
             .keys = logistic_keys,
             .size = sizeof(logistic_options),
             .conflict = logistic_conflict},
    .example = "{\"kind\": \"logistic\", \"data\": \"configs/data/logistic/ionosphere.csv\", "
               "\"label\": \"y\", \"prior_sd\": 0.8}",
    .create = logistic_create,
};
